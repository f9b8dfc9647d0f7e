// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code entente incident}. */
@Command(
    name = "incident",
    description =
        "What is wrong and what to do about it, in three phases: contain, resolve, restore. Shows"
            + " the situation and the next commands; with --contain freezes the type with the most"
            + " conflicts, with --resolve decides what waits there by a rule, with --restore checks"
            + " everything and thaws; with --export writes a timeline.")
final class IncidentCommand extends RecoveryCommands.Working {
  private static final int HOT_SHOWN = 10;
  private static final int ENTRIES_MAX = 5_000;
  private static final int PAGE = 1_000;

  @Option(names = "--type", paramLabel = "TYPE", description = "The type (default: the hottest).")
  String type = "";

  @Option(names = "--contain", description = "Phase 1: freeze the type.")
  boolean contain;

  @Option(
      names = "--resolve",
      paramLabel = "STRATEGY",
      description = "Phase 2: decide what waits of the type as this rule would; tried first.")
  String rule = "";

  @Option(
      names = "--restore",
      description = "Phase 3: check the audit log and the other nodes, then thaw the type.")
  boolean restore;

  @Option(names = "--yes", description = "Do not ask.")
  boolean yes;

  @Option(
      names = "--export",
      paramLabel = "FILE",
      description = "Write what happened, as JSON: alerts, jobs, audit entries, links.")
  @Nullable Path export;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description = "From when on, for --export (default: the last hour).")
  String since = Instant.now().minusSeconds(3_600).toString();

  @Override
  Integer run(Client client, PrintWriter out) throws IOException {
    Path file = export;
    given().requireWith("--since", "--export");
    if (file != null) {
      given().only("--export", "--since");
      return timeline(client, file, out);
    }
    List<Json> hot = list(client.get(client.path("hotspots") + "?limit=1000"), "hotspots");
    Map<String, Long> types = byType(hot);
    String hottest =
        types.entrySet().stream()
            .max(Comparator.comparingLong(Map.Entry::getValue))
            .map(Map.Entry::getKey)
            .orElse("");
    String about = type.isEmpty() ? hottest : type;
    if (contain || !rule.isEmpty() || restore) {
      if (about.isEmpty()) {
        throw new IllegalArgumentException("nothing is hot; name the type with --type");
      }
      return act(client, about, out);
    }
    return situation(client, hot, types, about, out);
  }

  private static Map<String, Long> byType(List<Json> hot) {
    Map<String, Long> types = new TreeMap<>();
    hot.forEach(row -> types.merge(text(row, "type"), number(row, "conflicts"), Long::sum));
    return types;
  }

  private Integer situation(
      Client client, List<Json> hot, Map<String, Long> types, String about, PrintWriter out) {
    List<Json> alerts = list(client.get(client.path("alerts")), "alerts");
    out.println("Wrong now");
    alerts.forEach(alert ->
        out.println(
            "  "
                + text(alert, "severity")
                + "  "
                + text(alert, "rule")
                + ": "
                + text(alert, "summary")));
    out.println(alerts.isEmpty() ? "  nothing" : "");
    out.println("Conflicts of the last five minutes");
    types.forEach((name, count) -> out.println("  " + count + "  " + name));
    hot.stream()
        .limit(HOT_SHOWN)
        .forEach(row ->
            out.println(
                "    "
                    + member(row, "conflicts")
                    + "  "
                    + text(row, "type")
                    + "/"
                    + text(row, "id")
                    + " since "
                    + text(row, "since")));
    if (hot.isEmpty()) {
      out.println("  none");
    }
    Json pending = member(client.get(client.path("reviews") + "?limit=1"), "total");
    out.println();
    out.println("Waiting for a person: " + (pending instanceof JsonNumber ? pending : "not known"));
    frozen(client).forEach((scope, why) -> out.println("Frozen: " + scope + ": " + why));
    out.println();
    out.println("Next");
    String name = about.isEmpty() ? "TYPE" : about;
    out.println("  1 contain   entente incident --contain --type " + name);
    out.println("              entente thaw " + name + "   (what is frozen is not decided either)");
    out.println("  2 resolve   entente incident --resolve last-writer-wins --type " + name);
    out.println("  3 restore   entente incident --restore --type " + name);
    out.println("  account     entente incident --export incident.json");
    return alerts.isEmpty() && hot.isEmpty() ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
  }

  private static Map<String, String> frozen(Client client) {
    Map<String, String> frozen = new TreeMap<>();
    if (member(client.get(client.path("freezes")), "freezes") instanceof JsonObject freezes) {
      freezes.members().forEach((scope, why) -> frozen.put(scope, why.toString()));
    }
    return frozen;
  }

  private Integer act(Client client, String about, PrintWriter out) {
    if (contain && agreed("Freeze all writes to " + about + "?", out)) {
      freeze(client, about, out);
    }
    int code = ExitCodes.OK;
    if (!rule.isEmpty()) {
      out.println("Tried:");
      code = follow(client, decide(client, about, true), out);
      if (agreed("Decide so?", out)) {
        code = follow(client, decide(client, about, false), out);
      }
    }
    return restore ? Math.max(code, restored(client, about, out)) : code;
  }

  private boolean agreed(String question, PrintWriter out) {
    if (yes) {
      return true;
    }
    out.flush();
    return Progress.agrees(question)
        .orElseThrow(
            () -> new IllegalArgumentException(question + " Say --yes where nobody can be asked."));
  }

  private static void freeze(Client client, String about, PrintWriter out) {
    Json body = Json.of(Map.of("type", about, "reason", "an incident, since " + Instant.now()));
    client.json("POST", client.path("freezes"), Optional.of(body.toString()));
    out.println(
        about + " is frozen: writes are refused with 423, and kept in the audit log; reads go on");
  }

  private Json decide(Client client, String about, boolean dry) {
    return decisions(
        client, JsonObject.of("type", Json.of(about)), rule, "an incident: " + rule, dry);
  }

  private static Integer restored(Client client, String about, PrintWriter out) {
    Json check = client.json("POST", "/v1/verify", Optional.empty());
    boolean intact = member(check, "intact").toString().equals("true");
    out.println(
        intact
            ? "The audit log is intact: " + member(check, "versions") + " versions"
            : "The audit log is broken: " + text(check, "broken"));
    boolean alike = true;
    try {
      Json compared = client.json("POST", "/v1/cluster/verify", Optional.of("{\"mend\":false}"));
      for (Json other : list(compared, "compared")) {
        boolean same = list(other, "findings").isEmpty() && text(other, "problem").isEmpty();
        alike &= same;
        out.println(text(other, "node") + (same ? " holds the same" : " differs: " + other));
      }
    } catch (Client.FailedException e) {
      out.println("Not compared with other nodes: " + e.getMessage());
    }
    if (!intact || !alike) {
      out.println("Not thawed; docs/runbook.md, consistency violation, says how to go on");
      return ExitCodes.NEEDS_REVIEW;
    }
    if (frozen(client).containsKey(client.tenant() + "/" + about)) {
      Json thawed =
          client.json(
              "DELETE",
              client.path("freezes"),
              Optional.of(Json.of(Map.of("type", about)).toString()));
      out.println(
          about + " is thawed; " + member(thawed, "refused") + " writes were refused meanwhile");
    }
    return ExitCodes.OK;
  }

  private Integer timeline(Client client, Path file, PrintWriter out) throws IOException {
    Instant from = Instant.parse(since);
    List<Json> entries = new ArrayList<>();
    String cursor = "";
    boolean more = true;
    boolean whole = true;
    while (more) {
      Json page = client.get(client.path("audit") + "?limit=" + PAGE + cursor);
      more = !text(page, "next").isEmpty();
      cursor = "&cursor=" + text(page, "next");
      for (Json entry : list(page, "entries")) {
        if (Instant.parse(text(entry, "time")).isBefore(from)) {
          more = false;
        } else if (entries.size() < ENTRIES_MAX) {
          entries.add(entry);
        } else {
          whole = false;
          more = false;
        }
      }
    }
    Map<String, Json> members = new TreeMap<>();
    members.put("since", Json.of(since));
    members.put("exportedAt", Json.of(Instant.now().toString()));
    members.put("tenant", Json.of(client.tenant()));
    members.put("entries", Json.of(entries.reversed()));
    members.put("entriesAreWhole", Json.of(whole));
    members.put("alerts", client.get(client.path("alerts") + "?limit=1000"));
    members.put("jobs", member(client.get(client.path("jobs") + "?limit=1000"), "jobs"));
    members.put("hotspots", member(client.get(client.path("hotspots")), "hotspots"));
    if (!Files.exists(file)) {
      Folders.createFile(file);
    }
    Files.writeString(file, JsonObject.of(members) + "\n");
    out.printf(
        "%s: %d audit entries since %s%s%n",
        file, entries.size(), since, whole ? "" : ", older ones left out");
    return ExitCodes.OK;
  }
}
