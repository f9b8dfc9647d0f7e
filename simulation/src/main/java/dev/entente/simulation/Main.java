// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * Runs many seeds: {@code FIRST COUNT [SECONDS]}; or one with its trace: {@code SEED}. Ends with 1
 * at the first that breaks an invariant.
 */
public final class Main {
  private Main() {}

  /** Starts; see the class. */
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    if (args.length == 1) {
      Simulation.Result result = Simulation.run(Long.parseLong(args[0]));
      result.trace().forEach(out::println);
      out.println(result.broken().orElse("nothing broken"));
      System.exit(result.broken().isPresent() ? 1 : 0);
    }
    long first = Long.parseLong(args[0]);
    long count = Long.parseLong(args[1]);
    long seconds = args.length > 2 ? Long.parseLong(args[2]) : Long.MAX_VALUE / 2_000_000_000L;
    long start = System.nanoTime();
    long versions = 0;
    long seed = first;
    for (; seed < first + count; seed++) {
      Simulation.Result result = Simulation.run(seed);
      versions += result.versions();
      if (result.broken().isPresent()) {
        out.println("seed " + seed + ": " + result.broken().get());
        out.println("again: " + result.command());
        System.exit(1);
      }
      if (TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start) > seconds) {
        break;
      }
    }
    out.println(
        (seed - first)
            + " seeds, "
            + versions
            + " versions, nothing broken, "
            + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)
            + " ms");
  }
}
