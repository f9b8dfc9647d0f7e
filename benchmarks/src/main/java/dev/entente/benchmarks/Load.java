// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Table;
import dev.entente.server.EntenteServer;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * The load generator: durable writes through the engine against the store's own limit, sync batches
 * over HTTP, and single conditional writes over HTTP, three rounds each, medians with the spread.
 * Bounded in time; talks to its own node on the loopback address only.
 */
public final class Load {
  private static final int ROUNDS = 3;
  private static final int WARM_UPS = 3;
  private static final long ROUND_MILLIS = 5_000;

  private Load() {}

  /**
   * One measured round: operations a second, and latencies in microseconds where they were taken.
   */
  private record Round(double perSecond, double p50, double p99) {}

  private interface Measured {
    Round run(int round) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    System.out.printf(
        "%d cores, %s, %s%n",
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.version"),
        System.getProperty("os.version"));
    Path directory = Files.createTempDirectory("entente-load");
    String only = args.length == 0 ? "" : args[0];
    report(
        only,
        "store alone: one thread commits batches of 64 synced, writes/s",
        round -> storeAlone(directory.resolve("store" + round)));
    report(
        only,
        "engine: 64 writers, durable, writes/s",
        round -> engine(directory.resolve("engine" + round)));
    report(
        only,
        "http sync: batches of 500, 8 connections, 10 % conflicts, events/s",
        round -> sync(directory.resolve("sync" + round)));
    report(
        only,
        "http conditional: 16 connections, writes/s",
        round -> conditional(directory.resolve("cond" + round)));
  }

