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

/** The commands of whoever wrote something and does not find it. */
final class AppealCommands {
  private AppealCommands() {}

  /** What names a version. */
  abstract static class OfVersion extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type;

    @Parameters(index = "1", paramLabel = "ID")
    String id;

    @Parameters(
        index = "2",
        paramLabel = "NODE:NUMBER",
        description = "The version, as history --json lists it, such as eu.1:42.")
    String version;

    String node() {
      return version.substring(0, Math.max(0, version.lastIndexOf(':')));
    }

    long number() {
      try {
        return Long.parseLong(version.substring(version.lastIndexOf(':') + 1));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(version + " is no version, such as eu.1:42", e);
      }
    }
  }

  /** {@code entente fate}. */
  @Command(
      name = "fate",
      description = "Shows what has become of a version, part by part, and why.")
  static final class FateOf extends OfVersion {
    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer =
          client.get(
              client.path("records", type, id, "fate")
                  + "?node="
                  + Client.escaped(node())
                  + "&number="
                  + number());
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      for (Json part : list(answer, "fate")) {
        out.println(text(part, "unit") + " = " + member(part, "value") + ": " + text(part, "fate"));
        out.println("    " + text(part, "why"));
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente appeal}. */
  @Command(
      name = "appeal",
      description =
          "Asks for what a version wrote and is not there any more; a reviewer then leaves what is there (--choose 0) or gives it back (--choose 1).")
  static final class Appeal extends OfVersion {
    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; shown to the reviewer.")
    String reason = "";

    @Override
    Integer run(Client client, PrintWriter out) {
      Map<String, Json> body = new TreeMap<>();
      body.put("node", Json.of(node()));
      body.put("number", Json.of(number()));
      body.put("reason", Json.of(reason));
      Json answer =
          client.json(
              "POST",
              client.path("records", type, id, "appeals"),
              Optional.of(JsonObject.of(body).toString()));
      List<Json> reviews = list(answer, "reviews");
      if (json) {
        out.println(answer);
      } else if (reviews.isEmpty()) {
        out.println("nothing of it is gone; entente fate shows how it stands");
      } else {
        reviews.forEach(review ->
            out.println("review " + (review instanceof JsonString(String text) ? text : "")));
      }
      return reviews.isEmpty() ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }
  }
}
