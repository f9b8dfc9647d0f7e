// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A torn tail is what was never acknowledged, and is cut off; damage before it is acknowledged
 * data, and is never skipped (B89, B90).
 */
class RocksStoreDamageTest {
  private static final int WRITES = 100;
  private @TempDir Path temp;
  private Path killed;

  /**
   * What a process that was killed leaves behind: the files as they are while the store is open.
   */
  @BeforeEach
  void writeAndKill() throws IOException {
    Path live = temp.resolve("live");
    killed = temp.resolve("killed");
    try (RocksStore store = RocksStore.open(live)) {
      for (long i = 0; i < WRITES; i++) {
        Batch batch = new Batch();
        batch.put(Table.LOG, key(i), new byte[1_000]);
        store.commit(batch);
      }
      Files.createDirectory(killed);
      try (Stream<Path> files = Files.list(live)) {
        for (Path file : files.toList()) {
          Files.copy(file, killed.resolve(file.getFileName()));
        }
      }
    }
  }

  private static byte[] key(long number) {
    return ByteBuffer.allocate(8).putLong(number).array();
  }

  private Path log() throws IOException {
    try (Stream<Path> files = Files.list(killed)) {
      return files
          .filter(file -> file.toString().endsWith(".log") && file.toFile().length() > 50_000)
          .findFirst()
          .orElseThrow();
    }
  }

  private int readable() {
    try (RocksStore store = RocksStore.open(killed)) {
      int found = 0;
      for (long i = 0; i < WRITES; i++) {
        found += store.get(Table.LOG, key(i)) == null ? 0 : 1;
      }
      return found;
    }
  }

  @Test
  void whatWasCommittedIsThereAfterAKill() {
    assertThat(readable()).isEqualTo(WRITES);
  }

  /** The write that a crash interrupted: nobody was told that it is kept. */
  @Test
  void aTornTailIsCutOff() throws IOException {
    byte[] whole = Files.readAllBytes(log());
    try (RandomAccessFile file = new RandomAccessFile(log().toFile(), "rw")) {
      file.seek(file.length());
      // Begins as the first record does, and ends within it.
      file.write(whole, 0, 500);
    }
    assertThat(readable()).isEqualTo(WRITES);
  }

  @Test
  void aLogThatEndsBeforeWhatWasAcknowledgedIsRefusedEveryTime() throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(log().toFile(), "rw")) {
      file.setLength(file.length() - 500);
    }
    for (int attempt = 0; attempt < 2; attempt++) {
      assertThatThrownBy(this::readable)
          .isInstanceOf(LostWritesException.class)
          .hasMessageContaining("acknowledged writes are missing")
          .hasMessageContaining("entente rebuild --check");
    }
    RocksStore.acceptLoss(killed);
    assertThat(readable()).isEqualTo(WRITES - 1);
  }

  @Test
  void damageBeforeTheTailIsRefusedWithTheFilesName() throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(log().toFile(), "rw")) {
      file.seek(file.length() / 2);
      int was = file.read();
      file.seek(file.length() / 2);
      file.write(was ^ 0x40);
    }
    assertThatThrownBy(this::readable)
        .isInstanceOf(StoreException.class)
        .hasMessageContaining(killed.toString())
        .hasMessageContaining("damaged");
  }

  @Test
  void aFileOfNothingIsRefused() throws IOException {
    try (Stream<Path> files = Files.list(killed)) {
      Path manifest =
          files
              .filter(file -> file.getFileName().toString().startsWith("MANIFEST"))
              .findFirst()
              .orElseThrow();
      Files.write(manifest, new byte[0]);
    }
    assertThatThrownBy(this::readable)
        .isInstanceOf(StoreException.class)
        .hasMessageContaining(killed.toString());
  }

  @Test
  void noEmptyStoreIsBegunOverWhatIsLeftOfAnother() throws IOException {
    Files.delete(killed.resolve("CURRENT"));
    long size = Files.size(log());
    assertThatThrownBy(this::readable)
        .isInstanceOf(DamagedStoreException.class)
        .hasMessageContaining("CURRENT");
    assertThat(log()).hasSize(size);
  }

  @Test
  void aDamagedFileOfATableIsFoundWhereItIsRead() throws IOException {
    try (RocksStore store = RocksStore.open(killed)) {
      store.compact(List.of());
    }
    Path table;
    try (Stream<Path> files = Files.list(killed)) {
      table = files.filter(file -> file.toString().endsWith(".sst")).findFirst().orElseThrow();
    }
    try (RandomAccessFile file = new RandomAccessFile(table.toFile(), "rw")) {
      file.seek(200);
      int was = file.read();
      file.seek(200);
      file.write(was ^ 0x40);
    }
    try (RocksStore store = RocksStore.open(killed)) {
      store.scan(Table.META, new byte[0], (_, _) -> true);
      foundBy(() -> store.scan(Table.LOG, new byte[0], (_, _) -> true));
      foundBy(() -> store.copy((_, _, _) -> {}));
    }
    foundBy(this::readable);
  }

  private static void foundBy(ThrowingCallable read) {
    assertThatThrownBy(read)
        .isInstanceOf(DamagedStoreException.class)
        .hasMessageContaining("entente rebuild --check");
  }
}
