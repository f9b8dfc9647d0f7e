// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A real node is killed with SIGKILL in the middle of long work, again and again: nothing that was
 * acknowledged is lost, and nothing that was erased comes back. Runs only where the number of
 * rounds is given; {@code CutOffTest} of the engine does the same within a process in each build.
 */
@EnabledIfSystemProperty(named = "entente.kill.work.rounds", matches = "[0-9]+")
class KillDuringWorkTest {
  private static final int ROUNDS = Integer.getInteger("entente.kill.work.rounds", 0);
  private static final String NOTE = "/v1/main/records/t/";
  @TempDir private Path folder;
  private final Map<String, Long> acknowledged = new TreeMap<>();
  private final TreeSet<String> erased = new TreeSet<>();

  /** What the node does when it is killed. */
  enum Work {
    ERASE,
    RESTORE,
    RETENTION,
    CHECKPOINT,
    REBUILD
  }

  @ParameterizedTest
  @EnumSource(Work.class)
  void nothingIsLostAndNothingComesBack(Work work) throws Exception {
    Random random = new Random(42);
    Path data = folder.resolve("data");
    for (int round = 0; round < ROUNDS; round++) {
      RealNode node = RealNode.start(data, Map.of(), "--port", "0");
      check(node);
      for (int i = 0; i < 20; i++) {
        put(node, "r" + i, round * 100_000L);
        node.send("PUT", "/v1/main/records/other/o" + i, "{\"n\":" + round + "}");
      }
      if (work == Work.REBUILD) {
        node.end();
        killed(random, List.of("rebuild", "--data", data.toString()));
      } else {
        int now = round;
        Thread doing = Thread.ofVirtual().start(() -> work(node, work, now));
        Thread writing = Thread.ofVirtual().start(() -> write(node, now));
        Thread.sleep(random.nextInt(60));
        node.kill();
        doing.join();
        writing.join();
        if (work == Work.CHECKPOINT) {
          restoreLast(random, data, round);
        }
      }
    }
    RealNode node = RealNode.start(data, Map.of(), "--port", "0");
    check(node);
    node.end();
  }

  private void put(RealNode node, String id, long value) throws IOException, InterruptedException {
    if (node.send("PUT", NOTE + id, "{\"n\":" + value + "}").statusCode() < 300) {
      acknowledged.put(id, value);
    }
  }

  private void write(RealNode node, int round) {
    try {
      for (int i = 0; ; i++) {
        put(node, "w" + i % 50, round * 100_000L + i);
      }
    } catch (IOException killed) {
      // It has no answer to give.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void work(RealNode node, Work work, int round) {
    try {
      switch (work) {
        case ERASE -> {
          String id = "secret" + round;
          node.send("PUT", NOTE + id, "{\"name\":\"Rosalind Sharp-Quillon\"}");
          for (int i = 0; i < 20; i++) {
            String path = NOTE + id + "/erasure";
            if (node.send("POST", path, "{\"reason\":\"asked\"}").statusCode() == 202) {
              erased.add(id);
            }
          }
        }
        case RESTORE ->
            // Of another type, so that what is acknowledged beside it stays as it is.
            node.send(
                "POST",
                "/v1/main/restores",
                "{\"type\":\"other\",\"to\":\"" + Instant.now().minusMillis(1) + "\"}");
        case RETENTION ->
            node.send(
                "POST",
                "/v1/main/retention/runs",
                "{\"before\":\"" + Instant.now().minusMillis(1) + "\"}");
        case CHECKPOINT -> {
          for (int i = 0; i < 20; i++) {
            node.send("POST", "/v1/cluster/checkpoints", "");
          }
        }
        case REBUILD -> throw new IllegalStateException("a node that is stopped is rebuilt");
      }
    } catch (IOException killed) {
      // It has no answer to give.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void killed(Random random, List<String> command)
      throws IOException, InterruptedException {
    List<String> line = Jvm.entente("-Xmx128m", "-XX:TieredStopAtLevel=1");
    line.addAll(command);
    Process process =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out").toFile())
            .start();
    Thread.sleep(200 + random.nextInt(900));
    process.destroyForcibly().waitFor();
  }

  /** A checkpoint that has its name is whole; a restore of it is whole, or is not there. */
  private void restoreLast(Random random, Path data, int round)
      throws IOException, InterruptedException {
    Path checkpoints = data.resolve("checkpoints");
    if (!Files.exists(checkpoints)) {
      return;
    }
    Optional<Path> last;
    try (Stream<Path> all = Files.list(checkpoints)) {
      last = all.filter(each -> !each.toString().contains(".unfinished")).sorted().findFirst();
    }
    if (last.isPresent()) {
      Path into = folder.resolve("restored" + round);
      killed(
          random, List.of("restore", "--from", last.get().toString(), "--into", into.toString()));
      NodeRestore.into(last.get(), folder.resolve("again" + round), Optional.empty());
      if (!Files.exists(into.resolve("store"))) {
        assertThat(NodeRestore.into(last.get(), into, Optional.empty()).broken()).isEmpty();
      }
    }
  }

  private void check(RealNode node) throws IOException, InterruptedException {
    assertThat(node.send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
    for (Map.Entry<String, Long> entry : acknowledged.entrySet()) {
      HttpResponse<String> read = node.send("GET", NOTE + entry.getKey(), "");
      assertThat(read.statusCode()).as("record %s", entry.getKey()).isEqualTo(200);
      JsonObject record = (JsonObject) JsonReader.strict().read(read.body());
      JsonNumber n = (JsonNumber) ((JsonObject) record.get("data")).get("n");
      // The write that was under way may have been kept without an answer.
      assertThat(n.longValue())
          .as("record %s", entry.getKey())
          .isGreaterThanOrEqualTo(entry.getValue());
    }
    for (String id : erased) {
      assertThat(node.send("GET", NOTE + id, "").statusCode()).as("erased %s", id).isEqualTo(404);
    }
  }
}
