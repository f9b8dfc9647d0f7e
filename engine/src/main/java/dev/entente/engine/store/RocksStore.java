// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.AbstractEventListener;
import org.rocksdb.BackgroundErrorReason;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Checkpoint;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactRangeOptions;
import org.rocksdb.CompactRangeOptions.BottommostLevelCompaction;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * A store in one directory on disk, by RocksDB: a column family per table, every batch written with
 * a synced log.
 */
public final class RocksStore implements Store {
  private static final long BLOCK_CACHE_BYTES = 128L << 20;
  private static final long LOG_BYTES_MAX = 256L << 20;

  /** A third of a MiB for each table, about 13 bits for each entry of a small write. */
  private static final double MEMTABLE_FILTER_RATIO = 0.005;

  private static final long LOOK_AGAIN_MILLIS = 20;
  private static final int GONE_LOOKS = 100;
  private static final Pattern HOLDS_DATA = Pattern.compile("\\d+\\.(log|sst)$");
  private static final String WHAT_CAN_BE_DONE = ". What can be done: entente rebuild --check";

  /** The manifest tells which write-ahead logs there must be; no setter exists for that. */
  private static final Properties LOGS_TRACKED = new Properties();

  static {
    RocksDB.loadLibrary();
    LOGS_TRACKED.setProperty("track_and_verify_wals_in_manifest", "true");
  }

  private final RocksDB db;
  private final ColumnFamilyOptions familyOptions;
  private final Map<Table, ColumnFamilyHandle> families = new EnumMap<>(Table.class);
  private final WriteOptions synced = new WriteOptions().setSync(true);
  private final List<AutoCloseable> resources = new ArrayList<>();
  private final AcknowledgedMark mark;
  private final Path directory;
  private volatile boolean failed;
  private volatile boolean metDamage;
  private volatile boolean closing;

  /**
   * Held, for reading, by whoever touches the database, and for writing to close it: a native
   * object that is used after it was freed ends the whole process.
   */
  private final ReentrantReadWriteLock uses = new ReentrantReadWriteLock();

  /**
   * What could not be written or synced is not tried again: a second sync may say that all is well
   * though the pages that the first could not write are gone.
   */
  private static final class FailStop extends AbstractEventListener {
    FailStop() {
      super(EnabledEventCallback.ON_ERROR_RECOVERY_BEGIN);
    }

    @Override
    public boolean onErrorRecoveryBegin(BackgroundErrorReason reason, Status error) {
      return false;
    }
  }

  private RocksStore(Path directory, Optional<AcknowledgedMark.Reach> acknowledged)
      throws RocksDBException, IOException {
    this.directory = directory;
    LRUCache cache = new LRUCache(BLOCK_CACHE_BYTES);
    FailStop failStop = new FailStop();
    BloomFilter filter = new BloomFilter(10);
    this.familyOptions =
        new ColumnFamilyOptions()
            .setCompressionType(CompressionType.LZ4_COMPRESSION)
            // Most look-ups are for what is not there: a new record, the id of a new request.
            .setMemtableWholeKeyFiltering(true)
            .setMemtablePrefixBloomSizeRatio(MEMTABLE_FILTER_RATIO)
            .setTableFormatConfig(
                new BlockBasedTableConfig().setBlockCache(cache).setFilterPolicy(filter));
    DBOptions options =
        DBOptions.getDBOptionsFromProps(LOGS_TRACKED)
            .setCreateIfMissing(true)
            .setCreateMissingColumnFamilies(true)
            .setMaxTotalWalSize(LOG_BYTES_MAX)
            .setParanoidChecks(true)
            // Cuts off a torn tail, which nobody was told of; refuses damage before it.
            .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
            .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
            .setKeepLogFileNum(3)
            .setListeners(List.of(failStop))
            .setMaxBgErrorResumeCount(0);
    resources.addAll(List.of(familyOptions, options, filter, cache, synced, failStop));
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    this.db =
        RocksDB.open(
            options, directory.toString(), ColumnFamilies.descriptors(familyOptions), handles);
    families.putAll(ColumnFamilies.byTable(handles));
    resources.addAll(0, handles);
    try {
      this.mark = mark(directory, acknowledged);
    } catch (IOException | RuntimeException e) {
      closeAll();
      throw e;
    }
    resources.add(mark);
  }

