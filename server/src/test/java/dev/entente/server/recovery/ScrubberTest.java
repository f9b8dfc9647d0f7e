// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.RocksStore;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A scrub finds damage that nobody reads, tells it, and does what can be done about it. */
class ScrubberTest {
  private static final Scrubber.Pace FAST = new Scrubber.Pace(Duration.ofDays(1), 1L << 40);
  private @TempDir Path folder;

  private Node open() {
    Node node =
        Node.open(RocksStore.open(folder.resolve("store")), NodeConfig.DEFAULT.withName("n"));
    for (int i = 0; i < 40; i++) {
      node.write(
              WriteRequest.of(
                  new RecordKey("main", "note", "n" + i),
                  new Edit.MergePatch(Json.of(Map.of("v", "x".repeat(300)))),
                  new WriteRequest.Seen.Everything(),
                  "a"))
          .join();
    }
    return node;
  }

  private Checkpoints checkpoints(Node node) {
    return new Checkpoints(node, folder.resolve("checkpoints"), Duration.ofDays(1), 0);
  }

  private static List<Path> tables(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".sst")).sorted().toList();
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

  private static boolean isAudited(Node node) {
    return !node.audit(entry -> entry.action().equals("damage"), Long.MAX_VALUE, 10).isEmpty();
  }

  @Test
  void aSoundNodeIsScrubbedOnceADayAndWhenSomebodyAsks() throws Exception {
    try (Node node = open()) {
      Scrubber scrubber = new Scrubber(node, Optional.of(checkpoints(node)), FAST);
      checkpoints(node).take();
      assertThat(scrubber.endedMillis()).isZero();
      scrubber.turn();
      long first = scrubber.endedMillis();
      assertThat(first).isPositive();
      assertThat(scrubber.bytes()).isPositive();
      assertThat(scrubber.damaged()).isEmpty();
      assertThat(isAudited(node)).isFalse();
      Scrubber again = new Scrubber(node, Optional.empty(), FAST);
      again.turn();
      assertThat(again.bytes()).as("not due yet, also after a restart").isZero();
      again.ask();
      again.turn();
      assertThat(again.bytes()).isPositive();
    }
  }

  @Test
  void aDamagedFileThatCannotBeReadStopsTheNode() throws Exception {
    try (Node node = open()) {
      node.checkpoint(folder.resolve("files"));
      for (Path file : tables(folder.resolve("store"))) {
        flip(file, 20);
      }
      Scrubber scrubber = new Scrubber(node, Optional.empty(), FAST);
      scrubber.turn();
      assertThat(scrubber.damaged()).isNotEmpty();
      assertThat(scrubber.toJson().toString()).contains("\"repaired\":false");
      for (int i = 0; i < 100 && node.failure().isEmpty(); i++) {
        Thread.sleep(10);
      }
      assertThat(node.failure().orElseThrow()).isInstanceOf(DamagedStoreException.class);
    }
  }

  @Test
  void aDamagedIndexOfAFileIsWrittenAgainFromMemory() throws Exception {
    try (Node node = open()) {
      node.checkpoint(folder.resolve("files"));
      for (Path file : tables(folder.resolve("store"))) {
        // The footer is read when the file is opened, and not again.
        flip(file, Files.size(file) - 20);
      }
      Scrubber scrubber = new Scrubber(node, Optional.empty(), FAST);
      scrubber.turn();
      assertThat(scrubber.damaged()).isEmpty();
      assertThat(scrubber.toJson().toString()).contains("\"repaired\":true");
      assertThat(isAudited(node)).isTrue();
      scrubber.ask();
      scrubber.turn();
      assertThat(scrubber.toJson().toString()).doesNotContain("repaired");
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
    }
  }

  @Test
  void aDamagedLogIsWrittenAgainFromMemory() throws Exception {
    try (Node node = open()) {
      try (Stream<Path> files = Files.list(folder.resolve("store"))) {
        for (Path log : files.filter(file -> file.toString().endsWith(".log")).toList()) {
          flip(log, Files.size(log) / 2);
        }
      }
      Scrubber scrubber = new Scrubber(node, Optional.empty(), FAST);
      scrubber.turn();
      assertThat(scrubber.damaged()).isEmpty();
      assertThat(scrubber.toJson().toString()).contains(".log", "\"repaired\":true");
    }
    try (RocksStore again = RocksStore.open(folder.resolve("store"))) {
      assertThat(again.scrub(_ -> {})).isEmpty();
    }
  }

  @Test
  void aDamagedManifestIsToldAndTheNodeGoesOn() throws Exception {
    try (Node node = open()) {
      try (Stream<Path> files = Files.list(folder.resolve("store"))) {
        flip(
            files.filter(file -> file.toString().contains("MANIFEST")).findFirst().orElseThrow(),
            30);
      }
      Scrubber scrubber = new Scrubber(node, Optional.empty(), FAST);
      scrubber.turn();
      assertThat(scrubber.damaged()).hasSize(1);
      assertThat(isAudited(node)).isTrue();
      assertThat(node.failure()).isEmpty();
    }
  }

  @Test
  void aDamagedCheckpointIsSetAside() throws Exception {
    try (Node node = open()) {
      Checkpoints checkpoints = checkpoints(node);
      Checkpoints.Checkpoint taken = checkpoints.take();
      // Not a link to the node's own file.
      Path file = tables(taken.directory()).getFirst();
      byte[] bytes = Files.readAllBytes(file);
      bytes[20] ^= 0x10;
      Files.delete(file);
      Files.write(file, bytes);
      Scrubber scrubber = new Scrubber(node, Optional.of(checkpoints), FAST);
      scrubber.turn();
      assertThat(checkpoints.list()).isEmpty();
      assertThat(scrubber.damagedCheckpoints()).containsExactly(taken.name() + ".damaged");
      assertThat(scrubber.damaged()).isEmpty();
      assertThat(isAudited(node)).isTrue();
      assertThat(node.failure()).isEmpty();
    }
  }
}
