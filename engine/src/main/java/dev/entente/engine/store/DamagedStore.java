// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WALRecoveryMode;

/**
 * A store in which files of tables are damaged, opened for reading only, to copy what can still be
 * read. The directory is not changed.
 *
 * <p>A scan ends at the first block that cannot be read. It goes on behind the damage: at the first
 * boundary of a file from which reading is possible, and from there back by bisection over the keys
 * between, since keys within the damaged block fail and those behind it do not.
 */
public final class DamagedStore implements AutoCloseable {
  /** Few files are opened at the start, so that one that cannot be opened is no obstacle. */
  private static final int FILES_OPEN_MAX = 64;

  private static final long BATCH_BYTES = 8L << 20;

  private final RocksDB db;
  private final Path directory;
  private final Map<Table, ColumnFamilyHandle> families = new EnumMap<>(Table.class);
  private final List<AutoCloseable> resources = new ArrayList<>();

  private DamagedStore(Path directory) throws RocksDBException {
    this.directory = directory;
    ColumnFamilyOptions familyOptions = new ColumnFamilyOptions();
    DBOptions options =
        new DBOptions()
            .setParanoidChecks(false)
            .setMaxOpenFiles(FILES_OPEN_MAX)
            .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
            .setInfoLogLevel(InfoLogLevel.WARN_LEVEL);
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    this.db =
        RocksDB.openReadOnly(
            options, directory.toString(), ColumnFamilies.descriptors(familyOptions), handles);
    families.putAll(ColumnFamilies.byTable(handles));
    resources.addAll(handles);
    resources.addAll(List.of(db, options, familyOptions));
  }

  /**
   * Opens a store that nothing else has open.
   *
   * @throws DamagedStoreException where not even that is possible, or it ends before what was
   *     acknowledged
   */
  public static DamagedStore open(Path directory) throws IOException {
    RocksDB.loadLibrary();
    Optional<AcknowledgedMark.Reach> acknowledged = AcknowledgedMark.read(directory);
    if (acknowledged.isPresent() && AcknowledgedMark.isManifestCut(directory, acknowledged.get())) {
      throw new LostWritesException("the manifest of " + directory + " is cut, or an older one");
    }
    DamagedStore store;
    try {
      store = new DamagedStore(directory);
    } catch (RocksDBException e) {
      throw RocksStore.unreadable("cannot read the store in " + directory, e);
    }
    if (acknowledged.isPresent()
        && store.db.getLatestSequenceNumber() < acknowledged.get().sequence()) {
      store.close();
      throw new LostWritesException(
          "the store in " + directory + " ends before the last acknowledged write");
    }
    return store;
  }

  private ColumnFamilyHandle family(Table table) {
    ColumnFamilyHandle handle = families.get(table);
    if (handle == null) {
      throw new IllegalStateException("no table " + table);
    }
    return handle;
  }

  private static Table table(LiveFileMetaData file) {
    return Table.valueOf(
        new String(file.columnFamilyName(), StandardCharsets.UTF_8).toUpperCase(Locale.ROOT));
  }

  /** The files of tables that are damaged. Reads all of them. */
  public List<DamagedFile> damage() throws IOException {
    List<DamagedFile> damaged = new ArrayList<>();
    for (LiveFileMetaData file : db.getLiveFilesMetaData()) {
      String name = file.fileName().replace("/", "");
      FileChecks.damage(directory.resolve(name))
          .ifPresent(
              why -> damaged.add(new DamagedFile(name, Optional.of(table(file)), why, false)));
    }
    return damaged;
  }

  /**
   * Copies what can be read of some tables.
   *
   * @return the tables of which something could not be read
   */
  public Set<Table> copyTo(Store other, Set<Table> tables) {
    Set<Table> incomplete = EnumSet.noneOf(Table.class);
    Batch[] batch = {new Batch()};
    for (Table table : tables) {
      byte[] from = new byte[0];
      while (from != null) {
        byte[] last =
            read(
                table,
                from,
                (key, value) -> {
                  batch[0].put(table, key, value);
                  if (batch[0].bytes() > BATCH_BYTES) {
                    other.commit(batch[0]);
                    batch[0] = new Batch();
                  }
                });
        from = last == null ? null : next(table, last);
        if (last != null) {
          incomplete.add(table);
        }
      }
    }
    other.commit(batch[0]);
    return incomplete;
  }

  private interface Taking {
    void take(byte[] key, byte[] value);
  }

  /**
   * Reads from a key on.
   *
   * @return null where the end was reached; else a key before the damage, from which on nothing was
   *     read
   */
  private byte @Nullable [] read(Table table, byte[] from, Taking taking) {
    try (ReadOptions options = new ReadOptions().setFillCache(false);
        RocksIterator iterator = db.newIterator(family(table), options)) {
      byte[] reached = from;
      for (iterator.seek(from); iterator.isValid(); iterator.next()) {
        taking.take(iterator.key(), iterator.value());
        reached = after(iterator.key());
      }
      try {
        iterator.status();
        return null;
      } catch (RocksDBException e) {
        return reached;
      }
    }
  }

  private static byte[] after(byte[] key) {
    return Arrays.copyOf(key, key.length + 1);
  }

  private boolean isReadable(Table table, byte[] from) {
    try (ReadOptions options = new ReadOptions().setFillCache(false);
        RocksIterator iterator = db.newIterator(family(table), options)) {
      iterator.seek(from);
      iterator.status();
      return true;
    } catch (RocksDBException e) {
      return false;
    }
  }

  /** The first key behind a damage from which reading is possible; null where none is. */
  private byte @Nullable [] next(Table table, byte[] damaged) {
    Set<byte[]> boundaries = new TreeSet<>(Arrays::compareUnsigned);
    for (LiveFileMetaData file : db.getLiveFilesMetaData()) {
      if (table(file) == table) {
        boundaries.add(file.smallestKey());
        boundaries.add(after(file.largestKey()));
      }
    }
    for (byte[] boundary : boundaries) {
      if (Arrays.compareUnsigned(boundary, damaged) > 0 && isReadable(table, boundary)) {
        return bisect(table, damaged, boundary);
      }
    }
    return null;
  }

  private byte[] bisect(Table table, byte[] damaged, byte[] readable) {
    int length = Math.max(damaged.length, readable.length) + 1;
    BigInteger low = number(damaged, length);
    BigInteger high = number(readable, length);
    while (high.subtract(low).bitLength() > 1) {
      BigInteger middle = low.add(high).shiftRight(1);
      if (isReadable(table, bytes(middle, length))) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return high.equals(number(readable, length)) ? readable : bytes(high, length);
  }

  private static BigInteger number(byte[] key, int length) {
    return new BigInteger(1, Arrays.copyOf(key, length));
  }

  private static byte[] bytes(BigInteger number, int length) {
    byte[] digits = number.toByteArray();
    byte[] key = new byte[length];
    int count = Math.min(digits.length, length);
    System.arraycopy(digits, digits.length - count, key, length - count, count);
    return key;
  }

  @Override
  public void close() {
    for (AutoCloseable resource : resources) {
      try {
        resource.close();
      } catch (Exception e) {
        throw new StoreException("cannot close the store", e);
      }
    }
  }
}
