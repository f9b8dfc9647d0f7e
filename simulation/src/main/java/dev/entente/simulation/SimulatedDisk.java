// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A node's disk, which outlives its process. It can fail the process at any commit, before or after
 * the commit holds, and go back to an earlier state.
 */
final class SimulatedDisk implements Store {
  /** The process dies in the middle of a commit. */
  static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private final Mutant mutant;
  private final List<Batch> commits = new ArrayList<>();
  private MemoryStore store = new MemoryStore();
  private int crashIn = -1;
  private boolean crashAfter;
  private int synced;

  SimulatedDisk(Mutant mutant) {
    this.mutant = mutant;
  }

  /** The process will die at a commit to come, before or after it holds. */
  void crashIn(int commitsFromNow, boolean afterItHolds) {
    crashIn = commitsFromNow;
    crashAfter = afterItHolds;
  }

  /** How many commits there were. */
  int commits() {
    return commits.size();
  }

  /** The process is gone; a disk that lied about syncing loses what it had not written. */
  void powerCut() {
    crashIn = -1;
    if (mutant == Mutant.SKIPPED_SYNC) {
      goBackTo(synced);
    }
  }

  /** Becomes what it was after so many commits. */
  void goBackTo(int commitCount) {
    int count = Math.min(commitCount, commits.size());
    commits.subList(count, commits.size()).clear();
    store = new MemoryStore();
    commits.forEach(store::commit);
    synced = Math.min(synced, count);
  }

  @Override
  public void commit(Batch batch) {
    boolean now = crashIn == 0;
    crashIn--;
    if (now && !crashAfter) {
      throw new Crash();
    }
    Batch kept =
        switch (mutant) {
          case TORN_BATCH -> commits.size() % 7 == 6 ? torn(batch) : batch;
          case UNFORGOTTEN_REQUEST -> unforgotten(batch, store);
          default -> batch;
        };
    commits.add(kept);
    store.commit(kept);
    if (commits.size() % 4 == 0) {
      synced = commits.size();
    }
    if (now) {
      throw new Crash();
    }
  }

  /** An answer that has been written stays as it is. */
  private static Batch unforgotten(Batch batch, Store store) {
    Batch unforgotten = new Batch();
    for (Batch.Entry entry : batch.entries()) {
      byte[] value = entry.value();
      boolean isAnswer = entry.table() == Table.ANSWERS;
      if (value == null) {
        unforgotten.delete(entry.table(), entry.key());
      } else if (!isAnswer || store.get(entry.table(), entry.key()) == null) {
        unforgotten.put(entry.table(), entry.key(), value);
      }
    }
    return unforgotten;
  }

  private static Batch torn(Batch batch) {
    Batch torn = new Batch();
    for (Batch.Entry entry : batch.entries()) {
      byte[] value = entry.value();
      if (value != null && entry.table() != Table.LOG) {
        torn.put(entry.table(), entry.key(), value);
      } else if (value == null) {
        torn.delete(entry.table(), entry.key());
      }
    }
    return torn;
  }

  @Override
  public byte @Nullable [] get(Table table, byte[] key) {
    return store.get(table, key);
  }

  @Override
  public void scan(
      Table table, byte[] from, byte @Nullable [] to, boolean reverse, Visitor visitor) {
    store.scan(table, from, to, reverse, visitor);
  }

  /** All that stands on it. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (Table table : Table.values()) {
      scan(
          table,
          new byte[0],
          null,
          false,
          (key, value) -> {
            text.append(new String(key, StandardCharsets.ISO_8859_1)).append('\n');
            text.append(new String(value, StandardCharsets.ISO_8859_1)).append('\n');
            return true;
          });
    }
    return text.toString();
  }

  @Override
  public void copy(Copier copier) {
    store.copy(copier);
  }

  @Override
  public void close() {
    // The disk outlives the process.
  }
}
