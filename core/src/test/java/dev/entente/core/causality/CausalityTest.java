// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Absent means zero, everywhere; clocks never go back; times from the future are refused. */
class CausalityTest {
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");

  @Test
  void anUnknownNodeCountsAsZero() {
    VersionVector one = VersionVector.of(Map.of(A, 1L));
    VersionVector more = VersionVector.of(Map.of(A, 1L, B, 5L));
    assertThat(one.compare(more)).isEqualTo(Causality.BEFORE);
    assertThat(more.compare(one)).isEqualTo(Causality.AFTER);
    assertThat(one.compare(one)).isEqualTo(Causality.EQUAL);
    assertThat(one.compare(VersionVector.of(Map.of(B, 1L)))).isEqualTo(Causality.CONCURRENT);
    assertThat(VersionVector.EMPTY.compare(VersionVector.EMPTY)).isEqualTo(Causality.EQUAL);
  }

  @Test
  void aContextSeesItsOwnDotWithoutSeeingWhatCameBefore() {
    CausalContext context = CausalContext.EMPTY.with(List.of(new Dot(A, 10)));
    assertThat(context.contains(new Dot(A, 10))).isTrue();
    assertThat(context.contains(new Dot(A, 9))).isFalse();
    assertThat(context.ceiling()).isEqualTo(VersionVector.of(Map.of(A, 10L)));
  }

  @Test
  void hybridTimeGrowsWhenThePhysicalClockGoesBack() {
    long[] now = {1_000_000};
    HybridClock clock = new HybridClock(() -> now[0], 500, HybridTime.ZERO);
    HybridTime first = clock.next();
    now[0] = 10;
    assertThat(clock.next()).isGreaterThan(first);
  }

  @Test
  void aTimeBeyondTheBoundOnDriftDoesNotMoveTheClock() {
    HybridClock clock = new HybridClock(() -> 1_000, 500, HybridTime.ZERO);
    assertThat(clock.observe(HybridTime.ofMillis(1_500))).isTrue();
    assertThat(clock.observe(HybridTime.ofMillis(1_501))).isFalse();
    assertThat(clock.last()).isEqualTo(HybridTime.ofMillis(1_500));
  }
}
