// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.ByteReader;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.codec.VersionCodec;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The versions of records, as they came: each leads to the one before it, so a record's history is
 * a chain in the log. A version of this node says itself where the one before it is; links are kept
 * only for records that other nodes, or earlier incarnations of this one, have written too.
 */
final class History {
  private final Store store;
  private final Incarnations self;

  History(Store store, Incarnations self) {
    this.store = store;
    this.self = self;
  }

  /** Reads a table: the store, or a transaction that knows what comes next. */
  @FunctionalInterface
  interface Reader {
    byte @Nullable [] get(Table table, byte[] key);
  }

  /** Where a tenant's version stands in the log. */
  static byte[] logKey(String tenant, long position) {
    return Keys.with(Keys.of(tenant), position);
  }

  /** Leads from a position to the one before it of the same record. */
  static byte[] linkKey(String tenant, long position) {
    return Keys.with(Keys.of("position", tenant), position);
  }

  /** Leads from a record to its last position. */
  static byte[] lastKey(RecordKey key) {
    return Keys.of("record", key.tenant(), key.type(), key.id());
  }

  /** Where the last version of a record stands; 0 where there is none. */
  static long last(Reader reader, RecordKey key, VersionVector context, Incarnations self) {
    byte[] link = self.isOwn(context) ? null : reader.get(Table.LINKS, lastKey(key));
    return link == null ? self.last(context) : new ByteReader(link).u64();
  }

  /** Where the last version of a record stands, as a reader or the transaction sees it. */
  long last(Snapshot record, @Nullable Transaction transaction) {
    return last(reader(transaction), record.key(), record.state().context(), self);
  }

  private Reader reader(@Nullable Transaction transaction) {
    return transaction == null ? store::get : transaction::get;
  }

  /** The committed versions of a record from a position downwards, newest first. */
  List<Logged> newestFirst(RecordKey key, long position, int limit) {
    return chain(key, position, limit, null);
  }

  /**
   * All versions of a record down from a position, in the order in which they came, with those that
   * a transaction has decided.
   */
  List<Version> all(RecordKey key, long position, @Nullable Transaction transaction) {
    List<Version> versions = new ArrayList<>();
    chain(key, position, Integer.MAX_VALUE, transaction)
        .forEach(logged -> versions.add(logged.version()));
    Collections.reverse(versions);
    return versions;
  }

  private List<Logged> chain(
      RecordKey key, long from, int limit, @Nullable Transaction transaction) {
    Reader reader = reader(transaction);
    boolean linked = reader.get(Table.LINKS, lastKey(key)) != null;
    List<Logged> versions = new ArrayList<>();
    for (long position = from; position > 0 && versions.size() < limit; ) {
      byte[] bytes = reader.get(Table.LOG, logKey(key.tenant(), position));
      if (bytes == null) {
        throw new IllegalStateException(
            "the log has no position " + position + " though " + key + " builds on it");
      }
      Version version = VersionCodec.fromBytes(bytes);
      if (!version.key().equals(key)) {
        throw new IllegalArgumentException(
            "position " + position + " is no version of this record");
      }
      byte[] link = linked ? reader.get(Table.LINKS, linkKey(key.tenant(), position)) : null;
      long previous = link == null ? version.previous() : new ByteReader(link).u64();
      Logged logged = new Logged(position, previous, version);
      versions.add(logged);
      position = logged.previous();
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
