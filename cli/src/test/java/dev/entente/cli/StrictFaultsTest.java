// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.FreePort;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three processes that vote, under load, while they are killed, stopped for a time and started
 * again: what clients of strong records were told has an order that explains it. Longer with {@code
 * -Dentente.faults.seconds}.
 */
class StrictFaultsTest {
  private static final int SECONDS = Integer.getInteger("entente.faults.seconds", 12);
  private static final int CLIENTS = 5;
  private static final Map<String, String> SECRET =
      Map.of("ENTENTE_SECRET", "a secret of the cluster");

  @TempDir Path folder;
  private final Map<String, RealNode> nodes = new HashMap<>();
  private final Map<String, Integer> ports = new HashMap<>();
  private final List<String> voters = new ArrayList<>();
  private final AtomicBoolean over = new AtomicBoolean();

  private static int freePort() throws IOException {
    return FreePort.find();
  }

  private void start(String name) throws IOException {
    List<String> peers = new ArrayList<>();
    ports.forEach((other, port) -> {
      if (!other.equals(name)) {
        peers.add("http://127.0.0.1:" + port);
      }
    });
    RealNode node =
        RealNode.start(
            folder.resolve(name),
            SECRET,
            "--name",
            name,
            "--port",
            String.valueOf(ports.get(name)),
            "--peers",
            String.join(",", peers),
            "--voters",
            String.join(",", voters));
    synchronized (nodes) {
      nodes.put(name, node);
    }
  }

  private @Nullable RealNode node(String name) {
    synchronized (nodes) {
      return nodes.get(name);
    }
  }

  @AfterEach
  void stop() throws Exception {
    synchronized (nodes) {
      for (RealNode node : nodes.values()) {
        node.kill();
      }
    }
  }

  @Test
  void whatClientsOfStrongRecordsWereToldHasAnOrder() throws Exception {
    List<String> names = List.of("a", "b", "c");
    for (String name : names) {
      ports.put(name, freePort());
      voters.add(name + "=127.0.0.1:" + freePort());
    }
    for (String name : names) {
      start(name);
    }
    declare(names);
    Registers registers = new Registers(chance -> node(names.get(chance.nextInt(names.size()))));
    List<Thread> clients = new ArrayList<>();
    for (int c = 0; c < CLIENTS; c++) {
      int client = c;
      clients.add(Thread.ofVirtual().start(() -> registers.work(client, () -> !over.get())));
    }
    harm(names);
    over.set(true);
    for (Thread client : clients) {
      client.join();
    }
    assertThat(registers.answered()).as("operations that were answered").isGreaterThan(30);
    assertThat(registers.unexplained()).isEmpty();
  }

  private void declare(List<String> names) throws Exception {
    for (int tries = 0; ; tries++) {
      int told = 0;
      for (String name : names) {
        RealNode node = node(name);
        if (node != null
            && node.send("PUT", "/v1/main/policies/seat", "application/yaml", Registers.POLICY)
                    .statusCode()
                == 200
            && node.send("PUT", "/v1/main/records/seat/warm", "{}").statusCode() < 300) {
          told++;
        }
      }
      if (told == names.size()) {
        return;
      }
      assertThat(tries).as("the nodes agree in time").isLessThan(300);
      Thread.sleep(100);
    }
  }

  /** One thing after another is done to the nodes; a majority is left most of the time. */
  private void harm(List<String> names) throws Exception {
    Random chance = new Random(7);
    long end = System.nanoTime() + SECONDS * 1_000_000_000L;
    while (System.nanoTime() < end) {
      Thread.sleep(1_200);
      String victim = names.get(chance.nextInt(names.size()));
      RealNode node = node(victim);
      if (node != null) {
        if (chance.nextBoolean()) {
          node.kill();
          Thread.sleep(500);
          start(victim);
        } else {
          node.signal("STOP");
          Thread.sleep(2_500);
          node.signal("CONT");
        }
      }
    }
  }
}
