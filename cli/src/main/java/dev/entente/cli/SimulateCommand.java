// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.simulation.Mutant;
import dev.entente.simulation.Simulation;
import dev.entente.simulation.Stage;
import dev.entente.simulation.Story;
import dev.entente.simulation.StoryPage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code entente simulate}: whole clusters under faults, each from one seed. */
@Command(
    name = "simulate",
    description =
        "Plays whole clusters under faults, each from one seed, and checks what must hold; or a scenario, and writes what came of it as a page. See docs/simulation.md.")
final class SimulateCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "SCENARIO",
      description =
          "One of the scenarios, played and written as a page: ${COMPLETION-CANDIDATES}; or \"all\".",
      completionCandidates = Names.class)
  String scenario = "";

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Where pages are written (default: ${DEFAULT-VALUE}).")
  Path pages = Path.of(".");

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

  /** The scenarios there are. */
  static final class Names extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    Names() {
      super(Story.all().stream().map(Story::name).toList());
    }
  }

  @Override
  public Integer call() throws IOException {
    return scenario.isEmpty() ? seeds() : tell();
  }

  private int tell() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    List<Story> told =
        scenario.equals("all")
            ? Story.all()
            : Story.named(scenario).map(List::of).orElse(List.of());
    if (told.isEmpty()) {
      spec.commandLine()
          .getErr()
          .println(scenario + " is none of " + String.join(", ", new Names()) + ", all");
      return ExitCodes.BAD_INPUT;
    }
    Files.createDirectories(pages);
    boolean kept = true;
    for (Story story : told) {
      Stage.Performance performance = Stage.play(story, seed);
      Path page = pages.resolve(story.name() + ".html");
      Files.writeString(page, StoryPage.of(performance));
      kept &= performance.broken().isEmpty() && performance.convergedAfter().isPresent();
      out.printf(
          "%s: %,d acknowledged, %,d refused, %,d wait for people, %s; %s%n",
          story.title(),
          performance.acknowledged(),
          performance.refused(),
          performance.waiting(),
          performance
              .broken()
              .orElse(
                  performance
                      .convergedAfter()
                      .map(s -> "the same everywhere after %.1f s".formatted(s))
                      .orElse("never the same everywhere")),
          page);
    }
    out.flush();
    return kept ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private int seeds() {
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
