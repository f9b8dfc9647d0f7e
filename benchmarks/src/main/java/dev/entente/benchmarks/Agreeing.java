// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.cluster.group.FreePort;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.EntenteServer;
import dev.entente.server.Peering;
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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Three durable nodes that vote, over HTTP on the loopback, in one process: how long a write takes
 * until the group has agreed, at the node that leads and by way of another; a read that asks
 * whether it is the latest; a quorum; how many agreed writes a second many clients get; and how
 * long nobody accepts when the node that leads is gone. Medians of rounds, with the spread.
 */
public final class Agreeing {
  private static final int ROUNDS = Integer.getInteger("rounds", 5);
  private static final int WARM = Integer.getInteger("warm", 300);
  private static final int REQUESTS = Integer.getInteger("requests", 500);
  private static final int CLIENTS = 64;
  private static final long BURST_MILLIS = 4_000;
  private static final List<String> NAMES = List.of("a", "b", "c");

  private final Map<String, Node> nodes = new TreeMap<>();
  private final Map<String, EntenteServer> servers = new TreeMap<>();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private Agreeing(Path directory) throws IOException {
    List<String> voters = new ArrayList<>();
    for (String name : NAMES) {
      voters.add(name + "=127.0.0.1:" + FreePort.find());
    }
    for (String name : NAMES) {
      Node node =
          Node.open(RocksStore.open(directory.resolve(name)), NodeConfig.DEFAULT.withName(name));
      nodes.put(name, node);
      List<String> seeds = servers.keySet().stream().map(this::url).toList();
      Peering peering =
          new Peering("", seeds, "the secret of the benchmark")
              .withVoters(voters, directory.resolve(name + "-group"));
      servers.put(name, EntenteServer.start(node, "127.0.0.1", 0, "t", Optional.of(peering)));
    }
  }

  private String url(String name) {
    EntenteServer server = servers.get(name);
    if (server == null) {
      throw new IllegalStateException("no node " + name);
    }
    return "http://127.0.0.1:" + server.port();
  }

