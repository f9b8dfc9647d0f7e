// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.FreePort;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A cluster is upgraded one node after the other while clients write: everybody is answered, and
 * nothing is lost. The nodes begin with the class path that {@code entente.upgrade.from} gives, an
 * earlier release, and else with this one.
 */
class RollingUpgradeTest {
  private static final String NOW = System.getProperty("java.class.path");
  private static final String BEFORE = System.getProperty("entente.upgrade.from", NOW);
  private static final List<String> NAMES = List.of("a", "b", "c");
  private static final int CLIENTS = 4;

  /** For how long a client goes on asking one node after the other. */
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

  @TempDir Path folder;
  private final Map<String, RealNode> nodes = new LinkedHashMap<>();
  private final Map<String, String[]> options = new LinkedHashMap<>();
  private final NavigableSet<String> acknowledged = new ConcurrentSkipListSet<>();
  private final ConcurrentLinkedQueue<String> unanswered = new ConcurrentLinkedQueue<>();
  private volatile boolean writing = true;

  @AfterEach
  void end() throws InterruptedException {
    for (RealNode node : List.copyOf(nodes.values())) {
      node.kill();
    }
  }

  private RealNode node(String name) {
    synchronized (nodes) {
      return nodes.get(name);
    }
  }

  private void start(String name, String classPath) throws IOException {
    RealNode started =
        RealNode.startOf(
            classPath,
            folder.resolve(name),
            Map.of("ENTENTE_SECRET", "a secret of the cluster"),
            options.get(name));
    synchronized (nodes) {
      nodes.put(name, started);
    }
  }

  private void startAll() throws Exception {
    List<String> voters = new ArrayList<>();
    List<String> urls = new ArrayList<>();
    List<String> ports = new ArrayList<>();
    for (String name : NAMES) {
      voters.add(name + "=127.0.0.1:" + FreePort.find());
      ports.add(String.valueOf(FreePort.find()));
      urls.add("http://127.0.0.1:" + ports.getLast());
    }
    for (int i = 0; i < NAMES.size(); i++) {
      options.put(
          NAMES.get(i),
          new String[] {
            "--name", NAMES.get(i),
            "--port", ports.get(i),
            "--peers", String.join(",", urls),
            "--voters", String.join(",", voters)
          });
    }
    for (String name : NAMES) {
      start(name, BEFORE);
    }
    RealNode first = node("a");
    String policy = "type: seat\nconsistency: strong\n";
    eventually(() ->
        first.send("PUT", "/v1/main/policies/seat", "application/yaml", policy).statusCode()
            == 200);
    for (String name : NAMES) {
      eventually(
          () -> node(name).send("PUT", "/v1/main/records/seat/warm", "{}").statusCode() < 300);
    }
  }

  private static void eventually(Eventually.Check check) throws IOException, InterruptedException {
    Eventually.holds(Duration.ofSeconds(30), check);
  }

  /** Writes records of both kinds; whoever is not answered asks the next node. */
  private void write(int client) {
    Random chance = new Random(client);
    for (int n = 0; writing; n++) {
      String type = chance.nextBoolean() ? "seat" : "note";
      String path = "/v1/main/records/" + type + "/" + client + "-" + n;
      if (isWritten(path, client + "-" + n, chance.nextInt(NAMES.size()))) {
        acknowledged.add(path);
      } else {
        unanswered.add(path);
      }
    }
  }

  private boolean isWritten(String path, String key, int first) {
    long end = System.nanoTime() + PATIENCE_NANOS;
    for (int next = first; System.nanoTime() < end; next++) {
      try {
        RealNode asked = node(NAMES.get(next % NAMES.size()));
        int status = asked.sendSoon("PUT", path, "{}", "Idempotency-Key", key).statusCode();
        if (status < 300) {
          return true;
        }
        Thread.sleep(20);
      } catch (IOException e) {
        // The node ends or begins; the next one answers.
      } catch (InterruptedException e) {
        return false;
      }
    }
    return false;
  }

  @Test
  void everybodyIsAnsweredAndNothingIsLost() throws Exception {
    startAll();
    List<Thread> clients = new ArrayList<>();
    for (int c = 0; c < CLIENTS; c++) {
      int client = c;
      clients.add(Thread.ofVirtual().start(() -> write(client)));
    }
    for (String name : NAMES) {
      int before = acknowledged.size();
      node(name).end();
      start(name, NOW);
      mixedNodesUnderstandEachOther(name);
      eventually(() -> acknowledged.size() > before + 20);
    }
    writing = false;
    for (Thread client : clients) {
      client.join();
    }
    assertThat(unanswered).isEmpty();
    for (String name : NAMES) {
      for (String path : acknowledged) {
        eventually(() -> node(name).send("GET", path, "").statusCode() == 200);
      }
      assertThat(node(name).send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
    }
    System.out.printf("%,d writes acknowledged during the upgrade%n", acknowledged.size());
  }

  /** What is written at any node is read at all others, whichever release they are. */
  private void mixedNodesUnderstandEachOther(String upgraded) throws Exception {
    for (String at : NAMES) {
      for (String type : List.of("seat", "note", "text")) {
        String path = "/v1/main/records/" + type + "/of-" + at + "-after-" + upgraded;
        eventually(
            () -> node(at).send("PUT", path, "{\"body\":\"" + at + "\"}").statusCode() < 300);
        for (String reader : NAMES) {
          eventually(() -> node(reader).send("GET", path, "").body().contains("\"" + at + "\""));
        }
      }
    }
  }
}
