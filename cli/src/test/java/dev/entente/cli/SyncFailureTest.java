// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.entente.engine.store.Batch;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.LogTail;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.StoreException;
import dev.entente.engine.store.Table;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that says that it could not sync. */
class SyncFailureTest {
  private @TempDir Path temp;
  private final Random random = new Random(7);

  @BeforeAll
  static void needsADiskToBreak() {
    Optional<String> whyNot = LabDisk.whyNot();
    assumeTrue(whyNot.isEmpty(), () -> "no disk to break: " + whyNot.orElseThrow());
  }

  private void commit(RocksStore store, int number) {
    byte[] value = new byte[20_000];
    random.nextBytes(value);
    Batch batch = new Batch();
    batch.put(Table.LOG, key(number), value);
    store.commit(batch);
  }

  private static byte[] key(int number) {
    return ("k" + number).getBytes(StandardCharsets.UTF_8);
  }

  private static List<String> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }

  @Test
  void whatCouldNotBeSyncedIsNotTriedAgain() throws Exception {
    try (LabDisk disk = new LabDisk(temp.resolve("disk"), 64)) {
      Path directory = disk.at().resolve("store");
      RocksStore store = RocksStore.open(directory);
      for (int i = 0; i < 20; i++) {
        commit(store, i);
      }
      List<String> before = files(directory);
      disk.failSyncs();
      assertThatThrownBy(
              () -> {
                for (int i = 20; i < 4_000; i++) {
                  commit(store, i);
                }
              })
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("cannot write");
      assertThatThrownBy(() -> commit(store, 4_000)).hasMessageContaining("not written to again");
      Thread.sleep(3_000);
      assertThat(files(directory)).as("nothing is begun anew").isEqualTo(before);
      store.close();
    }
  }

  @Test
  void onceThereIsRoomAgainAllThatWasCommittedIsThere() throws Exception {
    try (LabDisk disk = new LabDisk(temp.resolve("disk"), 64)) {
      Path directory = disk.at().resolve("store");
      RocksStore store = RocksStore.open(directory);
      int committed = 0;
      disk.failSyncs();
      try {
        while (committed < 4_000) {
          commit(store, committed);
          committed++;
        }
      } catch (StoreException _) {
        store.close();
      }
      disk.mend();
      try {
        RocksStore.open(directory).close();
      } catch (DamagedStoreException _) {
        LogTail.find(directory).orElseThrow().cut(disk.at().resolve("cut"));
      }
      try (RocksStore again = RocksStore.open(directory)) {
        for (int i = 0; i < committed; i++) {
          assertThat(again.get(Table.LOG, key(i))).as("%d of %d", i, committed).isNotNull();
        }
      }
    }
  }
}
