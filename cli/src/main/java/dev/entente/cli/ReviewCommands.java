// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands with which reviewers work. */
final class ReviewCommands {
  private ReviewCommands() {}

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

  /** {@code entente reopen}. */
  @Command(name = "reopen", description = "Takes up a review again that was ignored.")
  static final class Reopen extends Calling {
    @Parameters(paramLabel = "REVIEW")
    String review;

    @Option(names = "--reason", description = "Kept in the audit log.", defaultValue = "")
    String reason;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer =
          client.json(
              "POST",
              client.path("reviews", review, "reopen"),
              Optional.of(JsonObject.of("reason", Json.of(reason)).toString()));
      out.println(json ? answer : "pending again, due " + text(answer, "dueAt"));
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
}
