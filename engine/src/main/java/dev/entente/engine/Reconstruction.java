// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.StoreException;
import dev.entente.engine.store.Table;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Works out the state of every record of a store anew from the versions in its log, while no node
 * has it open: states are derived, the log is the truth.
 *
 * <p>The versions of one record lie scattered over the log and are needed together. So the records
 * are dealt into as many parts as it takes for one part's versions to fit into memory, and the log
 * is gone through once for each.
 */
public final class Reconstruction {
  private static final Logger LOG = System.getLogger(Reconstruction.class.getName());

  /** Versions that one part may hold in memory. */
  private static final int PART_MAX = 200_000;

  private static final long BATCH_BYTES = 8L << 20;

  /** Stands in the store from before the old states go until all new ones are there. */
  private static final byte[] BEGUN = "rebuild".getBytes(StandardCharsets.UTF_8);

  private final Store store;
  private final int partMax;
  private final LongConsumer progress;

  /**
   * @param partMax how many versions may be in memory at once, roughly
   * @param progress hears how many versions were gone through
   */
  Reconstruction(Store store, int partMax, LongConsumer progress) {
    this.store = store;
    this.partMax = partMax;
    this.progress = progress;
  }

  /**
   * What was found.
   *
   * @param wrong how many records were not what their versions say, or could not be read
   */
  public record Found(long versions, long records, long wrong) {}

  /**
   * Compares every record with what its versions say, and all else with its checksums; changes
   * nothing.
   *
   * @throws dev.entente.engine.store.DamagedStoreException where what cannot be worked out from
   *     anything else is damaged
   */
  public static Found check(Store store, LongConsumer progress) {
    return new Reconstruction(store, PART_MAX, progress).check();
  }

  /**
   * Puts every record as its versions say, whatever was there. What is interrupted is repeated when
   * a node opens the store.
   */
  public static Found rebuild(Store store, LongConsumer progress) {
    return new Reconstruction(store, PART_MAX, progress).rebuild();
  }

  /** Repeats a rebuild that was interrupted, of which a part of the states is missing. */
  static void resume(Store store) {
    if (store.get(Table.META, BEGUN) != null) {
      LOG.log(Level.WARNING, "a rebuild was interrupted; the states of all records are rebuilt");
      rebuild(store, _ -> {});
    }
  }

  /** The state of one record, as its versions in the log say. */
  static RecordState record(Store store, RecordKey key) {
    List<Version> versions = new ArrayList<>();
    store.scan(
        Table.LOG,
        Keys.of(key.tenant()),
        (_, bytes) -> {
          Version version = VersionCodec.fromBytes(bytes);
          if (version.key().equals(key)) {
            versions.add(version);
          }
          return true;
        });
    return new Past(Base.of(store::get, key).state(), versions).replay();
  }

  /**
   * Whether what a running node has of a record, in the store or in memory, is not what its
   * versions say. Versions that are decided and not in the log yet are no damage.
   */
  static boolean isDamaged(Store store, Transaction transaction, RecordKey key, RecordState state) {
    byte[] right = StateCodec.toBytes(state);
    byte[] stored = store.get(Table.RECORDS, Keys.of(key));
    try {
      RecordState decided = transaction.snapshot(key).state();
      return (state.context().dominates(decided.context())
              || holdsOfOthers(transaction, key, decided.context()))
          && !(Arrays.equals(StateCodec.toBytes(decided), right)
              && (state.isEmpty() || Arrays.equals(stored, right)));
    } catch (DamagedException | IllegalArgumentException e) {
      LOG.log(Level.WARNING, "the state of " + key + " cannot be read and is rebuilt", e);
      return true;
    }
  }

  /** Whether a record's state claims versions that are another record's. */
  private static boolean holdsOfOthers(
      Transaction transaction, RecordKey key, VersionVector context) {
    for (int i = 0; i < context.entries().size(); i++) {
      Dot dot = new Dot(context.entries().key(i), context.entries().value(i));
      VersionIndex.Place place = VersionIndex.place(transaction, dot);
      byte[] version =
          place == null
              ? null
              : transaction.get(Table.LOG, History.logKey(place.tenant(), place.position()));
      if (version != null && !VersionCodec.fromBytes(version).key().equals(key)) {
        return true;
      }
    }
    return false;
  }

  Found check() {
    for (Table table : Table.values()) {
      // The log is read below, and states follow from it, whatever is left of them.
      if (table != Table.LOG && table != Table.RECORDS) {
        store.scan(table, new byte[0], (_, _) -> true);
      }
    }
    long[] wrong = {0};
    Found all =
        each(state -> {
          if (!Arrays.equals(stored(state.key()), StateCodec.toBytes(state.state()))) {
            wrong[0]++;
          }
        });
    return new Found(all.versions(), all.records(), wrong[0]);
  }

  Found rebuild() {
    Batch begins = new Batch();
    begins.put(Table.META, BEGUN, new byte[0]);
    store.commit(begins);
    store.clear(Table.RECORDS);
    Batch[] batch = {new Batch()};
    Found all =
        each(state -> {
          batch[0].put(Table.RECORDS, Keys.of(state.key()), StateCodec.toBytes(state.state()));
          if (batch[0].bytes() > BATCH_BYTES) {
            store.commit(batch[0]);
            batch[0] = new Batch();
          }
        });
    batch[0].delete(Table.META, BEGUN);
    store.commit(batch[0]);
    return all;
  }

  private byte[] stored(RecordKey key) {
    try {
      byte[] bytes = store.get(Table.RECORDS, Keys.of(key));
      return bytes == null ? new byte[0] : bytes;
    } catch (StoreException e) {
      // Not to be read is as wrong as it gets.
      return new byte[0];
    }
  }

  /** A record as its versions say. */
  private record Worked(RecordKey key, RecordState state) {}

  private Found each(Consumer<Worked> each) {
    long[] versions = {0};
    store.scan(Table.LOG, new byte[0], (_, _) -> ++versions[0] > 0);
    int parts = (int) Math.max(1, (versions[0] + partMax - 1) / partMax);
    long records = 0;
    for (int part = 0; part < parts; part++) {
      Map<RecordKey, List<Version>> mine = part(part, parts, versions[0]);
      mine.forEach((key, all) -> {
        RecordState begun = Base.of(store::get, key).state();
        each.accept(new Worked(key, new Past(begun, all).replay()));
      });
      records += mine.size();
    }
    return new Found(versions[0], records, 0);
  }

  private Map<RecordKey, List<Version>> part(int part, int parts, long versions) {
    Map<RecordKey, List<Version>> mine = new TreeMap<>();
    long[] read = {versions / parts * part};
    store.scan(
        Table.LOG,
        new byte[0],
        (_, bytes) -> {
          Version version = VersionCodec.fromBytes(bytes);
          if (Math.floorMod(version.key().hashCode(), parts) == part) {
            mine.computeIfAbsent(version.key(), _ -> new ArrayList<>()).add(version);
            if (++read[0] % 10_000 == 0) {
              progress.accept(read[0]);
            }
          }
          return true;
        });
    return mine;
  }
}
