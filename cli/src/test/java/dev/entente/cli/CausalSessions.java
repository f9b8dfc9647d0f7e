// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.simulation.CausalHistory;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Clients of causal records, who move from node to node within a session, and remember. */
final class CausalSessions {
  static final String POLICY = "type: note\nconsistency: causal\ndefault: last-writer-wins\n";

  private static final int REGISTERS = 4;
  private static final Pattern VALUE = Pattern.compile("\"v\":\"([^\"]*)\"");

  private final Nodes nodes;
  private final CausalHistory history = new CausalHistory();

  CausalSessions(Nodes nodes) {
    this.nodes = nodes;
  }

  int size() {
    synchronized (history) {
      return history.size();
    }
  }

  /** What causality does not explain. */
  Optional<String> unexplained() {
    synchronized (history) {
      return history.unexplained();
    }
  }

  /** Works until it is told to end. */
  void work(int number, BooleanSupplier goesOn) {
    Random chance = new Random(number);
    String client = "session-" + number;
    String session = "new";
    for (int n = 0; goesOn.getAsBoolean(); n++) {
      RealNode node = nodes.any(chance);
      try {
        if (node != null) {
          session = step(client, session, node, chance, n);
        }
        Thread.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Reads or writes once; returns the session as it is then. */
  private String step(String client, String session, RealNode node, Random chance, int n)
      throws InterruptedException {
    String register = "c" + chance.nextInt(REGISTERS);
    String path = "/v1/main/records/note/" + register;
    boolean write = chance.nextInt(3) == 0;
    String value = client + "." + n;
    try {
      HttpResponse<String> answer =
          write
              ? node.sendSoon("PUT", path, "{\"v\":\"" + value + "\"}", "Entente-Session", session)
              : node.sendSoon("GET", path, "", "Entente-Session", session);
      String next = answer.headers().firstValue("Entente-Session").orElse("");
      boolean told = !next.isEmpty() && answer.statusCode() < 300;
      if (write) {
        wrote(client, register, value, told);
      } else if (told || (answer.statusCode() == 404 && !next.isEmpty())) {
        Matcher found = VALUE.matcher(answer.body());
        String seen = answer.statusCode() == 404 || !found.find() ? "" : found.group(1);
        synchronized (history) {
          history.read(client, register, seen);
        }
        return next;
      }
      return told ? next : session;
    } catch (IOException e) {
      if (write) {
        wrote(client, register, value, false);
      }
      return session;
    }
  }

  private void wrote(String client, String register, String value, boolean told) {
    synchronized (history) {
      history.write(client, register, value, told);
    }
  }
}
