// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node's clock is not led astray by a wall clock that jumps. */
class NodeClockTest {
  private static final long START = 1_800_000_000_000L;
  private static final long YEAR = 365L * 86_400_000;
  private static final long DRIFT_MAX = 60_000;

  private long steady = 5_000;
  private long wall = START;

  private NodeClock started(long lastMillis) {
    return new NodeClock(() -> wall, Optional.of(() -> steady), DRIFT_MAX, lastMillis);
  }

  private void pass(long millis) {
    steady += millis;
    wall += millis;
  }

  @ParameterizedTest
  @ValueSource(longs = {60_000, 86_400_000, 5 * YEAR, -60_000, -86_400_000, -5 * YEAR})
  void aJumpIsNotBelievedAndOverOnceTheClockIsRightAgain(long jump) {
    NodeClock clock = started(0);
    pass(1_000);
    wall += jump;
    assertThat(clock.getAsLong()).isEqualTo(START + 1_000);
    assertThat(clock.jumpMillis()).isEqualTo(jump);
    assertThat(clock.isPlausible()).isFalse();
    pass(500);
    wall -= jump;
    assertThat(clock.getAsLong()).isEqualTo(START + 1_500);
    assertThat(clock.jumpMillis()).isZero();
    assertThat(clock.isPlausible()).isTrue();
  }

  @Test
  void aClockThatIsAdjustedSlowlyIsFollowed() {
    NodeClock clock = started(0);
    for (int hour = 0; hour < 48; hour++) {
      pass(3_600_000);
      wall += 5_000;
      assertThat(clock.getAsLong()).isEqualTo(wall);
    }
  }

  @Test
  void manySmallJumpsAreOneLargeJump() {
    NodeClock clock = started(0);
    for (int jump = 0; jump < 100; jump++) {
      pass(1_000);
      wall += 20_000;
      clock.getAsLong();
    }
    assertThat(clock.getAsLong() - START).isBetween(100_000L, 130_000L);
  }

  @ParameterizedTest
  @ValueSource(longs = {5 * YEAR, -5 * YEAR, -86_400_000})
  void aClockThatJumpedWhileTheNodeWasStoppedGoesOnFromTheLastTimeGivenOut(long jump) {
    wall += jump;
    NodeClock clock = started(START - 2_000);
    pass(3_000);
    assertThat(clock.getAsLong()).isEqualTo(START + 1_000);
    assertThat(clock.jumpMillis()).isNotZero();
  }

  @Test
  void aNodeThatWasStoppedForMonthsGoesOnByItsClock() {
    NodeClock clock = started(START - Duration.ofDays(100).toMillis());
    assertThat(clock.getAsLong()).isEqualTo(START);
    assertThat(clock.jumpMillis()).isZero();
  }

  @Test
  void otherNodesConfirmAClockThatWasSetRight() {
    wall += 2 * YEAR;
    NodeClock clock = started(0);
    assertThat(clock.compare(-2 * YEAR)).isFalse();
    assertThat(clock.whyNot(0)).get().asString().contains("entente cluster accept-clock");
    wall -= 2 * YEAR;
    assertThat(clock.jumpMillis()).isEqualTo(-2 * YEAR);
    assertThat(clock.compare(-2 * YEAR)).isTrue();
    assertThat(clock.getAsLong()).isEqualTo(START);
    assertThat(clock.whyNot(0)).isEmpty();
  }

  @Test
  void timesAheadOfOtherNodesAreNotGivenOut() {
    NodeClock clock = started(0);
    assertThat(clock.whyNot(START + YEAR)).as("nobody to compare with").isEmpty();
    clock.compare(0);
    assertThat(clock.whyNot(START)).isEmpty();
    assertThat(clock.whyNot(START + DRIFT_MAX)).isEmpty();
    assertThat(clock.whyNot(START + DRIFT_MAX + 1)).isPresent();
    clock.compare(YEAR);
    assertThat(clock.whyNot(START)).as("it is behind, which strands nothing").isEmpty();
  }
}