  private AcknowledgedMark mark(Path directory, Optional<AcknowledgedMark.Reach> acknowledged)
      throws IOException {
    long last = db.getLatestSequenceNumber();
    if (acknowledged.isPresent() && last < acknowledged.get().sequence()) {
      throw lostWrites(
          directory,
          "it ends at sequence number %,d, and %,d was acknowledged: a write-ahead log is missing or cut"
              .formatted(last, acknowledged.get().sequence()));
    }
    return AcknowledgedMark.begin(directory, last);
  }

  private static LostWritesException lostWrites(Path directory, String why) {
    return new LostWritesException(
        "cannot open the store in "
            + directory
            + ": acknowledged writes are missing: "
            + why
            + WHAT_CAN_BE_DONE);
  }

  /**
   * Accepts that acknowledged writes of a store that is not open are missing, so that it opens
   * again. Whoever does so has the node continue under its next incarnation.
   */
  public static void acceptLoss(Path directory) throws IOException {
    Files.deleteIfExists(directory.resolve(AcknowledgedMark.NAME));
  }

  /**
   * Opens or creates the store in a directory.
   *
   * @throws DamagedStoreException where it holds damaged data
   * @throws StoreException where the directory cannot be used, or is in use; the message names it
   */
  public static RocksStore open(Path directory) {
    String what = "cannot open the store in " + directory;
    try {
      if (isBeheaded(Folders.create(directory))) {
        throw new DamagedStoreException(
            what
                + ": there is data, but CURRENT, which says where it begins, is gone"
                + WHAT_CAN_BE_DONE);
      }
      Optional<AcknowledgedMark.Reach> acknowledged = AcknowledgedMark.read(directory);
      if (acknowledged.isPresent()
          && AcknowledgedMark.isManifestCut(directory, acknowledged.get())) {
        throw lostWrites(directory, "its manifest is cut, or an older one");
      }
      return new RocksStore(directory, acknowledged);
    } catch (IOException e) {
      throw new StoreException(what + ": " + e.getMessage(), e);
    } catch (RocksDBException e) {
      throw unreadable(what, e);
    }
  }

  private StoreException met(String what, RocksDBException e) {
    StoreException unreadable = unreadable(what, e);
    metDamage |= unreadable instanceof DamagedStoreException;
    return unreadable;
  }

  /** Tells damage from all else that keeps it from being read. */
  static StoreException unreadable(String what, RocksDBException e) {
    if (String.valueOf(e.getMessage()).contains("lock file")) {
      return new StoreInUseException(
          what + ": another process uses it; stop that one, or take another directory", e);
    }
    return e.getStatus() != null && e.getStatus().getCode() == Status.Code.Corruption
        ? new DamagedStoreException(
            what + ": the data is damaged: " + e.getMessage() + WHAT_CAN_BE_DONE, e)
        : new StoreException(what + ": " + e.getMessage(), e);
  }

