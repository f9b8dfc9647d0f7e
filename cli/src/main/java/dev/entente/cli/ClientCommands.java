// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The commands that call a node. */
final class ClientCommands {
  private ClientCommands() {}

  /** What they have in common. */
  abstract static class Calling implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Option(names = "--json", description = "Print the node's answer as it is.")
    boolean json;

    abstract Integer run(Client client, PrintWriter out) throws IOException;

    @Override
    public Integer call() throws IOException {
      try {
        return run(new Client(), spec.commandLine().getOut());
      } catch (Client.FailedException e) {
        spec.commandLine().getErr().println(e.getMessage());
        return ExitCodes.FAILED;
      } catch (JsonProblem | IllegalArgumentException e) {
        spec.commandLine().getErr().println(e.getMessage());
        return ExitCodes.BAD_INPUT;
      } finally {
        spec.commandLine().getOut().flush();
      }
    }

    static String text(Json json, String name) {
      return json instanceof JsonObject object
              && object.get(name) instanceof JsonString(String text)
          ? text
          : "";
    }

    static String named(String before, Json json, String name) {
      return member(json, name).isAbsent() ? "" : before + text(json, name);
    }

    static Json member(Json json, String name) {
      return json instanceof JsonObject object
          ? object.get(name)
          : dev.entente.core.json.JsonAbsent.ABSENT;
    }

    static List<Json> list(Json json, String name) {
      return member(json, name) instanceof JsonArray array
          ? array.items()
          : JsonArray.EMPTY.items();
    }

