// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code entente merge}: three JSON files in, the merged one out; fits git's merge driver. */
@Command(
    name = "merge",
    description = {
      "Merges two versions of a JSON file against the one both replaced, by a policy.",
      "Exit code 0: merged; 1: something needs review (printed; LEFT's value stands there); 2: bad input.",
      "As git's merge driver: git config merge.entente.driver 'entente merge %%O %%A %%B -o %%A', and in .gitattributes: *.json merge=entente"
    })
final class MergeCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Parameters(index = "0", paramLabel = "BASE")
  Path base;

  @Parameters(index = "1", paramLabel = "LEFT")
  Path left;

  @Parameters(index = "2", paramLabel = "RIGHT")
  Path right;

  @Option(
      names = "--policy",
      paramLabel = "FILE",
      description = "The policy; by default what clashes needs review.")
  @Nullable Path policy;

  @Option(
      names = "--type",
      paramLabel = "T",
      description = "Refuse a policy that is for another type.")
  @Nullable String type;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "OUT",
      description = "Where to write the merged file (default: standard output).")
  @Nullable Path out;

  @Option(names = "--json", description = "Print the conflicts as JSON lines on standard error.")
  boolean json;

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    try {
      PolicyFile.Read read = PolicyFile.read(policy);
      if (type != null && !read.loaded().policy().type().equals(type)) {
        err.println(
            "the policy is for the type " + read.loaded().policy().type() + ", not " + type);
        return ExitCodes.BAD_INPUT;
      }
      JsonFile l = JsonFile.read(left, err);
      JsonFile r = JsonFile.read(right, err);
      JsonFile b = JsonFile.read(base, err);
      ThreeWay merge = ThreeWay.of(read.loaded().policy(), b.value(), l.value(), r.value());
      String merged = l.layOut(merge.withLeftWherePending(), r, b);
      if (out == null) {
        spec.commandLine().getOut().print(merged);
        spec.commandLine().getOut().flush();
      } else {
        Files.writeString(out, merged);
      }
      report(merge.view(), err);
      return merge.view().hasPending() ? ExitCodes.NEEDS_REVIEW : ExitCodes.OK;
    } catch (PolicyException e) {
      err.print(PolicyFile.described(policy == null ? Path.of("policy") : policy, e));
      return ExitCodes.BAD_INPUT;
    } catch (IOException | IllegalArgumentException e) {
      err.println(
          e instanceof java.nio.file.NoSuchFileException
              ? "there is no file " + e.getMessage()
              : e.getMessage());
      return ExitCodes.BAD_INPUT;
    }
  }

  private void report(View view, PrintWriter err) {
    for (Resolution resolution : view.resolutions()) {
      if (json) {
        err.println(dev.entente.engine.Describe.conflict(ThreeWay.KEY, resolution));
      } else {
        err.println(
            (resolution.isPending() ? "needs review: " : "settled: ")
                + resolution.conflict().label()
                + ": "
                + resolution.explanation());
      }
    }
  }
}
