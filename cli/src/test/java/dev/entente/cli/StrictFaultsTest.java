// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.simulation.History;
import dev.entente.simulation.History.Act;
import dev.entente.simulation.History.Operation;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
  private static final int REGISTERS = 3;
  private static final Pattern VALUE = Pattern.compile("\"v\":\"([^\"]*)\"");
  private static final Pattern CONTEXT = Pattern.compile("\"context\":\"([^\"]*)\"");
  private static final Map<String, String> SECRET =
      Map.of("ENTENTE_SECRET", "a secret of the cluster");

  @TempDir Path folder;
  private final Map<String, RealNode> nodes = new HashMap<>();
  private final Map<String, Integer> ports = new HashMap<>();
  private final List<String> voters = new ArrayList<>();
  private final History history = new History();
  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicLong made = new AtomicLong();
  private final AtomicLong answered = new AtomicLong();

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
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
    List<Thread> clients = new ArrayList<>();
    for (int c = 0; c < CLIENTS; c++) {
      int client = c;
      clients.add(Thread.ofVirtual().start(() -> work("client-" + client, client, names)));
    }
    harm(names);
    over.set(true);
    for (Thread client : clients) {
      client.join();
    }
    assertThat(answered.get()).as("operations that were answered").isGreaterThan(30);
    assertThat(history.unexplained()).isEmpty();
  }

  private void declare(List<String> names) throws Exception {
    String policy = "type: seat\nconsistency: strong\n";
    for (int tries = 0; ; tries++) {
      int told = 0;
      for (String name : names) {
        RealNode node = node(name);
        if (node != null
            && node.send("PUT", "/v1/main/policies/seat", "application/yaml", policy).statusCode()
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

  private void work(String client, int seed, List<String> names) {
    Random chance = new Random(seed);
    Map<String, String[]> last = new HashMap<>();
    while (!over.get()) {
      String register = "s" + chance.nextInt(REGISTERS);
      RealNode node = node(names.get(chance.nextInt(names.size())));
      if (node != null) {
        if (chance.nextInt(3) == 0) {
          read(client, register, node, last);
        } else {
          write(client, register, node, last.get(register), chance);
        }
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(30);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void did(String client, String register, long called, long done, Act act) {
    if (done != History.NEVER) {
      answered.incrementAndGet();
    }
    synchronized (history) {
      history.add(new Operation(register, client, called, done, act));
    }
  }

  private void read(String client, String register, RealNode node, Map<String, String[]> last) {
    long called = System.nanoTime();
    try {
      HttpResponse<String> answer = node.sendSoon("GET", "/v1/main/records/seat/" + register, "");
      boolean stale = answer.headers().firstValue("Entente-Stale").isPresent();
      if (!stale && answer.statusCode() == 404) {
        did(client, register, called, System.nanoTime(), new Act.Read(""));
      } else if (!stale && answer.statusCode() == 200) {
        String value = group(VALUE, answer.body());
        last.put(register, new String[] {value, group(CONTEXT, answer.body())});
        did(client, register, called, System.nanoTime(), new Act.Read(value));
      }
    } catch (IOException e) {
      // Nobody was told anything.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String group(Pattern pattern, String body) {
    Matcher found = pattern.matcher(body);
    return found.find() ? found.group(1) : "";
  }

  private void write(
      String client, String register, RealNode node, String @Nullable [] seen, Random chance) {
    String value = client + "." + made.incrementAndGet();
    boolean swap = seen != null && chance.nextInt(3) > 0;
    Act act = swap && seen != null ? new Act.Swap(seen[0], value, true) : new Act.Write(value);
    String path = "/v1/main/records/seat/" + register;
    String body = "{\"v\":\"" + value + "\"}";
    long called = System.nanoTime();
    try {
      HttpResponse<String> answer =
          swap && seen != null
              ? node.sendSoon("PUT", path, body, "If-Match", "\"" + seen[1] + "\"")
              : node.sendSoon("PUT", path, body);
      long done = System.nanoTime();
      switch (answer.statusCode()) {
        case 200, 201 -> did(client, register, called, done, act);
        case 412 -> {
          if (act instanceof Act.Swap(String expected, _, _)) {
            did(client, register, called, done, new Act.Swap(expected, value, false));
          }
        }
        case 503 -> {
          if (answer.body().contains("\"outcome\":\"unknown\"")) {
            did(client, register, called, History.NEVER, act);
          }
        }
        default -> throw new AssertionError(answer.statusCode() + " " + answer.body());
      }
    } catch (ConnectException e) {
      // Nobody was asked.
      return;
    } catch (IOException e) {
      did(client, register, called, History.NEVER, act);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
