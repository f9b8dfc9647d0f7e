// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.VersionCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A hash of every version that the log holds, by the version's dot. Two nodes that both have what a
 * node wrote up to a number must list the same numbers with the same hashes up to there; where they
 * do not, one number was given to two versions, or somebody changed one on the way. The hash is the
 * one that the audit log vouches for, so it costs nothing to compute. Entries are written in the
 * same commit as the version and removed with it. What was refused for good is listed too, with
 * position 0: nobody is to take it for missing.
 */
public final class VersionIndex {
  /** Sums are told for stretches of so many numbers. */
  public static final int STRETCH = 1_024;

  private static final byte[] COMPLETE = Keys.of("version-index-complete");

  private final Store store;

  VersionIndex(Store store) {
    this.store = store;
  }

  /**
   * One version.
   *
   * @param hash the first eight bytes of the SHA-256 of its bytes
   * @param refused whether it came here and was refused for good
   */
  public record Entry(long number, long hash, boolean refused) {}

  /**
   * The versions of one node within a stretch of its numbers.
   *
   * @param prunedUpTo up to this number versions may be missing because they were pruned
   */
  public record Entries(long prunedUpTo, List<Entry> entries) {
    public Entries {
      entries = List.copyOf(entries);
    }
  }

  private static byte[] key(Dot dot) {
    return Keys.with(Keys.of(dot.node().value()), dot.number());
  }

  /** Where a version stands, and its hash. */
  record Place(long hash, String tenant, long position) {}

  /** Where a version stands that is durable; null where none has the dot. */
  static @Nullable Place place(Transaction transaction, Dot dot) {
    byte[] value = transaction.get(Table.VERSION_INDEX, key(dot));
    if (value == null) {
      return null;
    }
    ByteReader in = new ByteReader(value);
    long hash = in.u64();
    long position = in.varint();
    return position == 0 ? null : new Place(hash, in.text(), position);
  }

  /** Takes note of a version that is written to the log at a position. */
  static void put(Transaction transaction, String tenant, Dot dot, long position, byte[] hash) {
    transaction.append(Table.VERSION_INDEX, key(dot), value(tenant, position, hash));
  }

  /**
   * Takes note of a version that is refused for good: this node is not to have it. Under a number
   * of a third node the sender may have invented it, and what that node wrote under it may still
   * come.
   */
  static void refused(Transaction transaction, Dot dot, byte[] version, Sender sender) {
    byte[] at = key(dot);
    if (dot.node().name().equals(sender.node())
        && transaction.get(Table.VERSION_INDEX, at) == null) {
      transaction.put(Table.VERSION_INDEX, at, value("", 0, Hashes.of(version)));
    }
  }

  /** The hash by which a version is listed. */
  public static long hash(byte[] version) {
    return new ByteReader(Hashes.of(version)).u64();
  }

  /** Whether a version came here and was refused for good. */
  public boolean isRefused(Dot dot) {
    byte[] value = store.get(Table.VERSION_INDEX, key(dot));
    return value != null && new Value(value).isRefused();
  }

  /** The first version of a node behind a number that is here, where it stands in the log. */
  Optional<Shipment.Entry> firstBehind(NodeId author, long number) {
    byte[] prefix = Keys.of(author.value());
    List<Shipment.Entry> found = new ArrayList<>(1);
    store.scan(
        Table.VERSION_INDEX,
        Keys.with(prefix, number + 1),
        Keys.after(prefix),
        false,
        (_, stored) -> {
          Value value = new Value(stored);
          byte[] version = value.readVersion(store);
          if (version != null) {
            found.add(new Shipment.Entry(value.position(), version));
          }
          return found.isEmpty();
        });
    return found.stream().findFirst();
  }

  /**
   * The last number of a node whose version is here; lower where many of the last were refused, and
   * 0 where none is here.
   */
  public long last(NodeId author) {
    byte[] prefix = Keys.of(author.value());
    long[] last = {Pruning.dots(store::get).get(author)};
    int[] refused = {0};
    store.scan(
        Table.VERSION_INDEX,
        prefix,
        Keys.after(prefix),
        true,
        (key, value) -> {
          if (!new Value(value).isRefused()) {
            last[0] = Math.max(last[0], Keys.lastNumber(key));
            return false;
          }
          return ++refused[0] < STRETCH;
        });
    return last[0];
  }

  private static byte[] value(String tenant, long position, byte[] hash) {
    return new ByteWriter(32)
        .raw(Arrays.copyOf(hash, Long.BYTES))
        .varint(position)
        .text(tenant)
        .toBytes();
  }

  /** Forgets a version that is removed from the log. */
  static void remove(Transaction transaction, Dot dot) {
    transaction.delete(Table.VERSION_INDEX, key(dot));
  }

