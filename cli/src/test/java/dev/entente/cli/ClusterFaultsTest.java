// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.FreePort;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
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
  private static final Map<String, String> SECRET =
      Map.of("ENTENTE_SECRET", "a secret of the cluster");
  @TempDir Path data;
  private final List<Integer> ports = new ArrayList<>();
  private final AtomicReferenceArray<@Nullable RealNode> nodes = new AtomicReferenceArray<>(3);
  private final Additions additions = new Additions();
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
      ports.add(FreePort.find());
    }
    for (int i = 0; i < 3; i++) {
      start(i);
    }
    node(0).send("PUT", "/v1/main/policies/t", "application/yaml", Additions.POLICY);
    eventually(() -> node(2).send("GET", "/v1/main/policies/t", "").body().contains("counter"));
    List<Thread> writers = new ArrayList<>();
    for (int w = 0; w < 6; w++) {
      int writer = w;
      writers.add(
          Thread.ofVirtual()
              .start(() -> additions.work(writer, _ -> node(writer % 3), () -> loading)));
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
    additions.check(List.of(node(0), node(1), node(2)));
    assertThat(additions.acknowledged()).isGreaterThan(SECONDS * 10);
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
