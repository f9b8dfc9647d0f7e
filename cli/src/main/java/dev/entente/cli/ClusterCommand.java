// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code entente cluster}. */
@Command(
    name = "cluster",
    description =
        "Shows how the cluster is as the node sees it; cuts, heals, takes leave of a member; says"
            + " which side goes on in a split (split-brain STRATEGY); lets voters in and has them"
            + " go (add-voter NAME=HOST:PORT, remove-voter NAME); shows what coming together would"
            + " do (preview) and has done (healings).")
final class ClusterCommand extends Calling {
  /** What is done to no node in particular, or to the node that is asked. */
  private static final Set<String> NAMELESS = Set.of("show", "healings", "accept-clock");

  /** What waits for no links. */
  private static final Set<String> UNAWAITED =
      Set.of("healings", "preview", "split-brain", "add-voter", "remove-voter");

  /** How many records are shown of a report. */
  private static final int LISTED_MAX = 20;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel =
          "show|cut|heal|depart|readmit|split-brain|add-voter|remove-voter|preview|healings|accept-clock|admit",
      description = "What to do (default: ${DEFAULT-VALUE}).")
  String action = "show";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "NODE",
      description =
          "For example eu.1; a voter, as eu=10.0.0.1:7500 or eu; or a strategy: keep-majority,"
              + " static-quorum, keep-oldest, lease, down-all.")
  String node = "";

  @Option(
      names = "--quorum",
      paramLabel = "N",
      description = "How many members a side needs to go on, for static-quorum.")
  int quorum;

  @Option(
      names = "--wait",
      description =
          "Wait until every link is in step, at most so many seconds; ends with 1 otherwise.")
  int waitSeconds;

  @Option(
      names = "--undo-access",
      description =
          "With depart, of a node that was taken over: undo all that it granted, even what an"
              + " administrator's key signed.")
  boolean undoAccess;

  @Override
  Integer run(Client client, PrintWriter out) {
    requireEffects();
    if (action.equals("healings")) {
      return healings(client, out);
    }
    if (!NAMELESS.contains(action) && node.isEmpty()) {
      throw new IllegalArgumentException("name the node: entente cluster " + action + " NODE");
    }
    if (action.equals("split-brain")) {
      return splitBrain(client, out);
    }
    if (action.equals("preview")) {
      return preview(client, out);
    }
    if (action.equals("add-voter") || action.equals("remove-voter")) {
      return voters(client, out);
    }
    Json cluster =
        switch (action) {
          case "show" -> client.get("/v1/cluster");
          case "cut", "heal" ->
              client.json(
                  "PUT",
                  "/v1/cluster/links/" + Client.escaped(node),
                  Optional.of("{\"cut\":" + action.equals("cut") + "}"));
          case "accept-clock" -> {
            client.json("POST", "/v1/cluster/clock", Optional.of("{\"accept\":true}"));
            yield client.get("/v1/cluster");
          }
          case "admit" -> {
            client.json(
                "POST", "/v1/cluster/held/" + Client.escaped(node) + "/admit", Optional.of("{}"));
            yield client.get("/v1/cluster");
          }
          case "readmit" ->
              client.json(
                  "POST",
                  "/v1/cluster/members/" + Client.escaped(node) + "/readmit",
                  Optional.of("{}"));
          case "depart" ->
              client.json(
                  "DELETE",
                  "/v1/cluster/members/"
                      + Client.escaped(node)
                      + (undoAccess ? "?undo-access=true" : ""),
                  Optional.empty());
          default ->
              throw new IllegalArgumentException(
                  action
                      + " is none of show, cut, heal, depart, readmit, accept-clock, admit,"
                      + " split-brain, add-voter, remove-voter, preview, healings");
        };
    Json access = member(cluster, "access");
    long until = System.nanoTime() + waitSeconds * 1_000_000_000L;
    while (!inStep(cluster) && System.nanoTime() < until) {
      pause();
      cluster = client.get("/v1/cluster");
    }
    if (json) {
      out.println(cluster);
    } else {
      showAccess(access, out);
      show(cluster, out);
    }
    return waitSeconds == 0 || inStep(cluster) ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
  }

  private void requireEffects() {
    if (NAMELESS.contains(action) && !node.isEmpty()) {
      throw new IllegalArgumentException(
          "entente cluster " + action + " takes no NODE: leave it out");
    }
    if (!action.equals("depart")) {
      given().without("--undo-access", action);
    }
    if (!action.equals("split-brain")) {
      given().without("--quorum", action);
    }
    if (UNAWAITED.contains(action)) {
      given().without("--wait", action);
    }
  }

  /** What a node that departs had granted, and what became of it. */
  private static void showAccess(Json access, PrintWriter out) {
    if (access instanceof JsonObject) {
      out.printf(
          "accounts, tokens and webhooks that it granted: %d undone, %d left%n",
          number(access, "undoneCount"), number(access, "leftCount"));
      for (Json undone : list(access, "undone")) {
        out.println("  undone " + text(undone, "record") + ": " + text(undone, "what"));
      }
      for (Json left : list(access, "left")) {
        out.println("  left   " + text(left, "record") + ": " + text(left, "why"));
      }
    }
  }

  private int healings(Client client, PrintWriter out) {
    Json told = client.get("/v1/cluster/healings");
    if (json) {
      out.println(told);
      return ExitCodes.OK;
    }
    List<Json> healings = list(told, "healings");
    if (healings.isEmpty()) {
      out.println("nothing has diverged since this node was started");
    }
    for (Json healing : healings) {
      out.printf(
          "%s: %s, after %.1f s apart; %d of %d on its way%n",
          text(healing, "node"),
          text(healing, "step"),
          number(healing, "apartMillis") / 1e3,
          number(healing, "left"),
          number(healing, "missing"));
      if (!text(healing, "problem").isEmpty()) {
        out.println("  " + text(healing, "problem"));
      }
      if (member(healing, "report") instanceof JsonObject report) {
        showDivergence(report, out);
        out.printf(
            "  compared %d records: %d differ that should not%n",
            number(healing, "recordsCompared"), number(healing, "findings"));
      }
    }
    return ExitCodes.OK;
  }

  private int splitBrain(Client client, PrintWriter out) {
    JsonObject wanted = JsonObject.of("strategy", Json.of(node));
    Json told =
        client.json(
            "PUT",
            "/v1/cluster/split-brain",
            Optional.of((quorum > 0 ? wanted.with("quorum", Json.of(quorum)) : wanted).toString()));
    out.println(json ? told : "agreed: where the cluster is split, " + text(told, "strategy"));
    return ExitCodes.OK;
  }

  private int voters(Client client, PrintWriter out) {
    int equals = node.indexOf('=');
    boolean adds = action.equals("add-voter");
    if (adds != equals > 0) {
      throw new IllegalArgumentException(
          "entente cluster add-voter NAME=HOST:PORT, or entente cluster remove-voter NAME");
    }
    String path = "/v1/cluster/voters/";
    Json told =
        adds
            ? client.json(
                "PUT",
                path + Client.escaped(node.substring(0, equals)),
                Optional.of(
                    JsonObject.of("address", Json.of(node.substring(equals + 1))).toString()))
            : client.json("DELETE", path + Client.escaped(node), Optional.empty());
    if (json) {
      out.println(told);
      return ExitCodes.OK;
    }
    List<String> voters = new ArrayList<>();
    if (member(told, "voters") instanceof JsonObject addresses) {
      addresses.members().forEach((name, address) -> voters.add(name + "=" + plain(address)));
    }
    out.println("agreed: --voters " + String.join(",", voters));
    if (voters.size() % 2 == 0) {
      out.println(
          voters.size()
              + " voters survive the loss of no more of them than "
              + (voters.size() - 1)
              + " do: an odd number is better");
    }
    return ExitCodes.OK;
  }

  private int preview(Client client, PrintWriter out) {
    Json told =
        client.json(
            "POST", "/v1/cluster/healings/" + Client.escaped(node) + "/preview", Optional.of("{}"));
    if (json) {
      out.println(told);
    } else {
      out.println("if this node took what " + node + " has:");
      showDivergence(told, out);
    }
    return ExitCodes.OK;
  }

  private static void showDivergence(Json report, PrintWriter out) {
    out.printf(
        "  %d versions here and %d there; records: %d only here, %d only there%n",
        number(report, "ours"),
        number(report, "theirs"),
        number(report, "onlyOurs"),
        number(report, "onlyTheirs"));
    Json both = member(report, "both");
    out.printf(
        "  on both sides: %d merged, %d resolved by rule, %d kept side by side, %d for people%n",
        number(both, "merged"),
        number(both, "resolved"),
        number(both, "siblings"),
        number(both, "pending"));
    List<Json> records = list(report, "records");
    for (Json entry : records.subList(0, Math.min(LISTED_MAX, records.size()))) {
      out.println("  " + text(entry, "fate") + "  " + text(entry, "record"));
      if (member(entry, "explanations") instanceof JsonArray sentences) {
        sentences.items().forEach(sentence -> out.println("    " + plain(sentence)));
      }
    }
    if (records.size() > LISTED_MAX) {
      out.println("  … and " + (records.size() - LISTED_MAX) + " more; --json lists them");
    }
    if (!JsonBool.TRUE.equals(member(report, "complete"))) {
      out.println("  there is more than can be looked at at once");
    }
  }

  private static String plain(Json text) {
    return text instanceof JsonString(String plain) ? plain : text.toString();
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
    return isNoneHeld(cluster);
  }

  private static boolean isNoneHeld(Json cluster) {
    Json held = member(cluster, "held");
    return held.isAbsent() || held.equals(Json.of(0));
  }

  private static void show(Json cluster, PrintWriter out) {
    out.printf(
        "%s at %s, log position %s%n",
        text(cluster, "node"), text(cluster, "url"), member(cluster, "position"));
    if (!text(cluster, "steppedDown").isEmpty()) {
      out.println("  stepped down: " + text(cluster, "steppedDown"));
    }
    if (!isNoneHeld(cluster)) {
      out.printf(
          "  %s versions have come and wait for what they build on, or for this node's clock%n",
          member(cluster, "held"));
    }
    if (member(cluster, "heldForClock") instanceof JsonObject held) {
      held.members()
          .forEach((name, count) ->
              out.printf(
                  "  %s of them are of %s and carry times ahead of this node's clock; to let them"
                      + " in: entente cluster admit %s%n",
                  count, name, name));
    }
    if (member(cluster, "clock") instanceof JsonObject clock) {
      if (number(clock, "jumpMillis") != 0) {
        out.printf("  the clock of its machine is off by %d ms%n", number(clock, "jumpMillis"));
      }
      if (!text(clock, "refuses").isEmpty()) {
        out.println("  refuses writes: " + text(clock, "refuses"));
      }
    }
    if (!text(cluster, "waitsFor").isEmpty()) {
      out.println("  does not vote: " + text(cluster, "waitsFor"));
    }
    if (member(cluster, "group") instanceof JsonObject group) {
      out.printf(
          "  votes with %s; %s%n",
          String.join(", ", list(group, "voters").stream().map(ClusterCommand::plain).toList()),
          text(group, "leader").isEmpty() ? "nobody leads" : text(group, "leader") + " leads");
    }
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
