// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.simulation.Stage.Figure;
import dev.entente.simulation.Stage.Performance;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The scenarios of the reference documents end as they should, and their pages say so. */
class StoryTest {
  static List<String> names() {
    return Story.all().stream().map(Story::name).toList();
  }

  private static Performance play(String name) {
    return Stage.play(Story.named(name).orElseThrow(), 1);
  }

  private static double at(Performance performance, Figure figure, String node, int second) {
    return performance
        .figures()
        .getOrDefault(figure, Map.of())
        .getOrDefault(node, List.of())
        .get(second - 1);
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyStoryEndsWithTheSameEverywhereAndNothingLost(String name) {
    Performance performance = play(name);
    assertThat(performance.broken()).isEmpty();
    assertThat(performance.convergedAfter()).isPresent();
    assertThat(performance.acknowledged()).isGreaterThan(500);
    assertThat(StoryPage.of(performance))
        .contains("<svg", "nothing lost", "bin/entente simulate " + name + " --seed 1")
        .doesNotContain("http:", "https:", "NaN");
  }

  @Test
  void theSideWithoutAMajorityStepsDownWhileTheRestGoesOn() {
    Performance split = play("split-brain");
    assertThat(split.critical()).as("a machine on two hosts").isEqualTo(1);
    double refused = 0;
    for (int second = 14; second <= 32; second++) {
      assertThat(at(split, Figure.ACCEPTED, "asia", second)).isPositive();
      assertThat(at(split, Figure.REFUSED, "eu", second)).isZero();
      refused += at(split, Figure.REFUSED, "asia", second);
    }
    assertThat(refused).isPositive();
  }

  @Test
  void aSpikeIsTakenWithoutRefusal() {
    Performance spike = play("holiday-spike");
    assertThat(spike.refused()).isZero();
    assertThat(at(spike, Figure.ACCEPTED, "eu", 20))
        .isGreaterThan(4 * at(spike, Figure.ACCEPTED, "eu", 5));
  }

  @Test
  void aReplacementGetsAllThatWasAgreedOn() {
    Performance loss = play("region-loss");
    assertThat(at(loss, Figure.LAG, "asia", 45)).isLessThan(50);
    assertThat(loss.agreed()).isGreaterThan(50);
  }

  @Test
  void oneSeedIsOnePerformance() {
    assertThat(StoryPage.of(play("cascade"))).isEqualTo(StoryPage.of(play("cascade")));
  }
}
