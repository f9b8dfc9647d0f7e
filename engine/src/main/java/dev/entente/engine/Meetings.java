// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Which versions met a conflict when they came, by tenant and type; where they stand in the log.
 */
final class Meetings {
  private static final String MET = "met";
  private static final byte[] COMPLETE = "met-complete".getBytes(StandardCharsets.UTF_8);

  private Meetings() {}

  /** Where it stands that a version met a conflict. */
  static byte[] place(String tenant, String type, long position) {
    return Keys.with(Keys.of(MET, tenant, type), position);
  }

  /** Says of a new store that nothing is missing. */
  static void begin(Batch batch) {
    Backfill.begin(batch, COMPLETE);
  }

  static void add(Transaction transaction, RecordKey key, long position) {
    transaction.append(Table.META, place(key.tenant(), key.type(), position), new byte[0]);
  }

  /** The positions of the latest of a type, newest first. */
  static List<Long> latest(Store store, String tenant, String type, int limit) {
    byte[] prefix = Keys.of(MET, tenant, type);
    List<Long> positions = new ArrayList<>();
    store.scan(
        Table.META,
        prefix,
        Keys.after(prefix),
        true,
        (key, _) -> {
          if (positions.size() < limit) {
            positions.add(Keys.lastNumber(key));
          }
          return positions.size() < limit;
        });
    return positions;
  }

  /** Goes through the audit log of a store that was written before this was kept; once. */
  static void complete(Store store) {
    Backfill.once(store, COMPLETE, Table.AUDIT, (batch, _, value) -> addOf(store, batch, value));
  }

  private static void addOf(Store store, Batch batch, byte[] value) {
    AuditEntry entry = AuditCodec.fromBytes(value);
    if (entry.action().equals("write")
        && entry.detail() instanceof JsonObject detail
        && !detail.get("resolutions").isAbsent()
        && detail.get("position") instanceof JsonNumber position) {
      long at = position.longValue();
      byte[] version = store.get(Table.LOG, History.logKey(entry.tenant(), at));
      if (version != null) {
        String type = VersionCodec.fromBytes(version).key().type();
        batch.put(Table.META, place(entry.tenant(), type, at), new byte[0]);
      }
    }
  }
}
