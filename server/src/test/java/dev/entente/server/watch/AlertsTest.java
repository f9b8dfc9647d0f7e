// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * An alert is raised once something has been wrong long enough, once, and cleared once it is not.
 */
class AlertsTest {
  private final AtomicLong now = new AtomicLong(1_000_000);
  private final List<Finding> found = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private final Alerts alerts = new Alerts(now::get);

  AlertsTest() {
    alerts.watch(() -> List.copyOf(found));
    alerts.tell(alert ->
        told.add((alert.clearedMillis() == 0 ? "raised " : "cleared ") + alert.finding().rule()));
  }

  private static Finding finding(String rule, String tenant, long patience) {
    return new Finding(rule, false, tenant, "", patience, rule, "look");
  }

  private void pass(long millis) {
    for (long i = 0; i < millis; i += 1_000) {
      now.addAndGet(1_000);
      alerts.look();
    }
  }

  @Test
  void whatHoldsForLongEnoughIsToldOnce() {
    found.add(finding("lag", "", 5_000));
    pass(4_000);
    assertThat(told).isEmpty();
    assertThat(alerts.active()).isEmpty();
    pass(60_000);
    assertThat(told).containsExactly("raised lag");
    assertThat(alerts.active()).hasSize(1);
  }

  @Test
  void whatFlickersIsNotTold() {
    for (int i = 0; i < 20; i++) {
      found.add(finding("lag", "", 5_000));
      pass(2_000);
      found.clear();
      pass(2_000);
    }
    assertThat(told).isEmpty();
  }

  @Test
  void whatIsOverIsClearedOnceItHasBeenCalmForAWhile() {
    found.add(finding("rate", "main", 0));
    pass(1_000);
    found.clear();
    pass(10_000);
    assertThat(told).as("it may come back").containsExactly("raised rate");
    found.add(finding("rate", "main", 0));
    pass(1_000);
    found.clear();
    pass(60_000);
    assertThat(told).containsExactly("raised rate", "cleared rate");
    assertThat(alerts.active()).isEmpty();
    assertThat(alerts.over(10)).hasSize(1);
  }

  @Test
  void eachTenantHasItsOwnAndFloodsAreBounded() {
    for (int i = 0; i < 2_000; i++) {
      found.add(finding("rate", "t" + i, 0));
    }
    pass(1_000);
    assertThat(alerts.active()).hasSize(1_000);
    assertThat(alerts.unheard()).isEqualTo(1_000);
  }
}
