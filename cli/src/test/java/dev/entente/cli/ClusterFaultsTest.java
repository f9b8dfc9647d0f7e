// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three real nodes under load are killed, stopped and cut off from each other at random: whatever
 * was acknowledged is on all of them in the end, nothing that nobody wrote is, and all show the
 * same.
 */
class ClusterFaultsTest {
  private static final int SECONDS = Integer.getInteger("entente.cluster.seconds", 10);
  private static final String SET = "/v1/main/records/t/set";
  private static final String COUNTER = "/v1/main/records/t/counter";
  private static final Map<String, String> SECRET =
      Map.of("ENTENTE_SECRET", "a secret of the cluster");
  @TempDir Path data;
  private final List<Integer> ports = new ArrayList<>();
  private final AtomicReferenceArray<@Nullable RealNode> nodes = new AtomicReferenceArray<>(3);
  private final NavigableSet<String> attempted = new ConcurrentSkipListSet<>();
  private final NavigableSet<String> acknowledged = new ConcurrentSkipListSet<>();
  private final AtomicLong triedIncrements = new AtomicLong();
  private final AtomicLong countedIncrements = new AtomicLong();
  private volatile boolean loading = true;

  private RealNode node(int i) {
    RealNode node = nodes.get(i);
    if (node == null) {
      throw new IllegalStateException("node " + i + " is not there");
    }
    return node;
  }

  private void start(int i) throws IOException {
    String peers =
        ports.stream()
            .filter(port -> !port.equals(ports.get(i)))
            .map(port -> "http://127.0.0.1:" + port)
            .reduce((a, b) -> a + "," + b)
            .orElseThrow();
    nodes.set(
        i,
        RealNode.start(
            data.resolve("n" + i),
            SECRET,
            "--port",
            ports.get(i).toString(),
            "--name",
            "n" + i,
            "--peers",
            peers));
  }

  @AfterEach
  void end() throws InterruptedException {
    for (int i = 0; i < nodes.length(); i++) {
      RealNode node = nodes.get(i);
      if (node != null) {
        node.kill();
      }
    }
  }

