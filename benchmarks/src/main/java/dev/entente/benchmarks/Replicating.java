// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.PullReply;
import dev.entente.cluster.Wire;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Shipment;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.EntenteServer;
import dev.entente.server.Peering;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Two durable nodes over HTTP on the loopback: how long they take to come together after each has
 * written records of its own behind a cut, and how long a write takes to reach the other under a
 * steady load. Both run in this process and share its cores. Medians with the spread.
 */
public final class Replicating {
  private static final String SECRET = "the secret of the benchmark";
  private static final int ROUNDS = Integer.getInteger("rounds", 5);
  private static final int DIVERGENT = Integer.getInteger("divergent", 100_000);
  private static final int PER_SECOND = 5_000;
  private static final int SECONDS = 6;

  private final Path directory;
  private final Node left;
  private final Node right;
  private final List<EntenteServer> servers = new ArrayList<>();

  private Replicating(Path directory) throws IOException {
    this.directory = directory;
    this.left = node("left");
    this.right = node("right");
  }

  private Node node(String name) {
    return Node.open(RocksStore.open(directory.resolve(name)), NodeConfig.DEFAULT.withName(name));
  }

  private void serve(Node node) throws IOException {
    List<String> seeds =
        servers.stream().map(server -> "http://127.0.0.1:" + server.port()).toList();
    Peering peering = new Peering("", seeds, SECRET);
    servers.add(EntenteServer.start(node, "127.0.0.1", 0, "t", Optional.of(peering)));
  }

  /** Measures both. */
  public static void main(String[] args) throws Exception {
    double[] healing = new double[ROUNDS];
    double[][] lag = new double[ROUNDS][];
    double[] copied = new double[ROUNDS];
    double[] pulled = new double[ROUNDS];
    String wire = "";
    for (int round = 0; round < ROUNDS; round++) {
      Path directory = Files.createTempDirectory("entente-replicating");
      Replicating pair = new Replicating(directory);
      try {
        healing[round] = pair.healing();
        lag[round] = pair.lag();
        pair.begin(copied, pulled, round);
        wire = pair.wire();
      } finally {
        pair.close();
      }
    }
    Arrays.sort(healing);
    System.out.printf(
        "%,d divergent records come together in %.2f s (%.2f … %.2f)%n",
        DIVERGENT, healing[ROUNDS / 2], healing[0], healing[ROUNDS - 1]);
    report("median", lag, 0.5);
    report("p99", lag, 0.99);
    report("largest", lag, 1);
    System.out.printf(
        "a new node has %,d versions after %.2f s (%.2f … %.2f) by a copy, %.2f s (%.2f … %.2f) by"
            + " the log%n",
        DIVERGENT + PER_SECOND * SECONDS,
        median(copied),
        copied[0],
        copied[ROUNDS - 1],
        median(pulled),
        pulled[0],
        pulled[ROUNDS - 1]);
    System.out.println(wire);
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /** How long a third node takes to have all: by a copy, and by pulling from the beginning. */
  private void begin(double[] copied, double[] pulled, int round) throws Exception {
    String url = "http://127.0.0.1:" + servers.getFirst().port();
    NodeConfig config = NodeConfig.DEFAULT.withName("third");
    long start = System.nanoTime();
    try (HttpTransport transport = new HttpTransport(SECRET, Optional.empty());
        RocksStore store = RocksStore.open(directory.resolve("copy"))) {
      transport.copy(url, new NodeId("third"), in -> Bootstrap.read(in, store, config, _ -> {}));
    }
    copied[round] = (System.nanoTime() - start) / 1e9;
    Node late = node("late");
    start = System.nanoTime();
    EntenteServer server =
        EntenteServer.start(
            late, "127.0.0.1", 0, "t", Optional.of(new Peering("", List.of(url), SECRET)));
    while (!late.known().dominates(left.known())) {
      Thread.sleep(5);
    }
    pulled[round] = (System.nanoTime() - start) / 1e9;
    server.close();
    late.close();
  }

  /** What travels for a version, against its size in the log. */
  private String wire() {
    long versions = 0;
    long bytes = 0;
    long travelled = 0;
    for (long after = 0; after < left.position(); ) {
      Shipment shipment = left.ship(after, VersionVector.EMPTY, 1 << 20);
      for (Shipment.Entry entry : shipment.entries()) {
        versions++;
        bytes += entry.version().length;
      }
      travelled += size(shipment);
      after = shipment.upTo();
    }
    Shipment one = left.ship(left.position() - 1, VersionVector.EMPTY, 1 << 20);
    return "a version of %.0f bytes travels as %.0f in a stream and %d by itself, HTTP apart"
        .formatted((double) bytes / versions, (double) travelled / versions, size(one));
  }

  private static int size(Shipment shipment) {
    return Wire.toBytes(
            new PullReply(
                shipment,
                shipment.upTo(),
                1_763_802_000_000L,
                1_763_802_000_001L,
                List.of(),
                List.of(),
                Optional.empty(),
                0,
                List.of(),
                List.of()))
        .length;
  }

  private static void report(String what, double[][] lag, double quantile) {
    double[] values = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      Arrays.sort(lag[i]);
      values[i] = lag[i][(int) (quantile * (lag[i].length - 1))];
    }
    Arrays.sort(values);
    System.out.printf(
        "lag at %,d writes/s, %s: %.1f ms (%.1f … %.1f)%n",
        PER_SECOND, what, values[ROUNDS / 2], values[0], values[ROUNDS - 1]);
  }

