// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LatenciesTest {
  @Test
  void aQuantileIsRightToNinePercentFromMicrosecondsToMinutes() {
    Random random = new Random(7);
    Latencies latencies = new Latencies();
    long[] nanos = new long[5_000];
    for (int i = 0; i < nanos.length; i++) {
      nanos[i] = (long) Math.exp(random.nextDouble(Math.log(2e3), Math.log(60e9)));
      latencies.add(nanos[i]);
    }
    Arrays.sort(nanos);
    for (double part : new double[] {0.01, 0.5, 0.9, 0.99, 1}) {
      double exact = nanos[(int) Math.ceil(part * nanos.length) - 1] / 1e6;
      assertThat(latencies.quantileMillis(part)).isCloseTo(exact, within(0.09 * exact + 0.001));
    }
  }

  @Test
  void thoseOfSeveralAddUpInWhateverOrder() {
    Latencies slow = new Latencies();
    slow.add(2_000_000_000);
    Latencies quick = new Latencies();
    quick.add(10_000);
    quick.add(12_000);
    Latencies both = new Latencies();
    both.addAll(slow);
    both.addAll(new Latencies());
    both.addAll(quick);
    assertThat(both.count()).isEqualTo(3);
    assertThat(both.quantileMillis(0.5)).isEqualTo(quick.quantileMillis(1));
    assertThat(both.quantileMillis(1)).isEqualTo(slow.quantileMillis(1));
  }

  @Test
  void whereNothingWasThereIsNothing() {
    assertThat(new Latencies().quantileMillis(0.99)).isZero();
  }

  @Test
  void whatTakesLongerThanAnythingIsCountedWithTheSlowest() {
    Latencies latencies = new Latencies();
    latencies.add(Long.MAX_VALUE);
    latencies.add(0);
    assertThat(latencies.count()).isEqualTo(2);
  }
}