  @Test
  void nothingAcknowledgedIsLostByAClusterThatFallsApartAndHeals() throws Exception {
    for (int i = 0; i < 3; i++) {
      try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        ports.add(socket.getLocalPort());
      }
    }
    for (int i = 0; i < 3; i++) {
      start(i);
    }
    node(0)
        .send(
            "PUT",
            "/v1/main/policies/t",
            "application/yaml",
            "type: t\ndefault: last-writer-wins\nfields: {tags: {cell: set}, n: {cell: counter}}");
    eventually(() -> node(2).send("GET", "/v1/main/policies/t", "").body().contains("counter"));
    List<Thread> writers = new ArrayList<>();
    for (int w = 0; w < 6; w++) {
      int writer = w;
      writers.add(Thread.ofVirtual().start(() -> write(writer)));
    }
    doHarm(new Random(Long.getLong("entente.cluster.seed", 7)));
    loading = false;
    for (Thread writer : writers) {
      writer.join();
    }
    for (int i = 0; i < 3; i++) {
      healAll(i);
    }
    eventually(this::inStep);
    check();
  }

  private void write(int writer) {
    for (int n = 0; loading; n++) {
      String element = writer + "-" + n;
      try {
        RealNode node = node(writer % 3);
        attempted.add(element);
        String add = "{\"ops\":[{\"path\":\"/tags\",\"add\":[\"" + element + "\"]}]}";
        if (patch(node, SET, add).statusCode() < 300) {
          acknowledged.add(element);
        }
        triedIncrements.incrementAndGet();
        if (patch(node, COUNTER, "{\"ops\":[{\"path\":\"/n\",\"increment\":1}]}").statusCode()
            < 300) {
          countedIncrements.incrementAndGet();
        }
        Thread.sleep(5);
      } catch (IOException e) {
        // Whether it was kept is unknown; the next goes to whatever runs there then.
        pause();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static HttpResponse<String> patch(RealNode node, String path, String body)
      throws IOException, InterruptedException {
    return node.send("PATCH", path, "application/vnd.entente.ops+json", body);
  }

  private void doHarm(Random random) throws IOException, InterruptedException {
    long until = System.nanoTime() + SECONDS * 1_000_000_000L;
    while (System.nanoTime() < until) {
      int victim = random.nextInt(3);
      switch (random.nextInt(4)) {
        case 0 -> {
          node(victim).kill();
          Thread.sleep(random.nextInt(300));
          start(victim);
        }
        case 1 -> {
          node(victim).signal("STOP");
          Thread.sleep(200 + random.nextInt(1_000));
          node(victim).signal("CONT");
        }
        case 2 -> cut(victim);
        default -> healAll(victim);
      }
      Thread.sleep(100 + random.nextInt(300));
    }
  }

  private void cut(int i) throws IOException, InterruptedException {
    for (Json link : links(i)) {
      if (((JsonObject) link).get("node").toString().contains(".")) {
        set(i, link, true);
      }
    }
  }

  private void healAll(int i) throws IOException, InterruptedException {
    for (Json link : links(i)) {
      if (((JsonObject) link).get("state").equals(Json.of("cut"))) {
        set(i, link, false);
      }
    }
  }

  private void set(int i, Json link, boolean cut) throws IOException, InterruptedException {
    String peer = ((JsonObject) link).get("node").toString().replace("\"", "");
    node(i).send("PUT", "/v1/cluster/links/" + peer, "{\"cut\":" + cut + "}");
  }

  private List<Json> links(int i) throws IOException, InterruptedException {
    return ((JsonArray) cluster(i).get("links")).items();
  }

  private JsonObject cluster(int i) throws IOException, InterruptedException {
    return (JsonObject) JsonReader.strict().read(node(i).send("GET", "/v1/cluster", "").body());
  }

  private boolean inStep() throws IOException, InterruptedException {
    Json known = cluster(0).get("known");
    return known.equals(cluster(1).get("known")) && known.equals(cluster(2).get("known"));
  }

  private void check() throws IOException, InterruptedException {
    List<JsonObject> sets = new ArrayList<>();
    List<JsonObject> counters = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      sets.add(data(i, SET));
      counters.add(data(i, COUNTER));
      assertThat(node(i).send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
    }
    assertThat(sets.get(1)).isEqualTo(sets.get(0)).isEqualTo(sets.get(2));
    assertThat(counters.get(1)).isEqualTo(counters.get(0)).isEqualTo(counters.get(2));
    List<String> elements =
        ((JsonArray) sets.getFirst().get("tags"))
            .items().stream().map(item -> item.toString().replace("\"", "")).toList();
    assertThat(elements).containsAll(acknowledged);
    assertThat(attempted).containsAll(elements);
    assertThat(((JsonNumber) counters.getFirst().get("n")).longValue())
        .isBetween(countedIncrements.get(), triedIncrements.get());
    assertThat(acknowledged).hasSizeGreaterThan(SECONDS * 10);
    System.out.printf(
        "%d of %d additions acknowledged, %d in the set; counted %d of %d%n",
        acknowledged.size(),
        attempted.size(),
        elements.size(),
        countedIncrements.get(),
        triedIncrements.get());
  }

  private JsonObject data(int i, String path) throws IOException, InterruptedException {
    JsonObject read = (JsonObject) JsonReader.strict().read(node(i).send("GET", path, "").body());
    return (JsonObject) read.get("data");
  }

  /** Something that may throw. */
  @FunctionalInterface
  private interface Check {
    boolean holds() throws IOException, InterruptedException;
  }

  private static void eventually(Check check) throws IOException, InterruptedException {
    for (int i = 0; i < 600 && !check.holds(); i++) {
      Thread.sleep(100);
    }
    assertThat(check.holds()).isTrue();
  }
}
