// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.simulation.History;
import dev.entente.simulation.History.Act;
import dev.entente.simulation.History.Operation;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Clients of strong records, who read, write and compare-and-set, and remember what they heard. */
final class Registers {
  static final String POLICY = "type: seat\nconsistency: strong\n";

  private static final int REGISTERS = 3;
  private static final Pattern VALUE = Pattern.compile("\"v\":\"([^\"]*)\"");
  private static final Pattern CONTEXT = Pattern.compile("\"context\":\"([^\"]*)\"");

  private final Nodes nodes;
  private final History history = new History();
  private final AtomicLong made = new AtomicLong();
  private final AtomicLong answered = new AtomicLong();

  Registers(Nodes nodes) {
    this.nodes = nodes;
  }

  /** How many operations were answered. */
  long answered() {
    return answered.get();
  }

  /** What no order explains. */
  Optional<String> unexplained() {
    synchronized (history) {
      return history.unexplained();
    }
  }

  /** Works until it is told to end. */
  void work(int number, BooleanSupplier goesOn) {
    String client = "client-" + number;
    Random chance = new Random(number);
    Map<String, String[]> last = new HashMap<>();
    while (goesOn.getAsBoolean()) {
      String register = "s" + chance.nextInt(REGISTERS);
      RealNode node = nodes.any(chance);
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
