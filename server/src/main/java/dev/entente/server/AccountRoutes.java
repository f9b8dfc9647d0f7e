// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Node;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.AccessToken;
import dev.entente.server.access.Account;
import dev.entente.server.access.Accounts;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Accounts, what they were granted, and their tokens. */
final class AccountRoutes {
  private static final String ACCOUNTS = "/v1/cluster/accounts";
  private static final String ACCOUNT = ACCOUNTS + "/{account}";
  private static final int GRANTS_MAX = 1_000;
  private static final int NOTE_MAX = 200;
  private static final Pattern DAYS = Pattern.compile("([0-9]{1,5})(d|h|m|s)");

  private final Node node;
  private final Accounts accounts;

  AccountRoutes(Node node, Accounts accounts) {
    this.node = node;
    this.accounts = accounts;
  }

  void addTo(Route.Table routes) {
    routes
        .signedIn("GET", "/v1/whoami", this::whoAmI)
        .get(Permission.ADMINISTER, ACCOUNTS, this::list)
        .get(Permission.ADMINISTER, ACCOUNT, this::one)
        .put(Permission.ADMINISTER, ACCOUNT, this::put)
        .delete(Permission.ADMINISTER, ACCOUNT, this::remove)
        .post(Permission.ADMINISTER, ACCOUNT + "/tokens", this::issue)
        .delete(Permission.ADMINISTER, ACCOUNT + "/tokens/{token}", this::revoke);
  }

  private Reply whoAmI(Call call) {
    return Reply.json(
        200,
        JsonObject.of(
            Map.of(
                "name", Json.of(call.caller().name()),
                "grants", grants(call.caller().grants()),
                "node", Json.of(node.id().value()))));
  }

  private static Json grants(List<Grant> grants) {
    return Json.of(grants.stream().map(grant -> Json.of(grant.toString())).toList());
  }

  private static JsonObject described(Account account) {
    return JsonObject.of(
        Map.of(
            "name", Json.of(account.name()),
            "grants", grants(account.grants()),
            "disabled", Json.of(account.disabled())));
  }

  private static JsonObject described(AccessToken token) {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(token.id()));
    members.put("createdAt", Json.of(token.createdAt().toString()));
    token.expiresAt().ifPresent(at -> members.put("expiresAt", Json.of(at.toString())));
    members.put("note", Json.of(token.note()));
    return JsonObject.of(members);
  }

  private Reply list(Call call) {
    Cursors cursors = Cursors.of(call, "accounts");
    List<Account> found = accounts.list(cursors.name(), call.limit());
    Map<String, Json> members = new TreeMap<>();
    members.put("accounts", Json.of(found.stream().map(AccountRoutes::described).toList()));
    if (found.size() == call.limit()) {
      members.put("next", Json.of(cursors.next(found.getLast().name())));
    }
    return Reply.json(200, JsonObject.of(members));
  }

  private Account find(Call call) {
    return accounts
        .get(call.name("account"))
        .orElseThrow(() -> new Problem(Code.NOT_FOUND, "there is no such account"));
  }

  private Reply one(Call call) {
    Account account = find(call);
    List<JsonObject> tokens =
        accounts.tokens(account.name()).stream().map(AccountRoutes::described).toList();
    return Reply.json(200, described(account).with("tokens", Json.of(tokens)));
  }

  private Reply put(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "an account", Set.of("grants", "disabled"));
    String name = call.name("account");
    if (name.equals("admin")) {
      throw new Problem(
          Code.INVALID, "admin is whoever has the token of the data directory; take another name");
    }
    if (!(body.get("grants") instanceof JsonArray(List<Json> items)) || items.size() > GRANTS_MAX) {
      throw new Problem(
          Code.INVALID,
          "\"grants\" lists at most " + GRANTS_MAX + " grants such as \"writer@main\"");
    }
    List<Grant> grants = new ArrayList<>();
    for (Json item : items) {
      grants.add(grant(item));
    }
    Account account = new Account(name, grants, Call.flag(body, "disabled"));
    return Reply.json(
        200, described(Writes.await(() -> accounts.put(account, call.caller().name()))));
  }

  private static Grant grant(Json item) {
    if (!(item instanceof JsonString(String text))) {
      throw new Problem(Code.INVALID, "a grant is a text such as \"writer@main\"");
    }
    try {
      return Grant.parse(text);
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    }
  }

  private Reply remove(Call call) {
    if (!accounts.remove(find(call).name(), call.caller().name())) {
      throw new Problem(Code.NOT_FOUND, "there is no such account");
    }
    return Reply.json(200, JsonObject.of("removed", Json.of(call.name("account"))));
  }

  private Reply issue(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a token", Set.of("note", "expiresIn"));
    String note = Call.text(body, "note").orElse("");
    if (note.length() > NOTE_MAX) {
      throw new Problem(Code.INVALID, "a note has at most " + NOTE_MAX + " characters");
    }
    Account account = find(call);
    Accounts.Issued issued =
        accounts.issue(
            account.name(),
            Call.text(body, "expiresIn").map(AccountRoutes::duration),
            note,
            call.caller().name());
    return Reply.json(201, described(issued.token()).with("token", Json.of(issued.secret())))
        .with("Cache-Control", "no-store");
  }

  private static Duration duration(String text) {
    Matcher parts = DAYS.matcher(text);
    if (!parts.matches() || parts.group(1).matches("0+")) {
      throw new Problem(Code.INVALID, "expiresIn is a duration such as 90d or 12h");
    }
    long count = Long.parseLong(parts.group(1));
    return switch (parts.group(2)) {
      case "d" -> Duration.ofDays(count);
      case "h" -> Duration.ofHours(count);
      case "m" -> Duration.ofMinutes(count);
      default -> Duration.ofSeconds(count);
    };
  }

  private Reply revoke(Call call) {
    String id = call.name("token");
    if (!accounts.revoke(call.name("account"), id, call.caller().name())) {
      throw new Problem(Code.NOT_FOUND, "the account has no such token");
    }
    return Reply.json(200, JsonObject.of("revoked", Json.of(id)));
  }
}
