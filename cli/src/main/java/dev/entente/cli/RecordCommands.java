// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that read and write records. */
final class RecordCommands {
  private RecordCommands() {}

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
}
