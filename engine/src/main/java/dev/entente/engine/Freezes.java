// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.JsonCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What is frozen: a whole tenant ({@code tenant}), a type ({@code tenant/type}) or a record ({@code
 * tenant/type/id}), with the reason. Writes there are refused until it thaws. Thread-safe for
 * reading.
 */
final class Freezes {
  private final Map<String, String> reasons = new ConcurrentSkipListMap<>();

  Freezes(Store store) {
    store.scan(
        Table.FREEZES,
        new byte[0],
        null,
        false,
        (_, value) -> {
          if (JsonCodec.fromBytes(value) instanceof JsonObject freeze
              && freeze.get("scope") instanceof JsonString(String scope)
              && freeze.get("reason") instanceof JsonString(String reason)) {
            reasons.put(scope, reason);
          }
          return true;
        });
  }

  /** Why a record is frozen, if it is. */
  Optional<String> over(RecordKey key) {
    if (reasons.isEmpty()) {
      return Optional.empty();
    }
    for (String scope : List.of(key.tenant(), key.tenant() + "/" + key.type(), key.toString())) {
      String reason = reasons.get(scope);
      if (reason != null) {
        return Optional.of(scope + " is frozen: " + reason);
      }
    }
    return Optional.empty();
  }

  void freeze(Transaction transaction, String scope, String reason, String actor) {
    Json freeze =
        JsonObject.of(
            Map.of("scope", Json.of(scope), "reason", Json.of(reason), "by", Json.of(actor)));
    transaction.put(Table.FREEZES, Keys.of(scope), JsonCodec.toBytes(freeze));
    transaction.afterwards(() -> reasons.put(scope, reason));
  }

  boolean thaw(Transaction transaction, String scope) {
    if (!reasons.containsKey(scope)) {
      return false;
    }
    transaction.delete(Table.FREEZES, Keys.of(scope));
    transaction.afterwards(() -> reasons.remove(scope));
    return true;
  }

  /** The frozen scopes of a tenant, with the reasons. */
  Map<String, String> of(String tenant) {
    Map<String, String> mine = new ConcurrentSkipListMap<>();
    reasons.forEach((scope, reason) -> {
      if (scope.equals(tenant) || scope.startsWith(tenant + "/")) {
        mine.put(scope, reason);
      }
    });
    return mine;
  }
}
