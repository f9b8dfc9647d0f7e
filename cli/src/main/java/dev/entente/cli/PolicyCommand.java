// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Describe;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code entente policy}: checking and trying policy files. */
@Command(
    name = "policy",
    description =
        "Checks policy files, tries them on documents and on recorded conflicts, puts them in"
            + " force.",
    subcommands = {
      PolicyCommand.Check.class,
      PolicyCommand.Try.class,
      PolicyCommand.Put.class,
      PolicyCommand.Preview.class,
      PolicyCommand.Advise.class
    })
final class PolicyCommand implements Runnable {
  @Spec CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** {@code entente policy check}. */
  @Command(
      name = "check",
      description =
          "Says what is wrong with policy files, with the lines. Exit code 0: good; 2: not.")
  static final class Check implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Parameters(paramLabel = "FILE", arity = "1..*")
    List<Path> files;

    @Override
    public Integer call() {
      PrintWriter out = spec.commandLine().getOut();
      PrintWriter err = spec.commandLine().getErr();
      boolean good = true;
      for (Path file : files) {
        try {
          PolicyLoader.Loaded loaded = PolicyLoader.load(Files.readString(file));
          for (PolicyProblem warning : loaded.warnings()) {
            err.println(
                file
                    + ":"
                    + warning.line()
                    + ":"
                    + warning.column()
                    + ": warning: "
                    + warning.message());
          }
          out.println(
              file
                  + ": good; type "
                  + loaded.policy().type()
                  + ", version "
                  + loaded.policy().version());
        } catch (PolicyException e) {
          err.print(PolicyFile.described(file, e));
          good = false;
        } catch (IOException e) {
          err.println("cannot read " + file);
          good = false;
        }
      }
      err.flush();
      return good ? ExitCodes.OK : ExitCodes.BAD_INPUT;
    }
  }

  /** {@code entente policy try}. */
  @Command(
      name = "try",
      description = "Shows what a policy makes of two concurrent versions of a document.")
  static final class Try implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Parameters(paramLabel = "FILE")
    Path file;

    @Option(names = "--base", required = true, paramLabel = "B")
    Path base;

    @Option(names = "--left", required = true, paramLabel = "L")
    Path left;

    @Option(names = "--right", required = true, paramLabel = "R")
    Path right;

    @Option(names = "--json", description = "Print one JSON object: data, conflicts.")
    boolean json;

    @Override
    public Integer call() {
      PrintWriter out = spec.commandLine().getOut();
      PrintWriter err = spec.commandLine().getErr();
      try {
        var policy = PolicyLoader.load(Files.readString(file)).policy();
        ThreeWay merge =
            ThreeWay.of(
                policy,
                JsonFile.read(base, err).value(),
                JsonFile.read(left, err).value(),
                JsonFile.read(right, err).value());
        if (json) {
          out.println(
              Json.of(
                  Map.of(
                      "data", Describe.orNull(merge.view().data()),
                      "conflicts", Describe.conflicts(ThreeWay.KEY, merge.view().resolutions()))));
        } else {
          out.println("readers see: " + Describe.orNull(merge.view().data()));
          for (Resolution resolution : merge.view().resolutions()) {
            out.println(
                resolution.status().label()
                    + ": "
                    + resolution.conflict().label()
                    + " by "
                    + resolution.strategy()
                    + ": "
                    + resolution.explanation());
          }
          if (merge.view().resolutions().isEmpty()) {
            out.println("no conflict");
          }
        }
        return merge.view().hasPending() ? ExitCodes.NEEDS_REVIEW : ExitCodes.OK;
      } catch (PolicyException e) {
        err.print(PolicyFile.described(file, e));
        return ExitCodes.BAD_INPUT;
      } catch (IOException | IllegalArgumentException e) {
        err.println(e.getMessage());
        return ExitCodes.BAD_INPUT;
      }
    }
  }

  /** {@code entente policy put}. */
  @Command(name = "put", description = "Puts policies in force on the node, and so everywhere.")
  static final class Put extends Calling {
    @Parameters(paramLabel = "FILE", arity = "1..*")
    List<Path> files;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      for (Path file : files) {
        String text = Files.readString(file);
        Json answer = sent(client, "PUT", client.path("policies", type(file, text)), text);
        if (json) {
          out.println(answer);
          continue;
        }
        out.println(text(answer, "type") + " is in force, version " + text(answer, "version"));
        list(answer, "warnings").forEach(warning -> out.println("  warning: " + warning));
        list(answer, "hits").forEach(hit -> out.println("  " + text(hit, "message")));
      }
      return ExitCodes.OK;
    }
  }

  private static Json sent(Client client, String method, String path, String policy) {
    return JsonReader.strict()
        .read(
            client.send(
                method, path, Optional.of(policy), Map.of("Content-Type", "application/yaml")));
  }

  private static String type(Path file, String text) {
    try {
      return PolicyLoader.load(text).policy().type();
    } catch (PolicyException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /** {@code entente policy preview}. */
  @Command(
      name = "preview",
      description =
          "Shows what a draft would make of the conflicts that a node has recorded. Changes"
              + " nothing.")
  static final class Preview extends Calling {
    @Parameters(paramLabel = "FILE", description = "The draft.")
    Path file;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      String text = Files.readString(file);
      Json answer =
          sent(client, "POST", client.path("policies", type(file, text), "preview"), text);
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      out.println(
          member(answer, "conflicts")
              + " recorded conflicts: settled by rule now "
              + member(answer, "settledNow")
              + ", with the draft "
              + member(answer, "settledThen")
              + "; of "
              + member(answer, "decided")
              + " that people decided the draft would decide "
              + member(answer, "decidedAlike")
              + " alike");
      list(answer, "hits").forEach(hit -> out.println(text(hit, "message")));
      for (Json changed : list(answer, "changed")) {
        out.println(text(changed, "recordId") + "  " + text(changed, "unit"));
        out.println("  now   " + outcome(member(changed, "now")));
        out.println("  then  " + outcome(member(changed, "then")));
        if (!member(changed, "decided").isAbsent()) {
          out.println("  people decided " + member(changed, "decided"));
        }
      }
      return ExitCodes.OK;
    }

    private static String outcome(Json conflict) {
      return conflict.isAbsent()
          ? "no conflict"
          : text(conflict, "status")
              + " by "
              + text(conflict, "strategy")
              + ": "
              + text(conflict, "explanation");
    }
  }

  /** {@code entente policy advise}. */
  @Command(
      name = "advise",
      description =
          "Says which cells and strategies the recorded conflicts of a type, and what people"
              + " decided, speak for. Changes nothing.")
  static final class Advise extends Calling {
    @Parameters(paramLabel = "TYPE")
    String type;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer = client.get(client.path("policies", type, "advice"));
      if (json) {
        out.println(answer);
        return ExitCodes.OK;
      }
      boolean any = false;
      for (Json one : list(answer, "advice")) {
        any = true;
        out.println(text(one, "unit") + ": " + text(one, "proposal"));
        out.println("  because " + text(one, "why"));
        out.println("  effect: " + text(one, "effect"));
      }
      if (!any) {
        out.println(
            "nothing to advise from "
                + member(answer, "moments")
                + " recorded moments of conflict; three alike of one unit are the least");
      }
      return ExitCodes.OK;
    }
  }
}
