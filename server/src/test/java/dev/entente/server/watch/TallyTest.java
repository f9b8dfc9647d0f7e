// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.entente.core.record.RecordKey;
import dev.entente.engine.CausalViolation;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.Outcome;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Counts of the last hour, in slots that are used again. */
class TallyTest {
  private static final long MINUTE = 60_000;
  private final AtomicLong now = new AtomicLong(1_700_000_000_000L);
  private final Tally tally = new Tally(now::get);

  private void violations(String tenant, int count) {
    for (int i = 0; i < count; i++) {
      tally.accept(
          new NodeEvent.Violated(new RecordKey(tenant, "t", "1"), CausalViolation.DOT_REUSED));
    }
  }

  @Test
  void aWindowSeesWhatIsInItAndNothingOfAnotherTenant() {
    violations("a", 3);
    now.addAndGet(2 * MINUTE);
    violations("a", 4);
    violations("b", 50);
    assertThat(tally.count("a", Tally.What.VIOLATIONS, MINUTE)).isEqualTo(4);
    assertThat(tally.count("a", Tally.What.VIOLATIONS, 10 * MINUTE)).isEqualTo(7);
    assertThat(tally.perMinute("a", Tally.What.VIOLATIONS, 4)).containsExactly(0, 3, 0, 4);
    now.addAndGet(120 * MINUTE);
    violations("b", 1);
    assertThat(tally.count("a", Tally.What.VIOLATIONS, 60 * MINUTE)).isZero();
    assertThat(tally.count("b", Tally.What.VIOLATIONS, 60 * MINUTE)).isEqualTo(1);
  }

  @Test
  void whatIsUsualIsTheMeanOfTheHourBefore() {
    assertThat(tally.baselinePerMinute("a", Tally.What.VIOLATIONS)).isZero();
    for (int minute = 0; minute < 30; minute++) {
      violations("a", 6);
      now.addAndGet(MINUTE);
    }
    violations("a", 600);
    assertThat(tally.baselinePerMinute("a", Tally.What.VIOLATIONS)).isCloseTo(6, within(0.5));
    assertThat(tally.count("a", Tally.What.VIOLATIONS, MINUTE)).isGreaterThanOrEqualTo(600);
  }

  @Test
  void tenantsAreBounded() {
    for (int i = 0; i < 3_000; i++) {
      violations("t" + i, 1);
    }
    assertThat(tally.tenants()).hasSize(1_001).contains("(other)");
    assertThat(tally.count("(other)", Tally.What.VIOLATIONS, MINUTE)).isEqualTo(2_000);
  }

  private void write(String tenant, String type, long millis) {
    Outcome refused =
        new Outcome.Rejected(Outcome.Code.INVALID, "", Optional.empty(), Optional.empty());
    tally.accept(
        new NodeEvent.Answered(
            new RecordKey(tenant, type, "1"), refused, TimeUnit.MILLISECONDS.toNanos(millis)));
  }

  @Test
  void eachTypeAndEachTenantHasTheTimesOfItsOwnWrites() {
    for (int i = 0; i < 200; i++) {
      write("a", "quick", 1);
    }
    now.addAndGet(2 * MINUTE);
    for (int i = 0; i < 50; i++) {
      write("a", "slow", 80);
      write("b", "quick", 400);
    }
    assertThat(tally.quantileMillis("a", 0.5, 10 * MINUTE)).isCloseTo(1, within(0.1));
    assertThat(tally.quantileMillis("a", 0.99, 10 * MINUTE)).isCloseTo(80, within(8.0));
    assertThat(tally.quantileMillis(0.99, 10 * MINUTE)).isCloseTo(400, within(40.0));
    assertThat(tally.quantilePerMinute("a", 0.99, 3)[1]).isZero();
    Map<String, Tally.Course> types = tally.courses("a", Tally.By.TYPE, 5, 3);
    assertThat(types).containsOnlyKeys("quick", "slow");
    assertThat(types.get("quick").writes()).containsExactly(200L, 0L, 0L);
    assertThat(types.get("slow").writes()).containsExactly(0L, 0L, 50L);
    assertThat(types.get("slow").p99Millis().get(2)).isCloseTo(80, within(8.0));
    assertThat(types.get("slow").p99Millis().get(0)).isZero();
  }

  @Test
  void typesAreBoundedAndWhatHasNoRoomStillCounts() {
    for (int i = 0; i < 1_000; i++) {
      write("a", "t" + i, 5);
    }
    Map<String, Tally.Course> types = tally.courses("a", Tally.By.TYPE, 1_000, 1);
    assertThat(types).hasSize(201);
    assertThat(types.get("(other)").writes()).containsExactly(800L);
    assertThat(tally.quantileMillis("a", 0.99, MINUTE)).isCloseTo(5, within(0.5));
  }
}
