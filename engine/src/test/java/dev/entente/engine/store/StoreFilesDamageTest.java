// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every kind of file in a store's directory, flipped, cut, removed and emptied: the store refuses
 * to open, or a read or the scrub finds it, or nothing that was acknowledged is missing. It never
 * opens with less than was acknowledged and says nothing. A kind of file without a row here fails.
 */
class StoreFilesDamageTest {
  /** What may become of damage in a file. */
  private enum Outcome {
    REFUSED,
    FOUND,
    NOTHING_LOST
  }

  private static final Set<Outcome> NOTICED = EnumSet.of(Outcome.REFUSED, Outcome.FOUND);
  private static final Set<Outcome> ANY = EnumSet.allOf(Outcome.class);
  private static final Set<Outcome> HARMLESS = EnumSet.of(Outcome.NOTHING_LOST);

  /** The kinds of files, and what may become of damage in each. */
  private static final Map<Pattern, Set<Outcome>> KINDS =
      Map.ofEntries(
          Map.entry(Pattern.compile("\\d+\\.sst"), NOTICED),
          Map.entry(Pattern.compile("\\d+\\.log"), ANY),
          Map.entry(Pattern.compile("MANIFEST-\\d+"), NOTICED),
          Map.entry(Pattern.compile("CURRENT"), NOTICED),
          Map.entry(Pattern.compile("OPTIONS-\\d+"), HARMLESS),
          Map.entry(Pattern.compile("IDENTITY"), HARMLESS),
          Map.entry(Pattern.compile("LOCK"), HARMLESS),
          Map.entry(Pattern.compile("LOG(\\.old\\.\\d+)?"), HARMLESS),
          Map.entry(Pattern.compile("ACKNOWLEDGED"), HARMLESS));

  /** Changes one file. */
  private interface Damage {
    void to(Path file) throws IOException;
  }

  private static final int BATCHES = 40;
  private @TempDir Path temp;
  private int copies;

  private static byte[] key(int number) {
    return ByteBuffer.allocate(4).putInt(number).array();
  }

  private static void fill(Store store, int from, int to) {
    for (int i = from; i < to; i++) {
      Batch batch = new Batch();
      for (Table table : Table.values()) {
        batch.put(table, key(i), ("value " + i).repeat(20).getBytes(StandardCharsets.UTF_8));
      }
      store.commit(batch);
    }
  }

  /** A directory as a killed process leaves it: files of tables, and writes in the log alone. */
  private Path killed() throws IOException {
    Path live = temp.resolve("live");
    Path killed = temp.resolve("killed");
    try (RocksStore store = RocksStore.open(live)) {
      fill(store, 0, BATCHES / 2);
      store.compact(List.of());
      fill(store, BATCHES / 2, BATCHES);
      copy(live, killed);
    }
    return killed;
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  /** Fewer where any is harmless, since each opens a store. */
  private static Map<String, Damage> damages(long size, boolean few) {
    Map<String, Damage> all = new TreeMap<>();
    all.put("removed", Files::delete);
    all.put("emptied", file -> Files.write(file, new byte[0]));
    if (size > 1) {
      long half = size / 2;
      all.put("cut to " + half, file -> resize(file, half));
      all.put("flipped at " + half, file -> flip(file, half));
      if (!few) {
        long last = size - 1;
        all.put("cut to " + last, file -> resize(file, last));
        for (long at : new long[] {0, size / 4, last - size / 5, last}) {
          all.put("flipped at " + at, file -> flip(file, at));
        }
      }
    }
    return all;
  }

  private static void resize(Path file, long size) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.setLength(size);
    }
  }

  private static void flip(Path file, long at) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(at);
      int was = open.read();
      open.seek(at);
      open.write(was ^ 0x10);
    }
  }

  /** What becomes of a directory; null where acknowledged writes are missing without a word. */
  private static Outcome outcome(Path directory) {
    try (RocksStore store = RocksStore.open(directory)) {
      try {
        if (!store.scrub(_ -> {}).isEmpty()) {
          return Outcome.FOUND;
        }
        for (int i = 0; i < BATCHES; i++) {
          for (Table table : Table.values()) {
            assertThat(store.get(table, key(i))).as("%s %d", table, i).isNotNull();
          }
        }
        return Outcome.NOTHING_LOST;
      } catch (StoreException e) {
        return Outcome.FOUND;
      }
    } catch (StoreException e) {
      assertThat(e).hasMessageContaining(directory.toString());
      return Outcome.REFUSED;
    }
  }

  @Test
  void damageInAnyFileIsNoticedOrHarmless() throws IOException {
    check(killed(), ANY);
  }

  @Test
  void damageInAnyFileOfACheckpointIsNoticedOrHarmless() throws IOException {
    Path checkpoint = temp.resolve("checkpoint");
    try (RocksStore store = RocksStore.open(temp.resolve("live"))) {
      fill(store, 0, BATCHES / 2);
      store.compact(List.of());
      fill(store, BATCHES / 2, BATCHES);
      store.checkpoint(checkpoint);
    }
    check(checkpoint, NOTICED);
  }

  /**
   * Damages every file for which one of some outcomes is expected.
   *
   * @param wanted which kinds to damage; of all others it is only said that they have a row
   */
  private void check(Path whole, Set<Outcome> wanted) throws IOException {
    List<String> wrong = new ArrayList<>();
    Set<String> seen = new TreeSet<>();
    try (Stream<Path> files = Files.list(whole)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        Map.Entry<Pattern, Set<Outcome>> kind =
            KINDS.entrySet().stream()
                .filter(entry -> entry.getKey().matcher(name).matches())
                .findFirst()
                .orElseThrow(() -> new AssertionError("a new kind of file has no row: " + name));
        if (!wanted.containsAll(kind.getValue())) {
          continue;
        }
        if (kind.getKey().pattern().endsWith("sst") && !seen.add(kind.getKey().pattern())) {
          // One file of a table stands for those of the others.
          continue;
        }
        for (Map.Entry<String, Damage> damage :
            damages(Files.size(file), kind.getValue().equals(HARMLESS) || !wanted.equals(ANY))
                .entrySet()) {
          Path damaged = temp.resolve("damaged-" + copies++);
          copy(whole, damaged);
          damage.getValue().to(damaged.resolve(name));
          try {
            Outcome outcome = outcome(damaged);
            if (!kind.getValue().contains(outcome)) {
              wrong.add(name + " " + damage.getKey() + ": " + outcome);
            }
          } catch (AssertionError e) {
            wrong.add(name + " " + damage.getKey() + ": lost in silence: " + e.getMessage());
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
  }
}
