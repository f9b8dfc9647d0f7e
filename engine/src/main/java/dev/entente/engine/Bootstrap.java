// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What a new node begins with: all that another has at one moment, so that it need not work out
 * again what the other did, and takes only what came since from logs.
 *
 * <p>The copy goes on as a node of its own. The other's log becomes the beginning of its own, as
 * the log of a former incarnation does: versions stand at the same positions, and its own numbers
 * begin behind them.
 */
public final class Bootstrap {
  private static final String MAGIC = "entente copy 1";
  private static final int ENTRY = 0;
  private static final int TABLE = 1;
  private static final int END = 2;

  /** More than the largest version or state takes. */
  private static final int ENTRY_BYTES_MAX = 64 << 20;

  /** What a node writes is never packed this well, whatever it holds; a bomb is. */
  private static final long UNPACKED_RATIO_MAX = 400;

  /** Below this much, that does not matter. */
  private static final long UNPACKED_FREE_BYTES = 64L << 20;

  private static final int BATCH_BYTES = 4 << 20;
  private static final Set<Table> ALL = EnumSet.allOf(Table.class);
  private static final byte[] KEPT = Keys.of("kept");

  /** The format of a store while a copy is read into it: nothing that a node opens. */
  private static final byte[] UNFINISHED = "unfinished copy".getBytes(StandardCharsets.UTF_8);

  /** What was copied. */
  public record Copied(NodeId from, long position, long entries) {}

  private Bootstrap() {}

  /** Whether a copy was begun in a store and not finished; it is of no use then. */
  public static boolean isUnfinished(Store store) {
    return Arrays.equals(store.get(Table.META, Node.FORMAT), UNFINISHED);
  }

  /** Writes all of a store as it is at one moment, in the format of docs/formats. */
  static void write(Store store, OutputStream to) throws IOException {
    MessageDigest digest = Hashes.sha256();
    GZIPOutputStream zipped =
        new GZIPOutputStream(to, 1 << 16) {
          {
            def.setLevel(Deflater.BEST_SPEED);
          }
        };
    DataOutputStream out =
        new DataOutputStream(
            new BufferedOutputStream(new DigestOutputStream(zipped, digest), 1 << 16));
    out.writeUTF(MAGIC);
    long[] entries = {0};
    Set<Table> begun = EnumSet.noneOf(Table.class);
    try {
      store.copy((table, key, value) -> {
        if (table == Table.META && Arrays.mismatch(key, KEPT) == KEPT.length) {
          return; // What this very node keeps for itself.
        }
        try {
          if (begun.add(table)) {
            out.writeByte(TABLE);
            out.writeUTF(table.label());
          }
          out.writeByte(ENTRY);
          out.writeInt(key.length);
          out.write(key);
          out.writeInt(value.length);
          out.write(value);
          entries[0]++;
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    out.writeByte(END);
    out.writeLong(entries[0]);
    out.flush();
    zipped.write(digest.digest());
    zipped.finish();
    to.flush();
  }

  /**
   * Reads a copy into an empty store, to be opened as the node that the configuration names. Where
   * it fails the store is of no use and says of nobody that it is theirs.
   *
   * @param progress hears how many entries were read
   * @throws IOException where the copy cannot be read to its end or was changed on the way
   */
  public static Copied read(InputStream from, Store empty, NodeConfig config, LongConsumer progress)
      throws IOException {
    return read(from, empty, ALL, _ -> new Import.Heir(Node.firstId(config), false), progress);
  }

  /**
   * Reads a backup into an empty store, to be opened as the very node that it is of, under its next
   * incarnation: what the node wrote since comes back from others, and no number is given twice.
   *
   * @throws IOException where the backup cannot be read to its end or was changed
   */
  public static Copied restore(
      InputStream from, Store empty, NodeConfig config, LongConsumer progress) throws IOException {
    long next = config.incarnations().getAsLong();
    return read(
        from, empty, ALL, theirs -> new Import.Heir(theirs.incarnation(next), true), progress);
  }

  /** Whether a stream holds a whole and unchanged backup; tells of whom, and how much. */
  public static Copied check(InputStream from, LongConsumer progress) throws IOException {
    // Who it is of, and up to where, stands in the metadata; the rest is only read.
    Set<Table> told = EnumSet.of(Table.META);
    long next = NodeConfig.DEFAULT.withFreshIncarnation().incarnations().getAsLong();
    return read(
        from,
        new MemoryStore(),
        told,
        theirs -> new Import.Heir(theirs.incarnation(next), true),
        progress);
  }

  private static Copied read(
      InputStream from,
      Store empty,
      Set<Table> taken,
      Function<NodeId, Import.Heir> heir,
      LongConsumer progress)
      throws IOException {
    try {
      return readAll(from, empty, taken, heir, progress);
    } catch (EOFException e) {
      throw new IOException("the copy ends too early", e);
    }
  }

  private static Copied readAll(
      InputStream from,
      Store empty,
      Set<Table> taken,
      Function<NodeId, Import.Heir> heir,
      LongConsumer progress)
      throws IOException {
    MessageDigest digest = Hashes.sha256();
    Counted packed = new Counted(from);
    InputStream unzipped = new GZIPInputStream(new BufferedInputStream(packed, 1 << 16), 1 << 16);
    DataInputStream in = new DataInputStream(new DigestInputStream(unzipped, digest));
    if (!in.readUTF().equals(MAGIC)) {
      throw new IOException("this is no copy of a node that this release reads");
    }
    Import to = new Import(empty);
    long entries = 0;
    long unpacked = 0;
    Table table = Table.META;
    for (int kind = in.readUnsignedByte(); kind != END; kind = in.readUnsignedByte()) {
      if (kind == TABLE) {
        table = table(in.readUTF());
      } else if (kind == ENTRY) {
        byte[] key = bytes(in);
        byte[] value = bytes(in);
        unpacked += key.length + value.length;
        if (unpacked > UNPACKED_FREE_BYTES && unpacked / UNPACKED_RATIO_MAX > packed.bytes) {
          throw new IOException(
              "the copy unpacks to more than "
                  + UNPACKED_RATIO_MAX
                  + " times its size, which no node writes");
        }
        requireSound(table, key, value);
        if (taken.contains(table)) {
          to.put(table, key, value);
        }
        progress.accept(++entries);
      } else {
        throw new IOException("the copy holds what this release does not know");
      }
    }
    if (in.readLong() != entries) {
      throw new IOException("the copy lacks entries");
    }
    byte[] sum = digest.digest();
    if (!Arrays.equals(unzipped.readNBytes(sum.length), sum) || unzipped.read() >= 0) {
      throw new IOException("the copy was changed on its way");
    }
    return to.end(heir, entries);
  }

  /**
   * Refuses a version that no node accepts from another: a copy brings in nothing that replication
   * would refuse. What other tables hold was worked out from versions by the node that is copied;
   * whoever begins with a copy takes its word for that.
   */
  private static void requireSound(Table table, byte[] key, byte[] value) throws IOException {
    Optional<String> problem = Optional.empty();
    try {
      if (table == Table.LOG) {
        Version version = VersionCodec.fromBytes(value);
        problem =
            Keys.firstName(key).equals(version.key().tenant())
                ? VersionCodec.problem(version, value)
                : Optional.of(version.dot() + " is of another tenant");
      } else if (table == Table.HELD) {
        HeldVersions.Held held = HeldVersions.Held.of(value);
        problem = VersionCodec.problem(held.version(), held.bytes());
      }
    } catch (DamagedException | IllegalArgumentException | IndexOutOfBoundsException e) {
      problem = Optional.of(String.valueOf(e.getMessage()));
    }
    if (problem.isPresent()) {
      throw new IOException("the copy holds a version that no node accepts: " + problem.get());
    }
  }

  /** Counts what is read. */
  private static final class Counted extends FilterInputStream {
    private long bytes;

    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int read = super.read();
      bytes += read < 0 ? 0 : 1;
      return read;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
      int read = super.read(to, offset, length);
      bytes += Math.max(0, read);
      return read;
    }
  }

  private static Table table(String label) throws IOException {
    for (Table table : Table.values()) {
      if (table.label().equals(label)) {
        return table;
      }
    }
    throw new IOException("the copy holds a table that this release does not know");
  }

  private static byte[] bytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > ENTRY_BYTES_MAX) {
      throw new IOException("the copy holds an entry of " + length + " bytes");
    }
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new IOException("the copy ends too early");
    }
    return bytes;
  }