  private int status(String name, String method, String path, String type, String body)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url(name) + path))
            .header("Authorization", "Bearer t")
            .header("Content-Type", type)
            .method(method, BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
    return answer.statusCode();
  }

  private int put(String name, String type, String id, int n)
      throws IOException, InterruptedException {
    return status(
        name,
        "PUT",
        "/v1/main/records/" + type + "/" + id,
        "application/json",
        "{\"n\":" + n + "}");
  }

  /** Asks for a lock that the asker holds: one entry that changes nothing else. */
  private int lock(String name) throws IOException, InterruptedException {
    return status(
        name, "POST", "/v1/main/locks", "application/json", "{\"lock\":\"x\",\"owner\":\"me\"}");
  }

  private int get(String name, String type, String id) throws IOException, InterruptedException {
    return status(name, "GET", "/v1/main/records/" + type + "/" + id, "application/json", "");
  }

  private void declare() throws IOException, InterruptedException {
    for (String level : List.of("strong", "quorum")) {
      status(
          "a",
          "PUT",
          "/v1/main/policies/" + level,
          "application/yaml",
          "type: " + level + "\nconsistency: " + level + "\n");
    }
    for (String name : NAMES) {
      while (put(name, "strong", "first", 1) >= 300 || put(name, "quorum", "first", 1) >= 300) {
        Thread.sleep(50);
      }
    }
  }

  private String leader() throws IOException, InterruptedException {
    while (true) {
      for (String name : servers.keySet()) {
        HttpRequest request =
            HttpRequest.newBuilder(URI.create(url(name) + "/v1/cluster"))
                .header("Authorization", "Bearer t")
                .build();
        String body = client.send(request, BodyHandlers.ofString()).body();
        if (body.contains("\"leading\":true")) {
          return name;
        }
      }
      Thread.sleep(20);
    }
  }

  /** Something that a client asks for, by number. */
  private interface Asking {
    int ask(int number) throws IOException, InterruptedException;
  }

  /** What each round measured of one thing. */
  private record Measured(String what, List<double[]> rounds) {
    void report() {
      for (double quantile : new double[] {0.5, 0.99}) {
        double[] values =
            rounds.stream()
                .mapToDouble(round -> round[(int) (quantile * (round.length - 1))])
                .sorted()
                .toArray();
        System.out.printf(
            "%s, %s: %.2f ms (%.2f … %.2f)%n",
            what,
            quantile == 0.5 ? "median" : "p99",
            values[values.length / 2],
            values[0],
            values[values.length - 1]);
      }
    }
  }

  private static double[] latencies(Asking asking) throws IOException, InterruptedException {
    for (int i = 0; i < WARM; i++) {
      asking.ask(i);
    }
    double[] millis = new double[REQUESTS];
    for (int i = 0; i < REQUESTS; i++) {
      long start = System.nanoTime();
      int status = asking.ask(i);
      if (status >= 300) {
        throw new IOException("the node answers " + status);
      }
      millis[i] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(millis);
    return millis;
  }

  private double burst(String name) throws InterruptedException {
    AtomicInteger done = new AtomicInteger();
    long end = System.nanoTime() + BURST_MILLIS * 1_000_000;
    List<Thread> clients = new ArrayList<>();
    for (int c = 0; c < CLIENTS; c++) {
      String id = "burst" + c;
      clients.add(
          Thread.startVirtualThread(() -> {
            try {
              while (System.nanoTime() < end) {
                if (put(name, "strong", id, 1) < 300) {
                  done.incrementAndGet();
                }
              }
            } catch (IOException e) {
              throw new IllegalStateException(e);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }));
    }
    for (Thread each : clients) {
      each.join();
    }
    return done.get() * 1_000.0 / BURST_MILLIS;
  }

  /** From the end of the leader to the first write that another has agreed on, in seconds. */
  private double failover() throws IOException, InterruptedException {
    String first = leader();
    long start = System.nanoTime();
    Optional.ofNullable(servers.remove(first)).ifPresent(EntenteServer::close);
    Optional.ofNullable(nodes.remove(first)).ifPresent(Node::close);
    String next = servers.keySet().iterator().next();
    while (put(next, "strong", "after", 1) >= 300) {
      Thread.sleep(10);
    }
    return (System.nanoTime() - start) / 1e9;
  }

  /** Measures all of it. */
  public static void main(String[] args) throws Exception {
    Measured atLeader = new Measured("a strong write at the node that leads", new ArrayList<>());
    Measured decision = new Measured("a decision of the group alone (a lock)", new ArrayList<>());
    Measured elsewhere = new Measured("a strong write at another", new ArrayList<>());
    Measured read = new Measured("a strong read at another", new ArrayList<>());
    Measured quorum = new Measured("a quorum write", new ArrayList<>());
    double[] bursts = new double[ROUNDS];
    double[] failovers = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      Path directory = Files.createTempDirectory("entente-agreeing");
      Agreeing three = new Agreeing(directory);
      try {
        three.declare();
        String leader = three.leader();
        String other = NAMES.stream().filter(n -> !n.equals(leader)).findFirst().orElseThrow();
        atLeader.rounds().add(latencies(i -> three.put(leader, "strong", "x" + i % 100, i)));
        decision.rounds().add(latencies(_ -> three.lock(leader)));
        elsewhere.rounds().add(latencies(i -> three.put(other, "strong", "x" + i % 100, i)));
        read.rounds().add(latencies(i -> three.get(other, "strong", "x" + i % 100)));
        quorum.rounds().add(latencies(i -> three.put(other, "quorum", "x" + i % 100, i)));
        bursts[round] = three.burst(leader);
        failovers[round] = three.failover();
      } finally {
        three.servers.values().forEach(EntenteServer::close);
        three.nodes.values().forEach(Node::close);
        Folders.delete(directory);
      }
    }
    List.of(decision, atLeader, elsewhere, read, quorum).forEach(Measured::report);
    Arrays.sort(bursts);
    Arrays.sort(failovers);
    System.out.printf(
        "%d clients at the node that leads: %,.0f agreed writes a second (%,.0f … %,.0f)%n",
        CLIENTS, bursts[ROUNDS / 2], bursts[0], bursts[ROUNDS - 1]);
    System.out.printf(
        "nobody accepts when the leader is gone: %.2f s (%.2f … %.2f)%n",
        failovers[ROUNDS / 2], failovers[0], failovers[ROUNDS - 1]);
  }
}
