// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that is closed while others use it refuses them; the process goes on. */
class StoreClosingTest {
  private static final int ROUNDS = 8;
  private @TempDir Path temp;

  private static byte[] key(int number) {
    return ("key " + number).getBytes(StandardCharsets.UTF_8);
  }

  /** Everything that touches the database, once. */
  private static List<Runnable> uses(Store store, Path folder) {
    return List.of(
        () -> store.get(Table.LOG, key(1)),
        () -> store.scan(Table.LOG, new byte[0], (key, _) -> store.get(Table.META, key) == null),
        () -> store.scan(Table.LOG, new byte[0], null, true, (_, _) -> true),
        () -> store.copy((_, _, _) -> {}),
        () -> store.scrub(_ -> {}),
        () -> store.compact(List.of(Store.Stretch.of(Table.LOG, key(1)))),
        () -> store.checkpoint(folder.resolve("checkpoint-" + System.nanoTime())),
        () -> {
          Batch batch = new Batch();
          batch.put(Table.LOG, key(2), key(2));
          store.commit(batch);
        });
  }

  @Test
  void everythingIsAskedWhileTheStoreCloses() throws InterruptedException {
    for (int round = 0; round < ROUNDS; round++) {
      Path folder = temp.resolve("round-" + round);
      RocksStore store = RocksStore.open(folder.resolve("store"));
      Batch batch = new Batch();
      for (int i = 0; i < 200; i++) {
        batch.put(Table.LOG, key(i), new byte[200]);
      }
      store.commit(batch);
      List<Runnable> uses = uses(store, folder);
      CountDownLatch begun = new CountDownLatch(uses.size());
      AtomicReference<Throwable> wrong = new AtomicReference<>();
      List<Thread> threads = new ArrayList<>();
      for (Runnable use : uses) {
        threads.add(
            Thread.ofPlatform()
                .daemon()
                .start(() -> {
                  try {
                    begun.countDown();
                    while (true) {
                      use.run();
                    }
                  } catch (StoreException _) {
                    // Refused, as it should be once the store is closed.
                  } catch (RuntimeException | Error e) {
                    wrong.compareAndSet(null, e);
                  }
                }));
      }
      begun.await();
      store.close();
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(wrong.get()).isNull();
    }
  }

  @Test
  void aClosedStoreRefusesEverything() {
    RocksStore store = RocksStore.open(temp.resolve("store"));
    store.close();
    for (Runnable use : uses(store, temp)) {
      assertThatThrownBy(use::run)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("closed");
    }
  }
}
