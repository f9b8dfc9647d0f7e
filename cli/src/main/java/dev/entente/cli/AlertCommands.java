// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands about what is wrong, and about who is told. */
final class AlertCommands {
  private AlertCommands() {}

  /** {@code entente alerts}. */
  @Command(
      name = "alerts",
      description = "Lists what is wrong now, and what to do first; ends with 1 where anything is.")
  static final class Alerts extends Calling {
    @Option(names = "--all", description = "Of all tenants and of the cluster.")
    boolean all;

    @Option(names = "--cleared", description = "Also what was wrong and is not any more.")
    boolean cleared;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer = client.get(all ? "/v1/cluster/alerts" : client.path("alerts"));
      List<Json> active = list(answer, "alerts");
      if (json) {
        out.println(answer);
      } else {
        active.forEach(alert -> print(alert, out));
        if (active.isEmpty()) {
          out.println("nothing is wrong");
        }
        if (cleared) {
          list(answer, "cleared").forEach(alert -> print(alert, out));
        }
      }
      return active.isEmpty() ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }

    private static void print(Json alert, PrintWriter out) {
      String over = text(alert, "cleared");
      out.println(
          (over.isEmpty() ? text(alert, "severity") : "over")
              + "  "
              + text(alert, "rule")
              + (text(alert, "tenant").isEmpty() ? "" : " in " + text(alert, "tenant"))
              + ": "
              + text(alert, "summary"));
      out.println(
          "    since "
              + text(alert, "since")
              + (over.isEmpty() ? "; " + text(alert, "action") : " until " + over));
    }
  }

  /** {@code entente webhook}. */
  @Command(
      name = "webhook",
      description =
          "Has somebody told of alerts and reviews: list, show NAME, put NAME URL (https, or mailto: an address), test NAME, again NAME (what could not be told), remove NAME.")
  static final class Webhook extends Calling {
    @Parameters(index = "0", paramLabel = "list|show|put|test|again|remove")
    String action;

    @Parameters(index = "1", arity = "0..1", paramLabel = "NAME")
    String name = "";

    @Parameters(index = "2", arity = "0..1", paramLabel = "URL")
    String url = "";

    @Option(
        names = "--events",
        split = ",",
        paramLabel = "EVENT",
        description =
            "Of what: alert-raised, alert-cleared, review-opened, review-closed (default: all).")
    List<String> events = List.of();

    @Option(
        names = "--of",
        paramLabel = "TENANT",
        description = "Of which tenant (default: all, and the node).")
    String tenant = "*";

    @Override
    Integer run(Client client, PrintWriter out) {
      if (!action.equals("list") && name.isEmpty()) {
        throw new IllegalArgumentException("name the webhook: entente webhook " + action + " NAME");
      }
      String path = "/v1/cluster/webhooks/" + Client.escaped(name);
      Json answer =
          switch (action) {
            case "list" -> client.get("/v1/cluster/webhooks");
            case "show" -> client.get(path);
            case "put" -> client.json("PUT", path, Optional.of(body().toString()));
            case "test" -> client.json("POST", path + "/test", Optional.of("{}"));
            case "again" -> client.json("POST", path + "/redeliveries", Optional.of("{}"));
            case "remove" -> client.json("DELETE", path, Optional.empty());
            default ->
                throw new IllegalArgumentException(
                    action + " is none of list, show, put, test, again, remove");
          };
      if (json || !action.equals("list")) {
        out.println(answer);
      } else {
        list(answer, "webhooks").forEach(hook -> out.println(line(hook)));
      }
      return ExitCodes.OK;
    }

    private JsonObject body() {
      Map<String, Json> members = new TreeMap<>();
      members.put("url", Json.of(url));
      members.put("tenant", Json.of(tenant));
      if (!events.isEmpty()) {
        members.put("events", Json.of(events.stream().map(Json::of).toList()));
      }
      return JsonObject.of(members);
    }

    private static String line(Json hook) {
      List<String> wanted =
          list(hook, "events").stream()
              .map(event -> event instanceof JsonString(String label) ? label : "")
              .toList();
      return text(hook, "name")
          + "  "
          + text(hook, "url")
          + "  "
          + (wanted.isEmpty() ? "everything" : String.join(", ", wanted))
          + " of "
          + (text(hook, "tenant").equals("*") ? "all tenants" : text(hook, "tenant"));
    }
  }
}
