// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Reads the audit log. */
final class AuditLog {
  private final Store store;

  AuditLog(Store store) {
    this.store = store;
  }

  private Optional<byte[]> last() {
    List<byte[]> last = new ArrayList<>();
    store.scan(
        Table.AUDIT,
        new byte[0],
        null,
        true,
        (_, value) -> {
          last.add(value);
          return false;
        });
    return last.stream().findFirst();
  }

  /** Where the next entries are to be chained to. */
  AuditChain chain() {
    return last()
        .map(entry -> new AuditChain(AuditCodec.fromBytes(entry).sequence(), hash(entry)))
        .orElseGet(() -> new AuditChain(0, new byte[AuditCodec.HASH_BYTES]));
  }

  /** When the last entry was written. */
  HybridTime lastTime() {
    return last().map(entry -> AuditCodec.fromBytes(entry).time()).orElse(HybridTime.ZERO);
  }

  /** The end of the log as it is durable now. */
  AuditHead head() {
    return last().map(AuditLog::head).orElse(new AuditHead(0, ""));
  }

  /** The log as it ended with an entry; empty where there is no such entry. */
  Optional<AuditHead> head(long sequence) {
    return Optional.ofNullable(store.get(Table.AUDIT, Keys.of(sequence))).map(AuditLog::head);
  }

  private static AuditHead head(byte[] entry) {
    return new AuditHead(
        AuditCodec.fromBytes(entry).sequence(), HexFormat.of().formatHex(hash(entry)));
  }

  private static byte[] hash(byte[] entry) {
    return Arrays.copyOfRange(entry, entry.length - AuditCodec.HASH_BYTES, entry.length);
  }

  /** The latest audit entries that somebody looks for, newest first. */
  List<AuditEntry> entries(Predicate<AuditEntry> wanted, long beforeSequence, int limit) {
    List<AuditEntry> entries = new ArrayList<>();
    store.scan(
        Table.AUDIT,
        new byte[0],
        Keys.of(beforeSequence),
        true,
        (_, value) -> {
          AuditEntry entry = AuditCodec.fromBytes(value);
          if (wanted.test(entry)) {
            entries.add(entry);
          }
          return entries.size() < limit;
        });
    return entries;
  }
}
