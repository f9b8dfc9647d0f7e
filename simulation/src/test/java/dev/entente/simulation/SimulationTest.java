// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clusters under faults keep every promise; and a cluster with a bug is found out. */
class SimulationTest {
  private static final int SEEDS = Integer.getInteger("entente.simulation.seeds", 2_000);

  /** A bug that matters shows within so many seeds. */
  private static final int SEEDS_PER_MUTANT = 100;

  @Test
  void noSeedBreaksAnInvariant() {
    long first = Long.getLong("entente.simulation.first", 1);
    LongStream.range(first, first + SEEDS)
        .parallel()
        .mapToObj(Simulation::run)
        .filter(result -> !result.broken().isEmpty())
        .findFirst()
        .ifPresent(result -> assertThat(result.broken()).as(result.command()).isEmpty());
  }

  @Test
  void theSameSeedPlaysTheSameStory() {
    for (long seed = 1; seed <= 20; seed++) {
      Simulation.Result once = Simulation.run(seed);
      Simulation.Result again = Simulation.run(seed);
      assertThat(again.traceHash()).as("seed " + seed).isEqualTo(once.traceHash());
      assertThat(again.happened()).isEqualTo(once.happened());
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void everyPlantedBugIsFound(Mutant mutant) {
    long seed = 1;
    while (seed <= SEEDS_PER_MUTANT && Simulation.run(seed, mutant).broken().isEmpty()) {
      seed++;
    }
    assertThat(seed)
        .as(mutant + " was not found in " + SEEDS_PER_MUTANT + " seeds")
        .isLessThanOrEqualTo(SEEDS_PER_MUTANT);
  }
}
