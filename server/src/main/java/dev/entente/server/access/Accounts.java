// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Hashes;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.Registry;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Accounts and their tokens, which are records like any other: they travel to all nodes, have a
 * history, and what is taken away on one side of a cut is gone on both once they meet. Of a token
 * only a hash is kept. Thread-safe.
 */
public final class Accounts {
  private static final String ACCOUNT = Registry.ACCOUNT;
  private static final String TOKEN = Registry.TOKEN;
  private static final Pattern FORM = Pattern.compile("ent_([0-9a-f]{16})_([0-9a-f]{48})");
  private static final Json DISABLED = Json.of("disabled");
  private static final int ID_BYTES = 8;
  private static final int SECRET_BYTES = 24;
  private static final int LISTED_MAX = 10_000;

  private final Node node;
  private final SecureRandom random = new SecureRandom();

  public Accounts(Node node) {
    this.node = node;
  }

  /** A new token, and what its owner sends; that is said once and kept nowhere. */
  public record Issued(AccessToken token, String secret) {
    @Override
    public String toString() {
      return "Issued[" + token + "]";
    }
  }

  private static RecordKey account(String name) {
    return new RecordKey(Registry.TENANT, ACCOUNT, name);
  }

  private static RecordKey token(String id) {
    return new RecordKey(Registry.TENANT, TOKEN, id);
  }

  /** An account, if there is one of that name. */
  public Optional<Account> get(String name) {
    return data(account(name)).map(data -> account(name, data));
  }

  /** The accounts after a name, in order. */
  public List<Account> list(Optional<String> after, int limit) {
    List<Account> accounts = new ArrayList<>();
    for (RecordKey key : node.records(Registry.TENANT, ACCOUNT, after, limit)) {
      get(key.id()).ifPresent(accounts::add);
    }
    return accounts;
  }

  private Optional<JsonObject> data(RecordKey key) {
    return node.read(key).view().data() instanceof JsonObject data
        ? Optional.of(data)
        : Optional.empty();
  }

  private static Account account(String name, JsonObject data) {
    List<Grant> grants = new ArrayList<>();
    if (data.get("grants") instanceof JsonArray(List<Json> items)) {
      for (Json item : items) {
        if (item instanceof JsonString(String text)) {
          grants.add(Grant.parse(text));
        }
      }
    }
    return new Account(name, grants, data.get("status").equals(DISABLED));
  }

  /** Makes an account, or changes what it may do. */
  public CompletableFuture<Account> put(Account account, String by) {
    Map<String, Json> data = new TreeMap<>();
    data.put("grants", Json.of(account.grants().stream().map(g -> Json.of(g.toString())).toList()));
    data.put("status", account.disabled() ? DISABLED : Json.of("active"));
    return write(account(account.name()), new Edit.Put(JsonObject.of(data)), by)
        .thenApply(_ -> account);
  }

  /** Ends an account with all its tokens; whether there was one. */
  public boolean remove(String name, String by) {
    if (get(name).isEmpty()) {
      return false;
    }
    for (AccessToken token : tokens(name)) {
      write(token(token.id()), new Edit.Delete(), by).join();
    }
    write(account(name), new Edit.Delete(), by).join();
    return true;
  }

  /** The tokens of an account. */
  public List<AccessToken> tokens(String name) {
    List<AccessToken> tokens = new ArrayList<>();
    for (RecordKey key : node.records(Registry.TENANT, TOKEN, Optional.empty(), LISTED_MAX)) {
      data(key)
          .map(data -> token(key.id(), data))
          .filter(token -> token.account().equals(name))
          .ifPresent(tokens::add);
    }
    return tokens;
  }

  private static AccessToken token(String id, JsonObject data) {
    return new AccessToken(
        id,
        data.text("account").orElse(""),
        data.text("created").map(Instant::parse).orElse(Instant.EPOCH),
        data.text("expires").map(Instant::parse),
        data.text("note").orElse(""));
  }

  /** Makes a token for an account. */
  public Issued issue(String name, Optional<Duration> valid, String note, String by) {
    Instant now = Instant.ofEpochMilli(node.nowMillis());
    AccessToken token = new AccessToken(hex(ID_BYTES), name, now, valid.map(now::plus), note);
    String secret = hex(SECRET_BYTES);
    Map<String, Json> data = new TreeMap<>();
    data.put("account", Json.of(name));
    data.put("created", Json.of(now.toString()));
    token.expiresAt().ifPresent(at -> data.put("expires", Json.of(at.toString())));
    data.put("note", Json.of(note));
    data.put("hash", Json.of(hash(secret)));
    write(token(token.id()), new Edit.Put(JsonObject.of(data)), by).join();
    return new Issued(token, "ent_" + token.id() + "_" + secret);
  }

  private String hex(int bytes) {
    byte[] drawn = new byte[bytes];
    random.nextBytes(drawn);
    return HexFormat.of().formatHex(drawn);
  }

  /** A secret of 192 random bits needs no slow hash: there is nothing to guess it by. */
  private static String hash(String secret) {
    return Hashes.hex(secret.getBytes(StandardCharsets.UTF_8));
  }

  /** Ends a token of an account; whether there was one. */
  public boolean revoke(String name, String id, String by) {
    boolean known =
        data(token(id))
            .map(data -> token(id, data))
            .filter(t -> t.account().equals(name))
            .isPresent();
    if (known) {
      write(token(id), new Edit.Delete(), by).join();
    }
    return known;
  }

  /** Who sends this as a token; nobody where it is none, was revoked, or is over. */
  public Optional<Caller> caller(String sent) {
    Matcher form = FORM.matcher(sent);
    return form.matches() ? holder(form.group(1), form.group(2)) : Optional.empty();
  }

  private Optional<Caller> holder(String id, String secret) {
    JsonObject data = data(token(id)).orElse(JsonObject.EMPTY);
    byte[] kept = data.text("hash").orElse("").getBytes(StandardCharsets.US_ASCII);
    if (!MessageDigest.isEqual(kept, hash(secret).getBytes(StandardCharsets.US_ASCII))) {
      return Optional.empty();
    }
    return caller(token(id, data));
  }

  /** Who holds a token that is still good, by its id alone. */
  public Optional<Caller> callerOf(String id) {
    return data(token(id)).map(data -> token(id, data)).flatMap(this::caller);
  }

  private Optional<Caller> caller(AccessToken token) {
    long now = node.nowMillis();
    return token.expiresAt().filter(at -> at.toEpochMilli() <= now).isPresent()
        ? Optional.empty()
        : get(token.account())
            .filter(account -> !account.disabled())
            .map(account -> new Caller(account.name(), account.grants()));
  }

  /** The id of a token as it is sent. */
  public static Optional<String> idOf(String sent) {
    Matcher form = FORM.matcher(sent);
    return form.matches() ? Optional.of(form.group(1)) : Optional.empty();
  }

  private CompletableFuture<Outcome> write(RecordKey key, Edit edit, String by) {
    return node.write(WriteRequest.of(key, edit, new Seen.Everything(), by))
        .thenApply(outcome -> {
          if (outcome instanceof Outcome.Rejected rejected) {
            throw new IllegalStateException(key + " was not changed: " + rejected.message());
          }
          return outcome;
        });
  }
}