  /** Whether opening would begin an empty store over what is left of another. */
  private static boolean isBeheaded(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return !Files.exists(directory.resolve("CURRENT"))
          && files.anyMatch(file -> HOLDS_DATA.matcher(file.toString()).find());
    }
  }

  /** Begins to use the database; {@link #leave} ends that. Reads may be nested. */
  private void enter() {
    uses.readLock().lock();
    if (closing) {
      leave();
      throw new StoreException("the store is closed");
    }
  }

  private void leave() {
    uses.readLock().unlock();
  }

  private ColumnFamilyHandle family(Table table) {
    ColumnFamilyHandle handle = families.get(table);
    if (handle == null) {
      throw new IllegalStateException("no table " + table);
    }
    return handle;
  }

  private int familyNumber(Table table) {
    return family(table).getID();
  }

  @Override
  public byte @Nullable [] get(Table table, byte[] key) {
    enter();
    try {
      return db.get(family(table), key);
    } catch (RocksDBException e) {
      throw met("cannot read from " + table.label(), e);
    } finally {
      leave();
    }
  }

  @Override
  public void scan(
      Table table, byte[] from, byte @Nullable [] to, boolean reverse, Visitor visitor) {
    enter();
    try (Slice lower = new Slice(from);
        Slice upper = new Slice(to == null ? new byte[] {0} : to);
        ReadOptions options = new ReadOptions().setIterateLowerBound(lower)) {
      if (to != null) {
        options.setIterateUpperBound(upper);
      }
      try (RocksIterator iterator = db.newIterator(family(table), options)) {
        if (reverse) {
          iterator.seekToLast();
        } else {
          iterator.seekToFirst();
        }
        while (iterator.isValid() && visitor.visit(iterator.key(), iterator.value())) {
          if (closing) {
            throw new StoreException("the store is closing");
          }
          if (reverse) {
            iterator.prev();
          } else {
            iterator.next();
          }
        }
        iterator.status();
      }
    } catch (RocksDBException e) {
      throw met("cannot scan " + table.label(), e);
    } finally {
      leave();
    }
  }

  /** Drops the files of the table, so that what is damaged in them is not read again. */
  @Override
  public void clear(Table table) {
    enter();
    try {
      ColumnFamilyHandle old = family(table);
      db.dropColumnFamily(old);
      ColumnFamilyHandle fresh =
          db.createColumnFamily(
              new ColumnFamilyDescriptor(
                  table.label().getBytes(StandardCharsets.UTF_8), familyOptions));
      families.put(table, fresh);
      resources.addFirst(fresh);
      resources.remove(old);
      old.close();
    } catch (RocksDBException e) {
      throw new StoreException("cannot clear " + table.label(), e);
    } finally {
      leave();
    }
  }

  @Override
  public void copy(Copier copier) {
    enter();
    Snapshot moment = db.getSnapshot();
    try (ReadOptions options = new ReadOptions().setSnapshot(moment).setFillCache(false)) {
      for (Table table : Table.values()) {
        try (RocksIterator iterator = db.newIterator(family(table), options)) {
          for (iterator.seekToFirst(); iterator.isValid(); iterator.next()) {
            if (closing) {
              throw new StoreException("the store is closing");
            }
            copier.take(table, iterator.key(), iterator.value());
          }
          iterator.status();
        }
      }
    } catch (RocksDBException e) {
      throw met("cannot copy the store", e);
    } finally {
      db.releaseSnapshot(moment);
      leave();
    }
  }

  @Override
  public void compact(List<Stretch> stretches) {
    enter();
    try (FlushOptions flush = new FlushOptions();
        CompactRangeOptions options =
            new CompactRangeOptions()
                .setBottommostLevelCompaction(BottommostLevelCompaction.kForce)
                .setExclusiveManualCompaction(false)) {
      // All tables, since the write-ahead log goes only once none of them needs it.
      db.flush(flush, List.copyOf(families.values()));
      for (Stretch stretch : stretches) {
        db.compactRange(family(stretch.table()), stretch.from(), stretch.to(), options);
      }
    } catch (RocksDBException e) {
      throw new StoreException("cannot write tables anew", e);
    } finally {
      leave();
    }
  }

  @Override
  public boolean hasMetDamage() {
    return metDamage;
  }

  /** Verifies the checksums of one file after the other, by a reader that caches nothing. */
  @Override
  public List<DamagedFile> scrub(LongConsumer pace) {
    metDamage = false;
    List<DamagedFile> damaged = new ArrayList<>();
    try {
      for (LiveFileMetaData file : liveFiles()) {
        Path path = Path.of(file.path(), file.fileName().replace("/", ""));
        Optional<String> why = damage(path);
        if (why.isPresent()) {
          Table table =
              Table.valueOf(
                  new String(file.columnFamilyName(), StandardCharsets.UTF_8)
                      .toUpperCase(Locale.ROOT));
          damaged.add(
              new DamagedFile(name(path), Optional.of(table), why.get(), rewrite(table, file)));
        }
        pace.accept(file.size());
      }
      scrubLogs(damaged, pace);
    } catch (IOException e) {
      throw new StoreException("cannot check the files of the store in " + directory, e);
    }
    return damaged;
  }

  /** What a log holds is in memory too until the tables have it: they are written, and it goes. */
  private void scrubLogs(List<DamagedFile> damaged, LongConsumer pace) throws IOException {
    List<Path> logs;
    try (Stream<Path> files = Files.list(directory)) {
      logs = files.filter(FileChecks::isLog).sorted().toList();
    }
    for (Path log : logs) {
      long size = Files.exists(log) ? Files.size(log) : 0;
      Optional<String> why = damage(log);
      if (why.isPresent()) {
        boolean isLog = name(log).endsWith(".log");
        if (isLog) {
          compact(List.of());
        }
        damaged.add(new DamagedFile(name(log), Optional.empty(), why.get(), isLog && isGone(log)));
      }
      pace.accept(size);
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  /** What is wrong with a file that is still in use; it is written to, so it is read twice. */
  private Optional<String> damage(Path file) throws IOException {
    if (closing) {
      throw new StoreException("the store is closed");
    }
    try {
      Optional<String> why = FileChecks.damage(file);
      if (why.isPresent() && !FileChecks.isTable(file)) {
        pause();
        why = FileChecks.damage(file);
      }
      return why.filter(_ -> Files.exists(file));
    } catch (NoSuchFileException e) {
      // Replaced meanwhile.
      return Optional.empty();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(LOOK_AGAIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Files that are not used any more are removed a moment later. */
  private static boolean isGone(Path file) {
    for (int i = 0; i < GONE_LOOKS && Files.exists(file); i++) {
      pause();
    }
    return !Files.exists(file);
  }

  /**
   * Writes again what a damaged file holds, where all of it can be read through the open store,
   * which has the file's index in memory. Not tried otherwise: a compaction that meets damage stops
   * the store.
   */
  private boolean rewrite(Table table, LiveFileMetaData file) {
    byte[] after = Arrays.copyOf(file.largestKey(), file.largestKey().length + 1);
    try {
      scan(table, file.smallestKey(), after, false, (_, _) -> true);
    } catch (DamagedStoreException e) {
      return false;
    }
    compact(List.of(new Stretch(table, file.smallestKey(), after)));
    return isGone(Path.of(file.path(), file.fileName().replace("/", "")));
  }

  private List<LiveFileMetaData> liveFiles() {
    enter();
    try {
      return db.getLiveFilesMetaData();
    } finally {
      leave();
    }
  }

  @Override
  public void checkpoint(Path directory) {
    enter();
    try (Checkpoint checkpoint = Checkpoint.create(db)) {
      long reached = db.getLatestSequenceNumber();
      checkpoint.createCheckpoint(directory.toString());
      AcknowledgedMark.begin(directory, reached).close();
    } catch (RocksDBException | IOException e) {
      throw new StoreException("cannot keep a checkpoint in " + directory, e);
    } finally {
      leave();
    }
  }

  @Override
  public void commit(Batch batch) {
    if (failed) {
      throw new IllegalStateException("the store failed before; it is not written to again");
    }
    enter();
    try (WriteBatch write = new WriteBatch(EncodedBatch.of(batch, this::familyNumber))) {
      db.write(synced, write);
      mark.write(db.getLatestSequenceNumber());
    } catch (RocksDBException e) {
      failed = true;
      // Damage too: a compaction in the background that meets it stops the store.
      throw met("cannot write " + batch.entries().size() + " entries", e);
    } catch (IOException e) {
      failed = true;
      throw new StoreException("cannot write " + batch.entries().size() + " entries", e);
    } finally {
      leave();
    }
  }

  @Override
  public void close() {
    if (closing) {
      return;
    }
    closing = true;
    uses.writeLock().lock();
    try {
      closeAll();
    } finally {
      uses.writeLock().unlock();
    }
  }

  private void closeAll() {
    for (AutoCloseable resource : resources) {
      if (resource instanceof ColumnFamilyHandle handle) {
        handle.close();
      }
    }
    db.close();
    for (AutoCloseable resource : resources) {
      try {
        resource.close();
      } catch (Exception e) {
        throw new StoreException("cannot close the store", e);
      }
    }
  }
}
