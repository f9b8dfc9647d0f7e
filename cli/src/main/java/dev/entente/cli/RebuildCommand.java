// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.engine.Reconstruction;
import dev.entente.engine.store.RocksStore;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code entente rebuild}. */
@Command(
    name = "rebuild",
    description =
        "Compares every record of a stopped node with what the versions in its log say, and works out again what is damaged. The log is the truth; what it says is not changed.")
final class RebuildCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "The data directory; nothing may serve it meanwhile.")
  Path data;

  @Option(names = "--check", description = "Only say how many records are not what they should be.")
  boolean check;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    Path directory = data.resolve("store");
    if (!Files.isDirectory(directory)) {
      throw new ParameterException(
          spec.commandLine(), data + " is no data directory: it has no store");
    }
    try (RocksStore store = RocksStore.open(directory)) {
      Reconstruction.Found found;
      try (ProgressBar bar = Progress.bar("comparing", -1)) {
        found = Reconstruction.check(store, bar::stepTo);
      }
      out.printf(
          "%,d records of %,d versions, %,d not what their versions say%n",
          found.records(), found.versions(), found.wrong());
      if (found.wrong() == 0) {
        return ExitCodes.OK;
      }
      if (check) {
        out.println("work them out again: entente rebuild --data " + data);
        return ExitCodes.NEEDS_REVIEW;
      }
      try (ProgressBar bar = Progress.bar("rebuilding", -1)) {
        Reconstruction.rebuild(store, bar::stepTo);
      }
      out.println("worked out again; start it: entente serve --data " + data);
      return ExitCodes.OK;
    }
  }
}