    void conflicts(Json read, PrintWriter out) {
      for (Json conflict : list(read, "conflicts")) {
        out.println(
            text(conflict, "status")
                + ": "
                + text(conflict, "unit")
                + ": "
                + text(conflict, "explanation"));
      }
    }
  }

  /** {@code entente get}. */
  @Command(name = "get", description = "Shows a record, and what it says of its conflicts.")
  static final class Get extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type;

    @Parameters(index = "1", paramLabel = "ID")
    String id;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json read = client.get(client.path("records", type, id));
      show(read, out);
      return ExitCodes.OK;
    }

    void show(Json read, PrintWriter out) {
      if (json) {
        out.println(read);
      } else {
        out.println(member(read, "data"));
        conflicts(read, out);
      }
    }
  }

  /** {@code entente at}. */
  @Command(name = "at", description = "Shows a record as it was at a moment.")
  static final class At extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type;

    @Parameters(index = "1", paramLabel = "ID")
    String id;

    @Parameters(index = "2", paramLabel = "TIME", description = "For example 2026-11-22T10:00:00Z.")
    String time;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json read = client.get(client.path("records", type, id) + "?at=" + Client.escaped(time));
      out.println(json ? read : member(read, "data"));
      return ExitCodes.OK;
    }
  }

  /** {@code entente put}. */
  @Command(
      name = "put",
      description = "Writes a record from a file, or from standard input with -.")
  static final class Put extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type;

    @Parameters(index = "1", paramLabel = "ID")
    String id;

    @Parameters(index = "2", paramLabel = "FILE")
    Path file;

    @Option(
        names = "--context",
        paramLabel = "CONTEXT",
        description = "Merge with what came after this context.")
    @Nullable String context;

    @Option(
        names = "--if-match",
        paramLabel = "CONTEXT",
        description = "Write only if nothing came after this context.")
    @Nullable String ifMatch;

    @Option(names = "--author", paramLabel = "NAME")
    @Nullable String author;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      String body =
          file.toString().equals("-")
              ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
              : Files.readString(file);
      Map<String, String> headers = new LinkedHashMap<>();
      if (context != null) {
        headers.put("Entente-Context", context);
      }
      if (ifMatch != null) {
        headers.put("If-Match", '"' + ifMatch + '"');
      }
      if (author != null) {
        headers.put("Entente-Author", Client.escaped(author));
      }
      Json answer =
          JsonReader.strict()
              .read(
                  client.send("PUT", client.path("records", type, id), Optional.of(body), headers));
      if (json) {
        out.println(answer);
      } else {
        out.println(text(answer, "outcome") + "  context " + text(answer, "context"));
        list(answer, "resolutions")
            .forEach(r -> out.println("  " + text(r, "unit") + ": " + text(r, "explanation")));
      }
      return text(answer, "outcome").equals("pending") ? ExitCodes.NEEDS_REVIEW : ExitCodes.OK;
    }
  }

  /** {@code entente history}. */
  @Command(name = "history", description = "Lists the versions of a record, newest first.")
  static final class History extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type;

    @Parameters(index = "1", paramLabel = "ID")
    String id;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer = client.get(client.path("records", type, id, "history"));
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      for (Json version : list(answer, "versions")) {
        out.println(
            text(version, "acceptedAt")
                + "  "
                + text(version, "author")
                + "  "
                + text(version, "context")
                + "  "
                + text(version, "reason"));
        list(version, "changes").forEach(change -> out.println("    " + change));
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente conflicts}. */
  @Command(name = "conflicts", description = "Lists the latest conflicts and what became of them.")
  static final class Conflicts extends Calling {
    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer = client.get(client.path("conflicts"));
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      for (Json one : list(answer, "conflicts")) {
        out.println(
            text(one, "at")
                + "  "
                + text(one, "outcome")
                + "  "
                + text(one, "type")
                + "/"
                + text(one, "id"));
        list(one, "resolutions")
            .forEach(r -> out.println("    " + text(r, "unit") + ": " + text(r, "explanation")));
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente reviews}. */
  @Command(name = "reviews", description = "Lists what is left for people, the oldest first.")
  static final class Reviews extends Calling {
    @Option(
        names = "--status",
        paramLabel = "STATUS",
        description = "pending (default), resolved or ignored.")
    String status = "pending";

    @Option(
        names = "--where",
        paramLabel = "NAME=VALUE",
        description = {
          "Only those with this type, unit, owner (- for nobody), conflict (concurrent-update,",
          "semantic, …), row, late (overdue, escalated), or at least this severity or",
          "complexity; may be repeated."
        })
    Map<String, String> where = new LinkedHashMap<>();

    @Override
    Integer run(Client client, PrintWriter out) {
      StringBuilder query = new StringBuilder("?status=" + Client.escaped(status));
      where.forEach((name, value) ->
          query.append('&').append(Client.escaped(name)).append('=').append(Client.escaped(value)));
      Json answer = client.get(client.path("reviews") + query);
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      for (Json review : list(answer, "reviews")) {
        out.println(
            text(review, "id")
                + "  "
                + text(review, "type")
                + "/"
                + text(review, "recordId")
                + "  "
                + text(review, "unit")
                + "  due "
                + text(review, "dueAt")
                + (member(review, "overdue").equals(JsonBool.TRUE) ? "  OVERDUE" : "")
                + named("  with ", review, "owner")
                + named("  escalated to ", review, "escalatedTo"));
        out.println("    " + text(member(review, "conflict"), "explanation"));
        int index = 0;
        for (Json value : list(member(review, "conflict"), "competing")) {
          out.println(
              "    ["
                  + index++
                  + "] "
                  + member(value, "value")
                  + " by "
                  + text(value, "author")
                  + " at "
                  + text(value, "time"));
        }
      }
      Json total = member(answer, "total");
      if (!member(answer, "next").isAbsent()) {
        out.println("(there are more; narrow it down with --where)");
      }
      out.println(
          (total.isAbsent() ? "those " + where + " of all" : total.toString()) + " " + status);
      return ExitCodes.OK;
    }
  }

  /** {@code entente assign}. */
  @Command(name = "assign", description = "Gives a review to somebody, or to nobody.")
  static final class Assign extends Calling {
    @Parameters(index = "0", paramLabel = "REVIEW")
    String review;

    @Parameters(
        index = "1",
        arity = "0..1",
        paramLabel = "OWNER",
        description = "Who has it from here on; nobody where this is left out.")
    @Nullable String owner;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json to = owner == null ? JsonNull.NULL : Json.of(owner);
      Json answer =
          client.json(
              "POST",
              client.path("reviews", review, "assign"),
              Optional.of(JsonObject.of("owner", to).toString()));
      out.println(json ? answer : "it is with " + (owner == null ? "nobody" : owner));
      return ExitCodes.OK;
    }
  }

  /** {@code entente note}. */
  @Command(name = "note", description = "Adds a note to a review, for whoever looks at it next.")
  static final class Note extends Calling {
    @Parameters(index = "0", paramLabel = "REVIEW")
    String review;

    @Parameters(index = "1", paramLabel = "TEXT")
    String text;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer =
          client.json(
              "POST",
              client.path("reviews", review, "notes"),
              Optional.of(JsonObject.of("text", Json.of(text)).toString()));
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      for (Json note : list(answer, "notes")) {
        out.println(text(note, "at") + "  " + text(note, "by") + ": " + text(note, "text"));
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente decide}. */
  @Command(
      name = "decide",
      description =
          "Decides a review: one of the competing values, a value of your own, or neither.")
  static final class Decide extends Calling {
    @Parameters(paramLabel = "REVIEW")
    String review;

    @Option(
        names = "--choose",
        paramLabel = "INDEX",
        description = "One of the competing values, counted from 0.")
    @Nullable Integer choose;

    @Option(names = "--value", paramLabel = "JSON", description = "A value of your own.")
    @Nullable String value;

    @Option(names = "--ignore", description = "Leave it as it is.")
    boolean ignore;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept with the decision.")
    String reason = "";

    @Option(names = "--author", paramLabel = "NAME", description = "Who decides.")
    @Nullable String author;

    @Override
    Integer run(Client client, PrintWriter out) {
      Map<String, Json> body = new TreeMap<>();
      if (choose != null) {
        body.put("choose", Json.of(choose));
      }
      if (value != null) {
        body.put("value", JsonReader.strict().read(value));
      }
      if (ignore) {
        body.put("ignore", Json.of(true));
      }
      body.put("reason", Json.of(reason));
      Json answer =
          JsonReader.strict()
              .read(
                  client.send(
                      "POST",
                      client.path("reviews", review, "decision"),
                      Optional.of(JsonObject.of(body).toString()),
                      author == null
                          ? Map.of()
                          : Map.of("Entente-Author", Client.escaped(author))));
      out.println(
          json ? answer : text(answer, "status") + ": " + member(member(answer, "record"), "data"));
      if (text(answer, "status").equals("pending") && !list(answer, "approvals").isEmpty()) {
        out.println("approved; a second person has to decide the same before it holds");
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente rollback}. */
  @Command(
      name = "rollback",
      description = "Writes what a record was at a moment, or at a context, as a new version.")
  static final class Rollback extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type;

    @Parameters(index = "1", paramLabel = "ID")
    String id;

    @Parameters(
        index = "2",
        paramLabel = "TO",
        description = "A time, or a context of the record's history.")
    String to;

    @Option(names = "--reason", paramLabel = "TEXT")
    String reason = "";

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer =
          client.json(
              "POST",
              client.path("records", type, id, "rollback"),
              Optional.of(Json.of(Map.of("to", to, "reason", reason)).toString()));
      out.println(json ? answer : text(answer, "outcome") + ": " + member(answer, "data"));
      return ExitCodes.OK;
    }
  }

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
                      + "  since "
                      + text(row, "since")));
      return ExitCodes.OK;
    }
  }

  /** {@code entente verify}. */
  @Command(
      name = "verify",
      description =
          "Checks the node's audit chain and every version that it vouches for, and names the first broken link; with --cluster, compares what it holds with every other node.")
  static final class Verify extends Calling {
    @Option(names = "--cluster", description = "Compare with every other node instead.")
    boolean cluster;

    @Option(names = "--mend", description = "With --cluster: put right what is wrong on this node.")
    boolean mend;

    @Override
    Integer run(Client client, PrintWriter out) {
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
      if (json) {
        out.println(answer);
      }
      return good ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
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
