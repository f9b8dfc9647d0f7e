// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.JsonCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;

/**
 * What is frozen, from the records of the {@link Registry} that say so; they travel, so what is
 * frozen at one node is at all. Thread-safe for reading.
 */
final class Freezes {
  private static final String TYPE = "freeze";

  private final Map<String, Freeze> byScope = new ConcurrentSkipListMap<>();
  private final Map<String, String> scopes = new ConcurrentSkipListMap<>();

  Freezes(Store store, Function<RecordKey, Snapshot> read) {
    // Releases before this kept freezes on the node alone.
    store.scan(
        Table.FREEZES,
        new byte[0],
        null,
        false,
        (_, value) -> {
          if (JsonCodec.fromBytes(value) instanceof JsonObject kept) {
            Freeze freeze = freeze(kept);
            byScope.put(freeze.scope(), freeze);
          }
          return true;
        });
    store.scan(
        Table.RECORDS,
        Keys.of(Registry.TENANT, TYPE),
        (key, _) -> {
          String id = Keys.lastName(key);
          if (read.apply(new RecordKey(Registry.TENANT, TYPE, id)).view().data()
              instanceof JsonObject data) {
            hold(id, freeze(data));
          }
          return true;
        });
  }

  static boolean isOne(RecordKey key) {
    return key.tenant().equals(Registry.TENANT) && key.type().equals(TYPE);
  }

  /** Scopes are longer than names may be. */
  static RecordKey key(String scope) {
    String id = Hashes.hex(scope.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
    return new RecordKey(Registry.TENANT, TYPE, id);
  }

  static JsonObject data(Freeze freeze) {
    return JsonObject.of(
        Map.of(
            "scope", Json.of(freeze.scope()),
            "reason", Json.of(freeze.reason()),
            "by", Json.of(freeze.by()),
            "waiting", Json.of(freeze.waiting()),
            "consistentReads", Json.of(freeze.consistentReads())));
  }

  private static Freeze freeze(JsonObject data) {
    return new Freeze(
        data.text("scope").orElse(""),
        data.text("reason").orElse(""),
        data.text("by").orElse(""),
        data.get("waiting").equals(JsonBool.TRUE),
        data.get("consistentReads").equals(JsonBool.TRUE));
  }

  private void hold(String id, Freeze freeze) {
    byScope.put(freeze.scope(), freeze);
    scopes.put(id, freeze.scope());
  }

  /** What freezes a record, if something does. */
  Optional<Freeze> over(RecordKey key) {
    if (byScope.isEmpty()) {
      return Optional.empty();
    }
    String tenant = RecordKey.scope(key.tenant());
    String type = RecordKey.scope(key.tenant(), key.type());
    for (String scope : List.of(tenant, type, key.toString())) {
      Freeze freeze = byScope.get(scope);
      if (freeze != null) {
        return Optional.of(freeze);
      }
    }
    return Optional.empty();
  }

  /** Takes up that somebody froze or thawed something, here or at another node. */
  void follow(Transaction transaction, Snapshot after, String actor) {
    String id = after.key().id();
    if (after.view().data() instanceof JsonObject data) {
      Freeze freeze = freeze(data);
      transaction.afterwards(() -> hold(id, freeze));
      Map<String, Json> detail = new TreeMap<>();
      detail.put("reason", Json.of(freeze.reason()));
      detail.put("waiting", Json.of(freeze.waiting()));
      detail.put("consistentReads", Json.of(freeze.consistentReads()));
      audit(transaction, actor, "freeze", freeze.scope(), JsonObject.of(detail));
    } else {
      String scope = scopes.get(id);
      if (scope != null) {
        transaction.afterwards(() -> {
          byScope.remove(scope);
          scopes.remove(id);
        });
        audit(transaction, actor, "thaw", scope, JsonObject.EMPTY);
      }
    }
  }

  private static void audit(
      Transaction transaction, String actor, String action, String scope, Json detail) {
    int slash = scope.indexOf('/');
    String tenant = RecordKey.nameOf(slash < 0 ? scope : scope.substring(0, slash));
    transaction.audit(transaction.clock().next(), tenant, actor, action, scope, detail);
  }

  boolean isFrozen(String scope) {
    return byScope.containsKey(scope);
  }

  /** Ends what a release before this froze on the node alone. */
  void thawOld(Transaction transaction, String scope, String actor) {
    if (transaction.get(Table.FREEZES, Keys.of(scope)) != null) {
      transaction.delete(Table.FREEZES, Keys.of(scope));
      transaction.afterwards(() -> byScope.remove(scope));
      audit(transaction, actor, "thaw", scope, JsonObject.EMPTY);
    }
  }

  /** What is frozen of a tenant. */
  List<Freeze> of(String tenant) {
    String scope = RecordKey.scope(tenant);
    return byScope.values().stream()
        .filter(freeze -> freeze.scope().equals(scope) || freeze.scope().startsWith(scope + "/"))
        .toList();
  }
}
