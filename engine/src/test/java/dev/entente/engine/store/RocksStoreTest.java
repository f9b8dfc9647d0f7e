// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store on disk keeps the contract, also after reopening. */
class RocksStoreTest extends StoreContractTest {
  @TempDir Path directory;

  @Override
  Store open() {
    return RocksStore.open(directory.resolve("store"));
  }

  @Test
  void whatWasCommittedIsThereAfterReopening() {
    try (Store store = open()) {
      Batch batch = new Batch();
      batch.put(Table.META, bytes("k"), bytes("v"));
      store.commit(batch);
    }
    try (Store store = open()) {
      assertThat(store.get(Table.META, bytes("k"))).isEqualTo(bytes("v"));
    }
  }
}
