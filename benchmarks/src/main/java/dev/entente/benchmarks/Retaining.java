// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Pruned;
import dev.entente.engine.Retention;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A durable node that lets go of old versions while somebody writes: how fast that goes, what a
 * write waits meanwhile, how large the directory is before and after, and how long a look takes
 * that finds nothing.
 */
public final class Retaining {
  private static final int VERSIONS = Integer.getInteger("versions", 500_000);
  private static final int RECORDS = Integer.getInteger("records", 50_000);
  private static final int TOGETHER = 1_000;

  private Retaining() {}

  private static WriteRequest write(int number) {
    JsonObject document =
        JsonObject.of(Map.of("value", Json.of(number), "note", Json.of("as agreed, " + number)));
    RecordKey key = new RecordKey("main", "t", "r" + number % RECORDS);
    return WriteRequest.of(key, new Edit.Put(document), new Seen.Everything(), "op");
  }

  private static long mebibytes(Path directory) throws IOException {
    long[] bytes = {0};
    try (var files = Files.walk(directory)) {
      for (Path file : files.toList()) {
        bytes[0] += Files.isRegularFile(file) ? Files.size(file) : 0;
      }
    }
    return bytes[0] >> 20;
  }

  /** Writes alone, one after the other, until somebody says enough; how long each took. */
  private static Thread writer(Node node, AtomicBoolean enough, List<Long> nanos) {
    return Thread.ofPlatform()
        .start(() -> {
          for (int i = 0; !enough.get(); i++) {
            long start = System.nanoTime();
            node.write(write(i)).join();
            nanos.add(System.nanoTime() - start);
          }
        });
  }

  private static String spread(List<Long> nanos) {
    long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
    if (sorted.length == 0) {
      return "none";
    }
    return Arrays.stream(new double[] {0.5, 0.99, 1})
        .mapToObj(part -> {
          int at = (int) Math.min(sorted.length - 1L, (long) (part * sorted.length));
          return "%.1f ms".formatted(sorted[at] / 1e6);
        })
        .toList()
        .toString();
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("retaining");
    try (Node node = Node.open(RocksStore.open(directory.resolve("s")), NodeConfig.DEFAULT)) {
      for (int from = 0; from < VERSIONS; from += TOGETHER) {
        List<WriteRequest> requests = new ArrayList<>();
        for (int i = from; i < from + TOGETHER; i++) {
          requests.add(write(i));
        }
        node.writeAll(requests).join();
      }
      System.out.printf("%d versions, %d MiB%n", VERSIONS, mebibytes(directory));
      Retention retention = new Retention(node, 30);
      for (boolean writing : List.of(true, false)) {
        AtomicBoolean enough = new AtomicBoolean();
        List<Long> nanos = new ArrayList<>();
        Thread writer = writing ? writer(node, enough, nanos) : new Thread(() -> {});
        Instant before = Instant.now();
        long start = System.nanoTime();
        Pruned gone =
            retention.run("main", before, retention.stable(List.of(node.id())), false, _ -> true);
        double seconds = (System.nanoTime() - start) / 1e9;
        enough.set(true);
        writer.join();
        System.out.printf(
            "%d versions, %d MiB, let go in %.1f s; writes meanwhile, median, p99,"
                + " longest: %s%n",
            gone.versions(), gone.bytes() >> 20, seconds, spread(nanos));
      }
      long start = System.nanoTime();
      System.out.printf(
          "verify: %s in %.1f s%n",
          node.verify(_ -> {}).broken().orElse("intact"), (System.nanoTime() - start) / 1e9);
    } finally {
      Folders.delete(directory);
    }
  }
}
