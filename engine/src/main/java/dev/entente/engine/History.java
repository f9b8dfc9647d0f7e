// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.codec.VersionCodec;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The versions of records, as they were accepted. */
final class History {
  private final Store store;

  History(Store store) {
    this.store = store;
  }

  /** The committed versions of a record below a position, newest first. */
  List<Version> newestFirst(RecordKey key, long beforePosition, int limit) {
    byte[] prefix = Keys.of(key);
    List<Version> versions = new ArrayList<>();
    byte[] to =
        beforePosition == Long.MAX_VALUE ? Keys.after(prefix) : Keys.with(prefix, beforePosition);
    store.scan(
        Table.HISTORY,
        prefix,
        to,
        true,
        (entry, _) -> {
          versions.add(version(Keys.lastNumber(entry)));
          return versions.size() < limit;
        });
    return versions;
  }

  private Version version(long position) {
    byte[] bytes = store.get(Table.LOG, Keys.of(position));
    if (bytes == null) {
      throw new IllegalStateException(
          "the log has no position " + position + " though the history names it");
    }
    return VersionCodec.fromBytes(bytes);
  }

  /**
   * All versions of a record in the order of acceptance, with those that a transaction has staged.
   */
  List<Version> all(RecordKey key, @Nullable Transaction transaction) {
    List<Version> versions = newestFirst(key, Long.MAX_VALUE, Integer.MAX_VALUE);
    Collections.reverse(versions);
    if (transaction != null) {
      versions.addAll(staged(key, transaction));
    }
    return versions;
  }

  private static List<Version> staged(RecordKey key, Transaction transaction) {
    List<Batch.Entry> history = transaction.staged(Table.HISTORY);
    if (history.isEmpty()) {
      return List.of();
    }
    byte[] prefix = Keys.of(key);
    Map<Long, byte[]> log = new LinkedHashMap<>();
    for (Batch.Entry entry : transaction.staged(Table.LOG)) {
      byte[] value = entry.value();
      if (value != null) {
        log.put(Keys.lastNumber(entry.key()), value);
      }
    }
    List<Version> versions = new ArrayList<>();
    for (Batch.Entry entry : history) {
      byte[] value = log.get(Keys.lastNumber(entry.key()));
      if (value != null
          && entry.key().length == prefix.length + 8
          && Arrays.equals(entry.key(), 0, prefix.length, prefix, 0, prefix.length)) {
        versions.add(VersionCodec.fromBytes(value));
      }
    }
    return versions;
  }

  /** The dots that a device's own queue has written and that lie beyond what it was told. */
  List<Dot> ownDots(List<Version> history, String device, CausalContext told) {
    List<Dot> dots = new ArrayList<>();
    for (Version version : history) {
      if (version.device().filter(device::equals).isPresent() && !told.contains(version.dot())) {
        dots.add(version.dot());
      }
    }
    return dots;
  }

  /** The record as an author with this context saw it. */
  static RecordState seenThrough(List<Version> history, CausalContext context) {
    return RecordState.replay(history, version -> context.contains(version.dot()));
  }

  /** The record as it was accepted up to a time. */
  RecordState at(RecordKey key, HybridTime time) {
    return RecordState.replay(all(key, null), version -> version.acceptedAt().compareTo(time) <= 0);
  }
}
