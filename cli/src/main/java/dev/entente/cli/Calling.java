// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.json.JsonProblem;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What the commands that call a node have in common. */
abstract class Calling implements Callable<Integer> {
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

  /** What the command line gives. */
  GivenOptions given() {
    return GivenOptions.of(spec);
  }

  static String text(Json json, String name) {
    return json instanceof JsonObject object && object.get(name) instanceof JsonString(String text)
        ? text
        : "";
  }

  static String named(String before, Json json, String name) {
    return member(json, name).isAbsent() ? "" : before + text(json, name);
  }

  static Json member(Json json, String name) {
    return json instanceof JsonObject object ? object.get(name) : JsonAbsent.ABSENT;
  }

  static List<Json> list(Json json, String name) {
    return member(json, name) instanceof JsonArray array ? array.items() : JsonArray.EMPTY.items();
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
