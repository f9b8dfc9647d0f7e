// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which records were erased. The version that erases a record says so to every node that it comes
 * to; from then on nobody looks back behind it, and nobody who had not seen it adds to the record.
 * Lookups are thread-safe; changes are made by the sequencer's thread only.
 */
final class ErasureMarks {
  private final Store store;
  private final Set<RecordKey> pending = ConcurrentHashMap.newKeySet();

  /** False as long as nothing ever was erased here, so that nobody has to ask the store. */
  private volatile boolean any;

  /**
   * What is known of a record's erasure.
   *
   * @param dot the version that erases
   * @param position where that stands in the log
   * @param at when it was accepted
   * @param done whether this node keeps nothing any more of what was before
   */
  record Mark(Dot dot, long position, HybridTime at, boolean done) {
    private static final int FORMAT = 2;

    /** That of the releases which knew the millisecond only. */
    private static final int MILLIS = 1;

    byte[] toBytes() {
      ByteWriter out = new ByteWriter().u8(FORMAT);
      CausalCodec.write(out, dot);
      return out.varint(position).varint(at.packed()).u8(done ? 1 : 0).toBytes();
    }

    static Mark fromBytes(byte[] bytes) {
      ByteReader in = new ByteReader(bytes);
      int format = in.u8();
      if (format != FORMAT && format != MILLIS) {
        throw new DamagedException("the mark of an erasure in format " + format);
      }
      Dot dot = CausalCodec.readDot(in);
      long position = in.varint();
      long at = in.varint();
      return new Mark(
          dot,
          position,
          format == MILLIS ? HybridTime.ofMillis(at) : new HybridTime(at),
          in.u8() == 1);
    }

    boolean isLaterThan(Mark other) {
      int order = at.compareTo(other.at);
      return order == 0 ? dot.compareTo(other.dot) > 0 : order > 0;
    }

    private Mark done(boolean is) {
      return new Mark(dot, position, at, is);
    }
  }

  ErasureMarks(Store store) {
    this.store = store;
    store.scan(
        Table.ERASURES,
        new byte[0],
        (key, bytes) -> {
          any = true;
          if (!Mark.fromBytes(bytes).done()) {
            pending.add(key(key));
          }
          return true;
        });
  }

  private static RecordKey key(byte[] place) {
    List<String> names = Keys.names(place);
    return new RecordKey(names.get(0), names.get(1), names.get(2));
  }

  /** The erasure of a record, as a reader sees it. */
  Optional<Mark> of(History.Reader reader, RecordKey key) {
    return any
        ? Optional.ofNullable(reader.get(Table.ERASURES, Keys.of(key))).map(Mark::fromBytes)
        : Optional.empty();
  }

  Optional<Mark> of(RecordKey key) {
    return of(store::get, key);
  }

  /** Whether a record was erased, and this node may still keep something of it. */
  boolean isPending(RecordKey key) {
    return pending.contains(key);
  }

  /** The records that were erased and of which this node may still keep something. */
  List<RecordKey> pending() {
    return pending.stream().sorted().toList();
  }

  /** The records of a tenant that were erased, in order, behind one; at most so many. */
  List<RecordKey> all(String tenant, Optional<RecordKey> after, int limit) {
    byte[] prefix = Keys.of(tenant);
    List<RecordKey> all = new ArrayList<>();
    store.scan(
        Table.ERASURES,
        after.map(last -> Keys.with(Keys.of(last), 0)).orElse(prefix),
        Keys.after(prefix),
        false,
        (key, _) -> {
          all.add(key(key));
          return all.size() < limit;
        });
    return all;
  }

  /** Takes note of a version that joins: it may erase, or be written without knowing of that. */
  void follow(Transaction transaction, Version version, long position) {
    RecordKey key = version.key();
    Optional<Mark> known = of(transaction::get, key);
    if (version.erases()) {
      // Of those that did not know of each other, all nodes go by the same, in whatever order they
      // come: the latest in time, which also is later than all that it knew of.
      Mark mark = new Mark(version.dot(), position, version.acceptedAt(), false);
      boolean isLater = known.isEmpty() || mark.isLaterThan(known.get());
      put(transaction, key, isLater ? mark : known.get().done(false));
    } else if (known.isPresent()
        && known.get().done()
        && !version.context().contains(known.get().dot())) {
      put(transaction, key, known.get().done(false));
    }
  }

  /** From here on this node keeps nothing of what was before. */
  void done(Transaction transaction, RecordKey key, Mark mark) {
    put(transaction, key, mark.done(true));
  }

  private void put(Transaction transaction, RecordKey key, Mark mark) {
    any = true;
    transaction.put(Table.ERASURES, Keys.of(key), mark.toBytes());
    transaction.afterwards(() -> {
      if (mark.done()) {
        pending.remove(key);
      } else {
        pending.add(key);
      }
    });
  }
}