  /** What is read, on its way into the store; who it belongs to comes last. */
  private static final class Import {
    private final Store store;
    private Batch batch = new Batch();
    private final Batch identity = new Batch();

    Import(Store store) {
      this.store = store;
      batch.put(Table.META, Node.FORMAT, UNFINISHED);
      commit();
    }

    private void commit() {
      store.commit(batch);
      batch = new Batch();
    }

    void put(Table table, byte[] key, byte[] value) {
      boolean says =
          table == Table.META
              && (Arrays.equals(key, Incarnations.IDENTITY)
                  || Arrays.equals(key, Incarnations.FORMER)
                  || Arrays.equals(key, Node.FORMAT));
      (says ? identity : batch).put(table, key, value);
      if (batch.bytes() >= BATCH_BYTES) {
        commit();
      }
    }

    private byte @Nullable [] said(byte[] key) {
      return identity.entries().stream()
          .filter(entry -> Arrays.equals(entry.key(), key))
          .map(Batch.Entry::value)
          .findFirst()
          .orElse(null);
    }

    /** Who the store is of from here on; and whether it is the same node, come back. */
    record Heir(NodeId self, boolean same) {}

    Copied end(Function<NodeId, Heir> heir, long entries) throws IOException {
      Incarnations theirs = Incarnations.of(this::said);
      if (theirs == null || !Arrays.equals(said(Node.FORMAT), Node.FORMAT_1)) {
        throw new IOException("the copy does not say of whom it is, or is in another format");
      }
      commit();
      byte[] kept = store.get(Table.META, Node.POSITION);
      long position = kept == null ? 0 : new ByteReader(kept).u64();
      Batch last = new Batch();
      last.put(Table.META, Node.FORMAT, Node.FORMAT_1);
      Heir mine = heir.apply(theirs.self());
      NodeId self = mine.self();
      if (self.equals(theirs.self())) {
        throw new IOException("the other node calls itself " + self + " too");
      }
      new Incarnations(
              self,
              position == 0
                  ? theirs.former()
                  : theirs.former().with(new Dot(theirs.self(), position)))
          .write(last::put);
      if (!mine.same()) {
        last.put(Table.META, Replication.cursorKey(theirs.self()), Keys.of(position));
      }
      store.commit(last);
      return new Copied(theirs.self(), position, entries);
    }
  }
}
