// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNumber;
import java.io.PrintWriter;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code entente cluster}. */
@Command(
    name = "cluster",
    description =
        "Shows how the cluster is as the node sees it; cuts, heals, or takes leave of a member.")
final class ClusterCommand extends ClientCommands.Calling {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "show|cut|heal|depart",
      description = "What to do (default: ${DEFAULT-VALUE}).")
  String action = "show";

  @Parameters(index = "1", arity = "0..1", paramLabel = "NODE", description = "For example eu.1.")
  String node = "";

  @Option(
      names = "--wait",
      description =
          "Wait until every link is in step, at most so many seconds; ends with 1 otherwise.")
  int waitSeconds;

  @Override
  Integer run(Client client, PrintWriter out) {
    if (!action.equals("show") && node.isEmpty()) {
      throw new IllegalArgumentException("name the node: entente cluster " + action + " NODE");
    }
    Json cluster =
        switch (action) {
          case "show" -> client.get("/v1/cluster");
          case "cut", "heal" ->
              client.json(
                  "PUT",
                  "/v1/cluster/links/" + Client.escaped(node),
                  Optional.of("{\"cut\":" + action.equals("cut") + "}"));
          case "depart" ->
              client.json(
                  "DELETE", "/v1/cluster/members/" + Client.escaped(node), Optional.empty());
          default ->
              throw new IllegalArgumentException(action + " is none of show, cut, heal, depart");
        };
    long until = System.nanoTime() + waitSeconds * 1_000_000_000L;
    while (!inStep(cluster) && System.nanoTime() < until) {
      pause();
      cluster = client.get("/v1/cluster");
    }
    if (json) {
      out.println(cluster);
    } else {
      show(cluster, out);
    }
    return waitSeconds == 0 || inStep(cluster) ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
  }

  private static void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean inStep(Json cluster) {
    for (Json link : list(cluster, "links")) {
      if (!text(link, "state").equals("in-step")) {
        return false;
      }
    }
    return true;
  }

  private static void show(Json cluster, PrintWriter out) {
    out.printf(
        "%s at %s, log position %s%n",
        text(cluster, "node"), text(cluster, "url"), member(cluster, "position"));
    for (Json link : list(cluster, "links")) {
      String who = text(link, "node");
      out.printf(
          "  %-20s %-12s behind %5.1f s  clock %+d ± %d ms%s  %s%n",
          who.isEmpty() ? text(link, "url") : who,
          text(link, "state"),
          number(link, "behindMillis") / 1e3,
          number(link, "clockOffsetMillis"),
          number(link, "clockErrorMillis"),
          new JsonBool(true).equals(member(link, "clockBeyondTolerance")) ? " (too far)" : "",
          text(link, "problem"));
    }
    for (Json member : list(cluster, "members")) {
      if (new JsonBool(true).equals(member(member, "departed"))) {
        out.println("  " + text(member, "node") + " has left");
      }
    }
  }

  private static long number(Json json, String name) {
    return member(json, name) instanceof JsonNumber number ? number.value().longValue() : 0;
  }
}