  /** Says of a new store that nothing is missing. */
  static void begin(Batch batch) {
    Backfill.begin(batch, COMPLETE);
  }

  /** Goes through the log of a store that was written before there was an index; once. */
  static void complete(Store store) {
    Backfill.once(
        store,
        COMPLETE,
        Table.LOG,
        (batch, at, version) ->
            batch.put(
                Table.VERSION_INDEX,
                key(VersionCodec.dotOf(version)),
                value(Keys.firstName(at), Keys.lastNumber(at), Hashes.of(version))));
  }

  static boolean isComplete(Store store) {
    return store.get(Table.META, COMPLETE) != null;
  }

  /** Adds whatever the log has and the index lacks. */
  static void rebuild(Store store) {
    Batch batch = new Batch();
    batch.delete(Table.META, COMPLETE);
    store.commit(batch);
    complete(store);
  }

  /** A version that the index names and the log lacks. */
  @SuppressWarnings("ArrayRecordComponent")
  record Missing(Dot dot, long hash, byte[] logKey) {}

  /** What the index names and the log lacks. */
  static List<Missing> missing(Store store) {
    List<Missing> missing = new ArrayList<>();
    store.scan(
        Table.VERSION_INDEX,
        new byte[0],
        (key, bytes) -> {
          Value value = new Value(bytes);
          if (!value.isRefused() && store.get(Table.LOG, value.logKey()) == null) {
            Dot dot = new Dot(new NodeId(Keys.firstName(key)), Keys.lastNumber(key));
            missing.add(new Missing(dot, value.readHash(), value.logKey()));
          }
          return true;
        });
    return missing;
  }

  /** The versions of a node with numbers above {@code after} and up to {@code upTo}, in order. */
  public Entries entries(NodeId author, long after, long upTo) {
    List<Entry> entries = new ArrayList<>();
    scan(
        author,
        after,
        upTo,
        (number, value) -> entries.add(new Entry(number, value.readHash(), value.isRefused())));
    return new Entries(Pruning.dots(store::get).get(author), entries);
  }

  /**
   * A number for each stretch of the numbers above {@code after} and up to {@code upTo}: the first
   * begins behind {@code after}, which is a multiple of {@link #STRETCH}, and the last ends at
   * {@code upTo}. Equal contents have equal sums.
   */
  public List<Long> sums(NodeId author, long after, long upTo) {
    if (after % STRETCH != 0 || after < 0) {
      throw new IllegalArgumentException("stretches begin at multiples of " + STRETCH);
    }
    int stretches = Math.toIntExact(Math.max(0, (upTo - after + STRETCH - 1) / STRETCH));
    long[] sums = new long[stretches];
    scan(
        author,
        after,
        upTo,
        (number, value) -> {
          int stretch = (int) ((number - 1 - after) / STRETCH);
          sums[stretch] += Hashes.prefix(Keys.of(number), Keys.of(value.readHash()));
        });
    return Arrays.stream(sums).boxed().toList();
  }

  /** The versions of a node as bytes, in order of their numbers, up to a size; at least one. */
  public List<byte[]> versions(NodeId author, long after, long upTo, int bytesMax) {
    List<byte[]> versions = new ArrayList<>();
    int[] bytes = {0};
    scan(
        author,
        after,
        upTo,
        (_, value) -> {
          byte[] version = bytes[0] < bytesMax ? value.readVersion(store) : null;
          if (version != null) {
            versions.add(version);
            bytes[0] += version.length;
          }
        });
    return versions;
  }

  /** Reads the value of an entry. */
  private record Value(byte[] bytes) {
    long readHash() {
      return new ByteReader(bytes).u64();
    }

    /** Nothing stands at position 0 of a log. */
    boolean isRefused() {
      return position() == 0;
    }

    long position() {
      ByteReader in = new ByteReader(bytes);
      long _ = in.u64();
      return in.varint();
    }

    byte[] logKey() {
      ByteReader in = new ByteReader(bytes);
      long _ = in.u64();
      long position = in.varint();
      return History.logKey(in.text(), position);
    }

    byte @Nullable [] readVersion(Store store) {
      return isRefused() ? null : store.get(Table.LOG, logKey());
    }
  }

  private interface Visitor {
    void visit(long number, Value value);
  }

  private void scan(NodeId author, long after, long upTo, Visitor visitor) {
    byte[] prefix = Keys.of(author.value());
    store.scan(
        Table.VERSION_INDEX,
        Keys.with(prefix, after + 1),
        Keys.after(prefix),
        false,
        (key, value) -> {
          long number = Keys.lastNumber(key);
          if (number <= upTo) {
            visitor.visit(number, new Value(value));
          }
          return number < upTo;
        });
  }
}
