// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.simulation.Mutant;
import dev.entente.simulation.Simulation;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code entente simulate}: whole clusters under faults, each from one seed. */
@Command(
    name = "simulate",
    description =
        "Plays whole clusters under faults, each from one seed, and checks what must hold; see docs/simulation.md.")
final class SimulateCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Option(names = "--seed", description = "The first seed (default: ${DEFAULT-VALUE}).")
  long seed = 1;

  @Option(names = "--seeds", description = "How many seeds (default: ${DEFAULT-VALUE}).")
  long seeds = 1;

  @Option(names = "--seconds", description = "Stop after so many seconds, whatever is left.")
  long seconds = Long.MAX_VALUE / 2_000_000_000L;

  @Option(names = "--trace", description = "Print what happened last in each seed.")
  boolean trace;

  @Option(
      names = "--mutant",
      description = "Plant a bug, to see it found: ${COMPLETION-CANDIDATES}.")
  Mutant mutant = Mutant.NONE;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    long start = System.nanoTime();
    long versions = 0;
    long played = 0;
    try (ProgressBar bar = Progress.bar("seeds", seeds)) {
      while (played < seeds
          && TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start) < seconds) {
        Simulation.Result result = Simulation.run(seed + played, mutant);
        played++;
        bar.step();
        versions += result.versions();
        if (trace) {
          result.trace().forEach(out::println);
        }
        if (result.broken().isPresent()) {
          out.println("seed " + result.seed() + " breaks " + result.broken().get());
          out.println("again: " + result.command());
          out.flush();
          return ExitCodes.FAILED;
        }
      }
    }
    out.printf(
        "%,d seeds, %,d versions, nothing broken, %.1f s%n",
        played, versions, (System.nanoTime() - start) / 1e9);
    out.flush();
    return ExitCodes.OK;
  }
}
