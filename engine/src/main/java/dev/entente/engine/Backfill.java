// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;

/**
 * Builds an index of a table in a store that an earlier release wrote, once, before anybody else
 * uses the store. An interrupted run begins again.
 */
final class Backfill {
  private static final int TOGETHER = 10_000;

  private Backfill() {}

  /** What an entry of the table adds to the index. */
  @FunctionalInterface
  interface Step {
    void add(Batch batch, byte[] key, byte[] value);
  }

  /**
   * Goes through a table unless that was done before.
   *
   * @param complete the key of {@link Table#META} that says so
   */
  static void once(Store store, byte[] complete, Table table, Step step) {
    if (store.get(Table.META, complete) != null) {
      return;
    }
    all(store, table, step);
    Batch batch = new Batch();
    begin(batch, complete);
    store.commit(batch);
  }

  /** Goes through a table. */
  static void all(Store store, Table table, Step step) {
    Batch[] batch = {new Batch()};
    store.scan(
        table,
        new byte[0],
        (key, value) -> {
          step.add(batch[0], key, value);
          if (batch[0].entries().size() >= TOGETHER) {
            store.commit(batch[0]);
            batch[0] = new Batch();
          }
          return true;
        });
    store.commit(batch[0]);
  }

  /** Says of a new store that nothing is missing. */
  static void begin(Batch batch, byte[] complete) {
    batch.put(Table.META, complete, new byte[0]);
  }
}