  private static void report(String only, String name, Measured measured) throws Exception {
    if (!name.contains(only)) {
      return;
    }
    for (int i = 0; i < WARM_UPS; i++) {
      measured.run(-1 - i);
    }
    List<Round> rounds = new ArrayList<>();
    for (int i = 0; i < ROUNDS; i++) {
      rounds.add(measured.run(i));
    }
    double[] rates = rounds.stream().mapToDouble(Round::perSecond).sorted().toArray();
    double p50 = rounds.stream().mapToDouble(Round::p50).sorted().toArray()[ROUNDS / 2];
    double p99 = rounds.stream().mapToDouble(Round::p99).sorted().toArray()[ROUNDS / 2];
    System.out.printf(
        "%-70s median %,9.0f  (%,.0f … %,.0f)",
        name, rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]);
    System.out.println(
        p99 > 0 ? String.format("  p50 %.2f ms  p99 %.2f ms", p50 / 1000, p99 / 1000) : "");
  }

  /** The bytes of one small write as the engine stores it, in its three entries. */
  private static Round storeAlone(Path directory) {
    try (RocksStore store = RocksStore.open(directory)) {
      long end = System.nanoTime() + ROUND_MILLIS * 1_000_000;
      long writes = 0;
      long start = System.nanoTime();
      while (System.nanoTime() < end) {
        Batch batch = new Batch();
        for (int i = 0; i < 64; i++) {
          byte[] key = ByteBuffer.allocate(24).putLong(8, ++writes).array();
          batch.put(Table.LOG, key, new byte[150]);
          batch.put(Table.RECORDS, key, new byte[150]);
          batch.put(Table.AUDIT, key, new byte[220]);
        }
        store.commit(batch);
      }
      return new Round(writes * 1e9 / (System.nanoTime() - start), 0, 0);
    }
  }

  private static Round engine(Path directory) throws InterruptedException {
    try (Node node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT)) {
      return parallel(
          64,
          (writer, latencies) -> {
            RecordKey key = new RecordKey("main", "doc", writer + "-" + latencies.count);
            Edit edit =
                new Edit.Put(
                    (JsonObject)
                        Json.of(Map.of("name", "somebody", "n", latencies.count, "flag", true)));
            node.write(WriteRequest.of(key, edit, new Seen.Nothing(), "load")).join();
            return 1;
          });
    }
  }

  private static Round sync(Path directory) throws InterruptedException {
    try (Node node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT);
        EntenteServer server = EntenteServer.start(node, "127.0.0.1", 0, "t")) {
      put(node, "type: doc\ndefault: last-writer-wins");
      return parallel(
          8,
          (writer, latencies) -> {
            StringBuilder body =
                new StringBuilder("{\"device\":\"d").append(writer).append("\",\"events\":[");
            for (int i = 0; i < 500; i++) {
              // Every tenth event is about a record of the batch before, written without having
              // seen it.
              long batch =
                  i % 10 == 0 && latencies.count > 0 ? latencies.count - 1 : latencies.count;
              body.append(i == 0 ? "" : ",")
                  .append("{\"id\":\"")
                  .append(writer)
                  .append('-')
                  .append(latencies.count)
                  .append('-')
                  .append(i)
                  .append("\",\"type\":\"doc\",\"author\":\"a")
                  .append(latencies.count % 7)
                  .append("\",\"recordId\":\"")
                  .append(writer)
                  .append('-')
                  .append(batch)
                  .append('-')
                  .append(i % 10 == 0 ? i + 1 : i)
                  .append("\",\"data\":{\"name\":\"somebody\",\"n\":")
                  .append(latencies.count * 500 + i)
                  .append("}}");
            }
            latencies
                .connection(server.port())
                .post("/v1/main/sync", body.append("]}").toString(), Map.of());
            return 500;
          });
    }
  }

  private static Round conditional(Path directory) throws InterruptedException {
    try (Node node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT);
        EntenteServer server = EntenteServer.start(node, "127.0.0.1", 0, "t")) {
      put(node, "type: doc\nwrites: [conditional]");
      return parallel(
          16,
          (writer, latencies) -> {
            String match =
                latencies.etag == null ? "If-None-Match: *" : "If-Match: " + latencies.etag;
            latencies.etag =
                latencies
                    .connection(server.port())
                    .send(
                        "PUT",
                        "/v1/main/records/doc/r" + writer,
                        "{\"name\":\"somebody\",\"n\":" + latencies.count + "}",
                        match);
            return 1;
          });
    }
  }

  private static void put(Node node, String policy) {
    try {
      node.putPolicy("main", policy, "load").join();
    } catch (dev.entente.core.policy.PolicyProblem.PolicyException e) {
      throw new IllegalStateException(e);
    }
  }

  private interface Work {
    int once(int writer, Writer latencies) throws IOException;
  }

  /** What one writer keeps: its connection, its last tag, its latencies. */
  private static final class Writer {
    private final List<long[]> blocks = new ArrayList<>();
    private int used;
    private long count;
    private @org.jspecify.annotations.Nullable String etag;
    private @org.jspecify.annotations.Nullable Connection connection;

    void add(long nanos) {
      if (blocks.isEmpty() || used == 4096) {
        blocks.add(new long[4096]);
        used = 0;
      }
      blocks.getLast()[used++] = nanos;
      count++;
    }

    Connection connection(int port) throws IOException {
      Connection open = connection;
      if (open == null) {
        open = new Connection(port);
        connection = open;
      }
      return open;
    }
  }

  private static Round parallel(int writers, Work work) throws InterruptedException {
    LongAdder done = new LongAdder();
    AtomicBoolean stop = new AtomicBoolean();
    List<Writer> all = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    long start = System.nanoTime();
    for (int w = 0; w < writers; w++) {
      int writer = w;
      Writer mine = new Writer();
      all.add(mine);
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  while (!stop.get()) {
                    long from = System.nanoTime();
                    done.add(work.once(writer, mine));
                    mine.add(System.nanoTime() - from);
                  }
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }
    Thread.sleep(ROUND_MILLIS);
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    long[] sorted =
        all.stream()
            .flatMapToLong(w -> {
              List<Long> values = new ArrayList<>();
              for (int b = 0; b < w.blocks.size(); b++) {
                int end = b == w.blocks.size() - 1 ? w.used : 4096;
                for (int i = 0; i < end; i++) {
                  values.add(w.blocks.get(b)[i]);
                }
              }
              return values.stream().mapToLong(Long::longValue);
            })
            .sorted()
            .toArray();
    return new Round(
        done.sum() / seconds,
        sorted[sorted.length / 2] / 1e3,
        sorted[(int) (sorted.length * 0.99)] / 1e3);
  }

  /**
   * A keep-alive HTTP/1.1 connection that does no more than it must, so that the generator takes
   * little of the two cores.
   */
  private static final class Connection {
    private final OutputStream out;
    private final InputStream in;

    Connection(int port) throws IOException {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
      out = socket.getOutputStream();
      in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
    }

    void post(String path, String body, Map<String, String> ignored) throws IOException {
      send("POST", path, body, "X-Load: " + ignored.size());
    }

    /** Sends, reads the whole answer, and returns its ETag. */
    String send(String method, String path, String body, String header) throws IOException {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      byte[] head =
          (method
                  + " "
                  + path
                  + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\nContent-Type: application/json\r\n"
                  + header
                  + "\r\nContent-Length: "
                  + bytes.length
                  + "\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII);
      byte[] all = Arrays.copyOf(head, head.length + bytes.length);
      System.arraycopy(bytes, 0, all, head.length, bytes.length);
      out.write(all);
      out.flush();
      String status = line();
      if (!status.startsWith("HTTP/1.1 2")) {
        throw new IOException("refused: " + status);
      }
      String etag = "";
      int length = 0;
      for (String line = line(); !line.isEmpty(); line = line()) {
        if (line.regionMatches(true, 0, "etag:", 0, 5)) {
          etag = line.substring(5).strip();
        } else if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
          length = Integer.parseInt(line.substring(15).strip());
        }
      }
      in.skipNBytes(length);
      return etag;
    }

    private String line() throws IOException {
      StringBuilder line = new StringBuilder();
      for (int c = in.read(); c != '\n'; c = in.read()) {
        if (c < 0) {
          throw new IOException("the connection ended");
        }
        if (c != '\r') {
          line.append((char) c);
        }
      }
      return line.toString();
    }
  }
}
