// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The write that was under way when a disk failed may be cut off, and never another. */
class LogTailTest {
  private static final int PAGE = 4_096;
  private @TempDir Path temp;
  private final Random random = new Random(7);

  /** Up to where the log goes once each of the writes is in it. */
  private final List<Long> ends = new ArrayList<>();

  private Path write(Path directory, int writes, int bytesMax) throws IOException {
    ends.clear();
    try (RocksStore store = RocksStore.open(directory)) {
      for (long i = 0; i < writes; i++) {
        byte[] value = new byte[1 + random.nextInt(bytesMax)];
        random.nextBytes(value);
        Batch batch = new Batch();
        batch.put(Table.LOG, key(i), value);
        store.commit(batch);
        ends.add(Files.size(log(directory)));
      }
    }
    // What is damaged below is a write that failed, so that it was never acknowledged.
    RocksStore.acceptLoss(directory);
    return log(directory);
  }

  private static byte[] key(long number) {
    return ByteBuffer.allocate(8).putLong(number).array();
  }

  private static Path log(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.toString().endsWith(".log"))
          .max(Path::compareTo)
          .orElseThrow();
    }
  }

  private static void blank(Path log, long from, long to) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
      file.seek(from);
      file.write(new byte[(int) (to - from)]);
    }
  }

  private static int readable(Path directory, int writes) {
    try (RocksStore store = RocksStore.open(directory)) {
      int found = 0;
      while (found < writes && store.get(Table.LOG, key(found)) != null) {
        found++;
      }
      for (int i = found; i < writes; i++) {
        assertThat(store.get(Table.LOG, key(i))).as("%d, behind a gap", i).isNull();
      }
      return found;
    }
  }

  @Test
  void aWriteWithHolesAtTheEndIsCutOffAndKept() throws IOException {
    Path store = temp.resolve("store");
    Path log = write(store, 30, 100_000);
    long before = ends.get(28);
    long size = ends.get(29);
    byte[] lost = new byte[(int) (size - before)];
    blank(log, before + 20, before + 40);
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
      file.seek(before);
      file.readFully(lost);
    }
    assertThatThrownBy(() -> RocksStore.open(store)).isInstanceOf(DamagedStoreException.class);
    LogTail tail = LogTail.find(store).orElseThrow();
    assertThat(tail).isEqualTo(new LogTail(log, before, size, true));
    assertThat(tail.cut(temp.resolve("cut"))).hasBinaryContent(lost);
    assertThat(readable(store, 30)).isEqualTo(29);
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 300, 5_000, 60_000})
  void whateverPageIsLostNoWriteBesideItIs(int bytesMax) throws IOException {
    int cut = 0;
    for (int round = 0; round < 20; round++) {
      Path store = temp.resolve("s" + round);
      int writes = 40;
      Path log = write(store, writes, bytesMax);
      long size = Files.size(log);
      boolean nearTheEnd = random.nextBoolean();
      long from = nearTheEnd ? Math.max(0, size - 1 - random.nextInt(PAGE)) : random.nextLong(size);
      from -= from % 16;
      long to = Math.min(size, from + PAGE);
      blank(log, from, to);
      try {
        RocksStore.open(store).close();
      } catch (DamagedStoreException _) {
        LogTail tail = LogTail.find(store).orElseThrow();
        int whole = before(from);
        assertThat(tail.whole()).isEqualTo(whole == 0 ? 0 : ends.get(whole - 1));
        assertThat(tail.last()).as("round %d", round).isEqualTo(to > ends.get(writes - 2));
        if (tail.last()) {
          tail.cut(temp.resolve("cut" + round));
          assertThat(readable(store, writes)).isEqualTo(whole);
          cut++;
        }
      }
    }
    assertThat(cut).as("how often there was something to cut").isPositive();
  }

  /** How many writes end before a place in the log. */
  private int before(long place) {
    return (int) ends.stream().filter(end -> end <= place).count();
  }

  @Test
  void whereWholeWritesComeAfterNothingIsCut() throws IOException {
    Path store = temp.resolve("store");
    Path log = write(store, 50, 100);
    // The last but one of small writes in one block, whose length cannot be trusted either.
    blank(log, ends.get(47), ends.get(48));
    long size = Files.size(log);
    LogTail tail = LogTail.find(store).orElseThrow();
    assertThat(tail.last()).isFalse();
    assertThatThrownBy(() -> tail.cut(temp.resolve("cut")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("whole writes come after");
    assertThat(log).hasSize(size);
  }

  @Test
  void whereALaterLogHasSomethingNothingIsCut() throws IOException {
    Path store = temp.resolve("store");
    Path log = write(store, 30, 1_000);
    blank(log, ends.get(28) + 20, ends.get(28) + 30);
    assertThat(LogTail.find(store).orElseThrow().last()).isTrue();
    Files.write(store.resolve("000999.log"), new byte[] {1});
    assertThat(LogTail.find(store).orElseThrow().last()).isFalse();
  }

  @Test
  void aLogThatOnlyEndsEarlyIsNotDamaged() throws IOException {
    Path store = temp.resolve("store");
    Path log = write(store, 30, 1_000);
    assertThat(LogTail.find(store)).isEqualTo(Optional.empty());
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
      file.setLength(file.length() - 5);
    }
    assertThat(LogTail.find(store)).isEqualTo(Optional.empty());
    assertThat(readable(store, 30)).isEqualTo(29);
  }
}
