// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

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
  /** Versions that one part may hold in memory. */
  private static final int PART_MAX = 200_000;

  private static final long BATCH_BYTES = 8L << 20;

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

  /** Puts every record as its versions say, whatever was there. */
  public static Found rebuild(Store store, LongConsumer progress) {
    return new Reconstruction(store, PART_MAX, progress).rebuild();
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
