// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
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

  /** Where the last committed version of a record stands; 0 where there is none. */
  long lastCommitted(RecordKey key) {
    byte[] state = store.get(Table.RECORDS, Keys.of(key));
    return state == null ? 0 : last(store::get, key, StateCodec.fromBytes(state).context(), self);
  }

  /** Where the version of a record stands that came before one. */
  long previous(RecordKey key, Feed feed) {
    byte[] link = store.get(Table.LINKS, linkKey(key.tenant(), feed.position()));
    return link == null ? feed.version().previous() : new ByteReader(link).u64();
  }

  private Reader reader(@Nullable Transaction transaction) {
    return transaction == null ? store::get : transaction::get;
  }

  /** The committed versions of a record from a position downwards, newest first. */
  List<Logged> newestFirst(RecordKey key, long position, int limit) {
    return chain(key, position, limit, null).versions();
  }

  /** What led to a record as it was at a position, with what a transaction has decided. */
  Past past(RecordKey key, long position, @Nullable Transaction transaction) {
    return chain(key, position, Integer.MAX_VALUE, transaction).past();
  }

  /** The versions of a record up to a position, oldest first, with what a transaction decided. */
  List<Logged> logged(RecordKey key, long position, Transaction transaction) {
    return chain(key, position, Integer.MAX_VALUE, transaction).versions().reversed();
  }

  /** What is kept of the beginning of a record's history. */
  Base base(RecordKey key) {
    return Base.of(store::get, key);
  }

  /** The versions that are still kept, newest first, and what they stand on. */
  private record Chain(Base base, List<Logged> versions) {
    Past past() {
      List<Version> oldestFirst = new ArrayList<>();
      versions.reversed().forEach(logged -> oldestFirst.add(logged.version()));
      return new Past(base.state(), oldestFirst);
    }
  }

  private Chain chain(RecordKey key, long from, int limit, @Nullable Transaction transaction) {
    Reader reader = reader(transaction);
    Base base = Base.of(reader, key);
    while (true) {
      List<Logged> versions = new ArrayList<>();
      long missing = walk(reader, key, base, from, limit, versions);
      if (missing == 0) {
        return new Chain(base, versions);
      }
      // Perhaps it was pruned since the base was read.
      Base now = Base.of(reader, key);
      if (now.position() < missing) {
        throw new IllegalStateException(
            "the log has no position " + missing + " though " + key + " builds on it");
      }
      base = now;
    }
  }

  /** Collects versions down to the base; returns the position at which one is missing, or 0. */
  private static long walk(
      Reader reader, RecordKey key, Base base, long from, int limit, List<Logged> versions) {
    boolean linked = reader.get(Table.LINKS, lastKey(key)) != null;
    for (long position = from; position > base.position() && versions.size() < limit; ) {
      byte[] bytes = reader.get(Table.LOG, logKey(key.tenant(), position));
      if (bytes == null) {
        return position;
      }
      Version version = VersionCodec.fromBytes(bytes);
      if (!version.key().equals(key)) {
        throw new IllegalArgumentException(
            "position " + position + " is no version of this record");
      }
      byte[] link = linked ? reader.get(Table.LINKS, linkKey(key.tenant(), position)) : null;
      long previous = link == null ? version.previous() : new ByteReader(link).u64();
      versions.add(new Logged(position, previous, version));
      position = previous;
    }
    return 0;
  }

  /**
   * The dots that a device's own queue has written and that lie beyond what it was told.
   *
   * @param device the device, as its author and credential vouch for it; see {@link Origin#sender}
   */
  static List<Dot> ownDots(Past past, Fingerprint device, CausalContext told) {
    List<Dot> dots = new ArrayList<>();
    for (Version version : past.versions()) {
      boolean own =
          version.device().isPresent()
              && version.origin().filter(origin -> origin.sender().equals(device)).isPresent();
      if (own && !told.contains(version.dot())) {
        dots.add(version.dot());
      }
    }
    return dots;
  }

  /**
   * The record as it was accepted up to a time.
   *
   * @throws PrunedException where that lies before what is kept
   */
  RecordState at(RecordKey key, long position, HybridTime time) {
    Chain chain = chain(key, position, Integer.MAX_VALUE, null);
    if (time.compareTo(chain.base().until()) < 0) {
      throw new PrunedException(
          "the history of "
              + key
              + " is kept since "
              + chain.base().until().instant()
              + "; ask for that moment or a later one, or restore a backup into a new directory");
    }
    return chain.past().replay(version -> version.acceptedAt().compareTo(time) <= 0);
  }
}
