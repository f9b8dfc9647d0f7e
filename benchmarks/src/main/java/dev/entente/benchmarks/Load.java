// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.cli.bench.ClosedLoop;
import dev.entente.cli.bench.ClosedLoop.Result;
import dev.entente.cli.bench.HttpLoad;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Table;
import dev.entente.server.EntenteServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The load generator: durable writes through the engine against the store's own limit, sync batches
 * over HTTP, and single conditional writes over HTTP. What is compared is measured in turn, round
 * by round, so that both meet the same moods of the machine; medians with the spread. Bounded in
 * time; talks to its own node on the loopback address only.
 */
public final class Load {
  private static final int ROUNDS = 5;
  private static final int WARM_UPS = 3;
  private static final Duration ROUND = Duration.ofSeconds(4);
  private static final int WRITERS = 64;
  private static final int CONNECTIONS = 16;

  /** The lengths of what the engine stores for one small write, keys included (measured: 458). */
  private static final int[] ENTRIES = {130, 130, 200};

  private Load() {}

  private record Part(String name, Measured measured) {}

  private interface Measured {
    Result run(Path directory) throws IOException, InterruptedException;
  }

  /** Measures all, or what names a word of the arguments. */
  public static void main(String[] args) throws Exception {
    System.out.printf(
        "%d cores, %s, %s%n",
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.version"),
        System.getProperty("os.version"));
    String only = args.length == 0 ? "" : args[0];
    Path directory = Files.createTempDirectory("entente-load");
    try {
      if ("engine".contains(only)) {
        report(
            directory,
            new Part("store alone, one thread, batches of 64 writes", Load::storeAlone),
            new Part("store alone, 64 threads, each its own write", Load::storeShared),
            new Part("engine, 64 writers, each its own write", Load::engine));
      }
      if ("sync".contains(only)) {
        report(directory, new Part("http sync, batches of 500, 10 % conflicts", Load::sync));
      }
      if ("conditional".contains(only)) {
        report(directory, new Part("http conditional writes", Load::conditional));
      }
    } finally {
      Folders.delete(directory);
    }
  }

  private static void report(Path directory, Part... parts) throws Exception {
    List<List<Result>> results = new ArrayList<>();
    for (Part _ : parts) {
      results.add(new ArrayList<>());
    }
    for (int round = -WARM_UPS; round < ROUNDS; round++) {
      for (int i = 0; i < parts.length; i++) {
        Path own = directory.resolve(round + "-" + i);
        Result result = parts[i].measured().run(own);
        Folders.delete(own);
        if (round >= 0) {
          results.get(i).add(result);
        }
      }
    }
    for (int i = 0; i < parts.length; i++) {
      double[] rates = results.get(i).stream().mapToDouble(Result::perSecond).sorted().toArray();
      System.out.printf(
          "%-48s %,9.0f/s  (%,.0f … %,.0f)  p50 %.2f ms  p99 %.2f ms%n",
          parts[i].name(),
          rates[ROUNDS / 2],
          rates[0],
          rates[ROUNDS - 1],
          median(results.get(i), Result::p50Micros) / 1000,
          median(results.get(i), Result::p99Micros) / 1000);
    }
    for (int i = 0; i < parts.length - 1; i++) {
      List<Double> shares = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        shares.add(
            results.getLast().get(round).perSecond() / results.get(i).get(round).perSecond());
      }
      shares.sort(Comparator.naturalOrder());
      System.out.printf(
          "  the last reaches %.0f %% of \"%s\"  (%.0f … %.0f)%n",
          100 * shares.get(ROUNDS / 2),
          parts[i].name(),
          100 * shares.getFirst(),
          100 * shares.getLast());
    }
  }

  private static double median(
      List<Result> results, java.util.function.ToDoubleFunction<Result> figure) {
    return results.stream().mapToDouble(figure).sorted().toArray()[ROUNDS / 2];
  }

  /** Puts the bytes of one small write as the engine stores it, in its three entries. */
  private static void put(Batch batch, int writer, long number) {
    Table[] tables = {Table.LOG, Table.RECORDS, Table.AUDIT};
    byte[] key = ByteBuffer.allocate(16).putLong(writer).putLong(number).array();
    for (int i = 0; i < ENTRIES.length; i++) {
      batch.put(tables[i], key, new byte[ENTRIES[i] - key.length]);
    }
  }

  private static Result storeAlone(Path directory) throws IOException, InterruptedException {
    try (RocksStore store = RocksStore.open(directory)) {
      return ClosedLoop.run(
          1,
          ROUND,
          writer ->
              count -> {
                Batch batch = new Batch();
                for (int i = 0; i < WRITERS; i++) {
                  put(batch, writer, count * WRITERS + i);
                }
                store.commit(batch);
                return WRITERS;
              });
    }
  }

  /** The store gathers what its 64 callers write; they are threads of the platform. */
  private static Result storeShared(Path directory) throws IOException, InterruptedException {
    try (RocksStore store = RocksStore.open(directory)) {
      return ClosedLoop.onPlatformThreads(
          WRITERS,
          ROUND,
          writer ->
              count -> {
                Batch batch = new Batch();
                put(batch, writer, count);
                store.commit(batch);
                return 1;
              });
    }
  }

  private static Result engine(Path directory) throws IOException, InterruptedException {
    try (Node node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT)) {
      return ClosedLoop.run(
          WRITERS,
          ROUND,
          writer ->
              count -> {
                RecordKey key = new RecordKey("main", "doc", writer + "-" + count);
                Edit edit =
                    new Edit.Put(
                        (JsonObject) Json.of(Map.of("name", "somebody", "n", count, "flag", true)));
                node.write(WriteRequest.of(key, edit, new Seen.Nothing(), "load")).join();
                return 1;
              });
    }
  }

  private static Result sync(Path directory) throws IOException, InterruptedException {
    try (Node node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT);
        EntenteServer server = EntenteServer.start(node, "127.0.0.1", 0, "t")) {
      return HttpLoad.sync(target(node, server), CONNECTIONS, ROUND);
    }
  }

  private static Result conditional(Path directory) throws IOException, InterruptedException {
    try (Node node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT);
        EntenteServer server = EntenteServer.start(node, "127.0.0.1", 0, "t")) {
      return HttpLoad.conditional(target(node, server), CONNECTIONS, ROUND);
    }
  }

  private static HttpLoad.Target target(Node node, EntenteServer server) {
    try {
      node.putPolicy("main", HttpLoad.POLICY.formatted("doc"), "load").join();
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    }
    return new HttpLoad.Target("127.0.0.1", server.port(), "t", "main", "doc", "r");
  }
}
