// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.EntenteServer;
import dev.entente.server.ServerConfig;
import dev.entente.server.access.RateLimits;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * Two tenants of one durable node: how long the writes of one take while the other is quiet, and
 * while it goes on as fast as it can, whatever it is answered. Over HTTP on the loopback; the
 * clients take their share of the same cores.
 */
public final class Neighbouring {
  private static final int ROUNDS = Integer.getInteger("rounds", 5);
  private static final int SECONDS = Integer.getInteger("seconds", 10);
  private static final int QUIET = Integer.getInteger("quiet", 4);
  private static final int NOISY = Integer.getInteger("noisy", 32);
  private static final int PAUSE_MILLIS = 20;

  /** Requests a second that one tenant may send; 0 for any. */
  private static final int QUOTA = Integer.getInteger("quota", 300);

  private final EntenteServer server;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private Neighbouring(EntenteServer server) {
    this.server = server;
  }

  private HttpResponse<String> send(String method, String path, String token, String body)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body))
            .build();
    return client.send(request, BodyHandlers.ofString());
  }

  private String token(String account) throws IOException, InterruptedException {
    String path = "/v1/cluster/accounts/" + account;
    send("PUT", path, "t", "{\"grants\":[\"writer@" + account + "\"]}");
    String issued = send("POST", path + "/tokens", "t", "{\"note\":\"benchmark\"}").body();
    return ((JsonString) ((JsonObject) JsonReader.strict().read(issued)).get("token")).value();
  }

  /** Writes at a steady pace; how long each took, in milliseconds, sorted. */
  private double[] pace(String token) throws InterruptedException {
    ConcurrentLinkedQueue<Double> millis = new ConcurrentLinkedQueue<>();
    long end = System.nanoTime() + SECONDS * 1_000_000_000L;
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < QUIET; t++) {
      int writer = t;
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  for (int i = 0; System.nanoTime() < end; i++) {
                    String path = "/v1/quiet/records/note/" + writer + "-" + i % 100;
                    long began = System.nanoTime();
                    int status = send("PUT", path, token, "{\"v\":" + i + "}").statusCode();
                    millis.add((System.nanoTime() - began) / 1e6);
                    if (status >= 300) {
                      throw new IllegalStateException("a quiet writer was answered " + status);
                    }
                    Thread.sleep(PAUSE_MILLIS);
                  }
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return millis.stream().mapToDouble(Double::doubleValue).sorted().toArray();
  }

  private void show(String what, double[] millis) {
    System.out.printf(
        "  %-28s %,6d writes   median %6.2f ms   p95 %6.2f ms   p99 %6.2f ms%n",
        what,
        millis.length,
        millis[millis.length / 2],
        millis[millis.length * 95 / 100],
        millis[millis.length * 99 / 100]);
  }

  private void run() throws Exception {
    String quiet = token("quiet");
    String noisy = token("noisy");
    pace(quiet);
    List<Double> factors = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      double[] alone = pace(quiet);
      AtomicBoolean going = new AtomicBoolean(true);
      LongAdder accepted = new LongAdder();
      LongAdder refused = new LongAdder();
      List<Thread> neighbours = new ArrayList<>();
      for (int t = 0; t < NOISY; t++) {
        int writer = t;
        neighbours.add(
            Thread.ofVirtual()
                .start(() -> {
                  for (int i = 0; going.get(); i++) {
                    String path = "/v1/noisy/records/note/" + writer + "-" + i % 500;
                    try {
                      int status = send("PUT", path, noisy, "{\"v\":" + i + "}").statusCode();
                      (status < 300 ? accepted : refused).increment();
                    } catch (IOException e) {
                      refused.increment();
                    } catch (InterruptedException e) {
                      return;
                    }
                  }
                }));
      }
      double[] beside = pace(quiet);
      going.set(false);
      for (Thread neighbour : neighbours) {
        neighbour.join();
      }
      show("alone", alone);
      show("beside a noisy neighbour", beside);
      double factor = beside[beside.length * 99 / 100] / alone[alone.length * 99 / 100];
      factors.add(factor);
      System.out.printf(
          "  p99 grows %.2f times; the neighbour: %,d a second accepted, %,d refused%n",
          factor, accepted.sum() / SECONDS, refused.sum() / SECONDS);
    }
    factors.sort(null);
    System.out.printf(
        "p99 grows %.2f times in the median of %d rounds, %.2f to %.2f%n",
        factors.get(ROUNDS / 2), ROUNDS, factors.getFirst(), factors.getLast());
  }

  public static void main(String[] args) throws Exception {
    Path directory = Files.createTempDirectory("entente-neighbouring");
    try (Node node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT.withName("n"));
        EntenteServer server =
            EntenteServer.start(
                node, ServerConfig.of(0, "t").within(new RateLimits.Limits(0, 0, QUOTA)))) {
      new Neighbouring(server).run();
    } finally {
      Folders.delete(directory);
    }
  }
}
