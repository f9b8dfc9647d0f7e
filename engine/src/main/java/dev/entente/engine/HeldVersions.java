// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The buffer of versions that wait for what they build on, or for this node's clock. Its size is
 * bounded, and so is the share of one sender, so that a node that sends versions nobody can apply
 * does not keep those of other nodes out. Written by the sequencer's thread only.
 */
final class HeldVersions {
  /** The sender is stored behind the time: the time's highest bit says so. */
  private static final long WITH_SENDER = Long.MIN_VALUE;

  private final Bounds bounds;
  private final AtomicLong count = new AtomicLong();
  private final Map<String, Integer> bySender = new HashMap<>();

  /** Under one number of a node at most one version can ever be applied. */
  private final Map<Dot, NavigableSet<RecordKey>> records = new HashMap<>();

  /**
   * How many versions are held.
   *
   * @param all of all senders
   * @param ofSender of one sender
   * @param reserved of each sender in any case, also when the senders together hold {@code all}
   */
  record Bounds(int all, int ofSender, int reserved) {
    static final Bounds DEFAULT = new Bounds(100_000, 20_000, 1_000);
  }

  /**
   * A version that waits.
   *
   * @param sender {@link Sender#key} of who sent it; empty where that is not known
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Held(long sinceMillis, String sender, byte[] bytes) {
    static Held of(byte[] stored) {
      ByteReader in = new ByteReader(stored);
      long first = in.u64();
      String sender = (first & WITH_SENDER) == 0 ? "" : in.text();
      return new Held(first & ~WITH_SENDER, sender, in.rest());
    }

    /** Who sent it, as far as that is known. */
    Sender from() {
      return new Sender("", sender);
    }

    Version version() {
      return VersionCodec.fromBytes(bytes);
    }

    private byte[] toBytes() {
      return new ByteWriter().u64(sinceMillis | WITH_SENDER).text(sender).raw(bytes).toBytes();
    }
  }

  /** What a store holds already; each version is given to {@code each}. */
  HeldVersions(Store store, Bounds bounds, Consumer<Version> each) {
    this.bounds = bounds;
    store.scan(
        Table.HELD,
        new byte[0],
        (_, stored) -> {
          Held held = Held.of(stored);
          Version version = held.version();
          note(version, held.sender());
          each.accept(version);
          return true;
        });
  }

  private void note(Version version, String sender) {
    count.incrementAndGet();
    bySender.merge(sender, 1, Integer::sum);
    records.computeIfAbsent(version.dot(), _ -> new TreeSet<>()).add(version.key());
  }

  private static byte[] key(RecordKey key, Dot dot) {
    return Keys.with(Keys.of(key.tenant(), key.type(), key.id(), dot.node().value()), dot.number());
  }

  /** How many versions wait. Callable from any thread. */
  long count() {
    return count.get();
  }

  /** Why no more versions of a sender are held for now; empty where more are. */
  Optional<String> whyFull(Sender sender) {
    int ofSender = bySender.getOrDefault(sender.key(), 0);
    if (ofSender >= bounds.ofSender) {
      return Optional.of(
          ofSender + " versions that " + sender + " sent wait already; send more later");
    }
    return count.get() >= bounds.all && ofSender >= bounds.reserved
        ? Optional.of("more than " + bounds.all + " versions wait already; send more later")
        : Optional.empty();
  }

  /** Holds a version; false where it was held already. */
  boolean add(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
    byte[] at = key(version.key(), version.dot());
    if (transaction.get(Table.HELD, at) != null) {
      return false;
    }
    transaction.put(Table.HELD, at, new Held(nowMillis, sender.key(), bytes).toBytes());
    note(version, sender.key());
    return true;
  }

  /** Holds a version for a node that is opened again before anything else is received. */
  static void put(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
    transaction.put(
        Table.HELD,
        key(version.key(), version.dot()),
        new Held(nowMillis, sender.key(), bytes).toBytes());
  }

  /** What is held of a record under a number; null where nothing is. */
  static @Nullable Held get(Transaction transaction, RecordKey key, Dot dot) {
    byte[] stored = transaction.get(Table.HELD, key(key, dot));
    return stored == null ? null : Held.of(stored);
  }

  /** Holds a version no longer; null where it was not held. */
  @Nullable Held remove(Transaction transaction, RecordKey key, Dot dot) {
    Held held = get(transaction, key, dot);
    if (held != null) {
      transaction.delete(Table.HELD, key(key, dot));
      count.decrementAndGet();
      bySender.computeIfPresent(held.sender(), (_, n) -> n > 1 ? n - 1 : null);
      records.computeIfPresent(
          dot,
          (_, keys) -> {
            keys.remove(key);
            return keys.isEmpty() ? null : keys;
          });
    }
    return held;
  }

  /** The records for which a version is held under a number. */
  List<RecordKey> recordsOf(Dot dot) {
    NavigableSet<RecordKey> keys = records.get(dot);
    return keys == null ? List.of() : List.copyOf(keys);
  }

  /** Versions that wait, as bytes, at most so many. Callable from any thread. */
  static List<byte[]> first(Store store, int max) {
    List<byte[]> waiting = new ArrayList<>();
    store.scan(
        Table.HELD,
        new byte[0],
        (_, stored) -> {
          waiting.add(Held.of(stored).bytes());
          return waiting.size() < max;
        });
    return waiting;
  }
}
