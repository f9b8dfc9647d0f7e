// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands with which operators look after a node. */
final class OperatorCommands {
  private OperatorCommands() {}

  /** {@code entente freeze}. */
  @Command(
      name = "freeze",
      description = "Stops writing to a record, a type, or the whole tenant, at every node.")
  static final class Freeze extends Calling {
    @Parameters(index = "0", arity = "0..1", paramLabel = "TYPE")
    @Nullable String type;

    @Parameters(index = "1", arity = "0..1", paramLabel = "ID")
    @Nullable String id;

    @Option(names = "--reason", paramLabel = "TEXT")
    String reason = "";

    @Option(
        names = "--wait",
        description = "Writers wait in line for up to 30 s instead of being refused.")
    boolean wait;

    @Option(
        names = "--consistent-reads",
        description = "Only nodes that have what the others have answer reads.")
    boolean consistent;

    @Override
    Integer run(Client client, PrintWriter out) {
      JsonObject body =
          scope(type, id)
              .with("reason", Json.of(reason))
              .with("meanwhile", Json.of(wait ? "wait" : "refuse"))
              .with("reads", Json.of(consistent ? "consistent" : "any"));
      Json answer = client.json("POST", client.path("freezes"), Optional.of(body.toString()));
      out.println(json ? answer : "frozen: " + text(answer, "frozen"));
      return ExitCodes.OK;
    }

    static JsonObject scope(@Nullable String type, @Nullable String id) {
      JsonObject scope = JsonObject.EMPTY;
      scope = type == null ? scope : scope.with("type", Json.of(type));
      return id == null ? scope : scope.with("id", Json.of(id));
    }
  }

  /** {@code entente thaw}. */
  @Command(name = "thaw", description = "Ends a freeze.")
  static final class Thaw extends Calling {
    @Parameters(index = "0", arity = "0..1", paramLabel = "TYPE")
    @Nullable String type;

    @Parameters(index = "1", arity = "0..1", paramLabel = "ID")
    @Nullable String id;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer =
          client.json(
              "DELETE", client.path("freezes"), Optional.of(Freeze.scope(type, id).toString()));
      out.println(
          json
              ? answer
              : "thawed: "
                  + text(answer, "thawed")
                  + "; "
                  + member(answer, "refused")
                  + " writes were refused meanwhile, "
                  + member(answer, "waited")
                  + " waited and go on");
      return ExitCodes.OK;
    }
  }

  /** {@code entente hotspots}. */
  @Command(
      name = "hotspots",
      description = "Lists the records with the most conflicts in the last five minutes.")
  static final class Hotspots extends Calling {
    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer = client.get(client.path("hotspots"));
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      list(answer, "hotspots")
          .forEach(row ->
              out.println(
                  member(row, "conflicts")
                      + "  "
                      + text(row, "type")
                      + "/"
                      + text(row, "id")
                      + "  first "
                      + text(row, "firstAt")
                      + "  last "
                      + text(row, "lastAt")
                      + "  within "
                      + member(row, "windowMillis")
                      + " ms"));
      return ExitCodes.OK;
    }
  }

  /** {@code entente verify}. */
  @Command(
      name = "verify",
      description =
          "Checks the node's audit chain and every version that it vouches for, and names the first"
              + " broken link; with --cluster, compares what it holds with every other node.")
  static final class Verify extends Calling {
    @Option(names = "--cluster", description = "Compare with every other node instead.")
    boolean cluster;

    @Option(names = "--mend", description = "With --cluster: put right what is wrong on this node.")
    boolean mend;

    @Override
    Integer run(Client client, PrintWriter out) {
      given().requireWith("--mend", "--cluster");
      return cluster ? compare(client, out) : check(client, out);
    }

    private Integer check(Client client, PrintWriter out) {
      Json answer = client.json("POST", "/v1/verify", Optional.empty());
      boolean intact = member(answer, "intact").equals(JsonBool.TRUE);
      out.println(
          json
              ? answer
              : intact
                  ? "intact: "
                      + member(answer, "entries")
                      + " audit entries, "
                      + member(answer, "versions")
                      + " versions"
                  : "broken: " + text(answer, "broken"));
      return intact ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }

    private Integer compare(Client client, PrintWriter out) {
      Json answer =
          client.json("POST", "/v1/cluster/verify", Optional.of("{\"mend\":" + mend + "}"));
      boolean good = true;
      for (Json other : list(answer, "compared")) {
        String problem = text(other, "problem");
        int found = 0;
        for (Json finding : list(other, "findings")) {
          found++;
          boolean mended = member(finding, "mended").equals(JsonBool.TRUE);
          good &= mended;
          if (!json) {
            out.println(
                text(other, "node")
                    + ": "
                    + text(finding, "record")
                    + " "
                    + text(finding, "kind")
                    + (mended ? ", mended" : ""));
          }
        }
        good &= problem.isEmpty();
        if (!json && found == 0) {
          out.println(
              text(other, "node")
                  + ": "
                  + (problem.isEmpty()
                      ? "nothing differs that should not, in "
                          + member(other, "records")
                          + " records"
                      : "not compared: " + problem));
        }
      }
      good &= versions(member(answer, "versions"), out);
      if (json) {
        out.println(answer);
      } else if (member(answer, "heldForClock") instanceof JsonObject held) {
        held.members()
            .forEach((name, count) ->
                out.println(
                    count
                        + " versions of "
                        + name
                        + " wait here for this node's clock: entente cluster admit "
                        + name));
      }
      return good ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }

    /** Tells which numbers stand for several versions; returns whether nothing is left to do. */
    private boolean versions(Json versions, PrintWriter out) {
      boolean good = text(versions, "problem").isEmpty();
      for (Json number : list(versions, "disputed")) {
        boolean mended = member(number, "mended").equals(JsonBool.TRUE);
        good &= mended;
        if (!json) {
          out.println(
              text(number, "author")
                  + ":"
                  + member(number, "number")
                  + " is another version at "
                  + String.join(", ", list(number, "wrongAt").stream().map(Verify::plain).toList())
                  + " than elsewhere"
                  + (mended ? ", mended here" : ""));
        }
      }
      if (!json && !text(versions, "problem").isEmpty()) {
        out.println("numbers that stand for several versions: " + text(versions, "problem"));
      }
      if (!json && member(versions, "restarts").equals(JsonBool.TRUE)) {
        out.println(
            "The node goes on as its next incarnation and writes again what it alone had. Run this"
                + " on every node that is named above.");
      }
      return good;
    }

    private static String plain(Json text) {
      return text instanceof JsonString(String value) ? value : text.toString();
    }
  }

  /** {@code entente doctor}. */
  @Command(name = "doctor", description = "Asks the node how it is.")
  static final class Doctor extends Calling {
    @Override
    Integer run(Client client, PrintWriter out) {
      Json ready = client.get("/health/ready");
      Json status = client.get("/v1/status");
      Json reviews = client.get(client.path("reviews") + "?limit=1");
      if (json) {
        out.println(
            Json.of(
                Map.of("health", ready, "status", status, "pending", member(reviews, "total"))));
      } else {
        out.println(
            "node "
                + text(status, "node")
                + " is "
                + text(ready, "status")
                + "; "
                + member(status, "position")
                + " versions, "
                + member(status, "waiting")
                + " requests waiting, "
                + member(reviews, "total")
                + " reviews pending");
      }
      return ExitCodes.OK;
    }
  }
}