  private static CompletableFuture<?> write(Node node, String id, int n) {
    JsonObject document =
        (JsonObject) Json.of(Map.of("name", "record " + id, "n", n, "by", node.id().value()));
    return node.write(
        WriteRequest.of(
            new RecordKey("main", "t", id), new Edit.Put(document), new Seen.Everything(), "w"));
  }

  private double healing() throws IOException, InterruptedException {
    fill(left, "left");
    fill(right, "right");
    long start = System.nanoTime();
    serve(left);
    serve(right);
    while (!left.known().equals(right.known())) {
      Thread.sleep(5);
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static void fill(Node node, String prefix) {
    List<CompletableFuture<?>> open = new ArrayList<>();
    for (int i = 0; i < DIVERGENT / 2; i++) {
      open.add(write(node, prefix + i, i));
      if (open.size() == 5_000) {
        CompletableFuture.allOf(open.toArray(CompletableFuture[]::new)).join();
        open.clear();
      }
    }
    CompletableFuture.allOf(open.toArray(CompletableFuture[]::new)).join();
  }

  private double[] lag() throws InterruptedException {
    List<Double> lags = new ArrayList<>();
    List<Thread> probes = new ArrayList<>();
    long start = System.nanoTime();
    int written = 0;
    while (written < PER_SECOND * SECONDS) {
      long due = start + written * 1_000_000_000L / PER_SECOND;
      long rest = due - System.nanoTime();
      if (rest > 1_000_000) {
        Thread.sleep(rest / 1_000_000);
      }
      int mine = written++;
      CompletableFuture<?> done = write(left, "lag" + mine, mine);
      if (mine % 50 == 0) {
        probes.add(Thread.startVirtualThread(() -> probe(done, "lag" + mine, lags)));
      }
    }
    for (Thread probe : probes) {
      probe.join();
    }
    synchronized (lags) {
      return lags.stream().mapToDouble(Double::doubleValue).toArray();
    }
  }

  /** Waits until an acknowledged write shows at the other node. */
  private void probe(CompletableFuture<?> done, String id, List<Double> lags) {
    done.join();
    long acknowledged = System.nanoTime();
    RecordKey key = new RecordKey("main", "t", id);
    try {
      while (!right.read(key).view().exists()) {
        Thread.sleep(0, 200_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (lags) {
      lags.add((System.nanoTime() - acknowledged) / 1e6);
    }
  }

  private void close() throws IOException {
    servers.forEach(EntenteServer::close);
    left.close();
    right.close();
    Folders.delete(directory);
  }
}
