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
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The versions of records, as they were accepted: each names the position of the one before it, so
 * a record's history is a chain in the log.
 */
final class History {
  private final Store store;

  History(Store store) {
    this.store = store;
  }

  /** Where a tenant's version stands in the log. */
  static byte[] logKey(String tenant, long position) {
    return Keys.with(Keys.of(tenant), position);
  }

  /** The committed versions of a record from a position downwards, newest first. */
  List<Version> newestFirst(RecordKey key, long position, int limit) {
    return chain(key, position, limit, null);
  }

  /**
   * All versions of a record down from a position, in the order of acceptance, with those that a
   * transaction has decided.
   */
  List<Version> all(RecordKey key, long position, @Nullable Transaction transaction) {
    List<Version> versions = chain(key, position, Integer.MAX_VALUE, transaction);
    Collections.reverse(versions);
    return versions;
  }

  private List<Version> chain(
      RecordKey key, long from, int limit, @Nullable Transaction transaction) {
    List<Version> versions = new ArrayList<>();
    for (long position = from; position > 0 && versions.size() < limit; ) {
      byte[] at = logKey(key.tenant(), position);
      byte[] bytes =
          transaction == null ? store.get(Table.LOG, at) : transaction.get(Table.LOG, at);
      if (bytes == null) {
        throw new IllegalStateException(
            "the log has no position " + position + " though " + key + " builds on it");
      }
      Version version = VersionCodec.fromBytes(bytes);
      if (!version.key().equals(key)) {
        throw new IllegalArgumentException(
            "position " + position + " is no version of this record");
      }
      versions.add(version);
      position = version.previous();
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
  RecordState at(RecordKey key, long position, HybridTime time) {
    return RecordState.replay(
        all(key, position, null), version -> version.acceptedAt().compareTo(time) <= 0);
  }
}
