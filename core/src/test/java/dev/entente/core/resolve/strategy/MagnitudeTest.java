// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which texts compare, and how. */
class MagnitudeTest {
  private static void ascending(Object... values) {
    List<Object> all = List.of(values);
    for (int i = 0; i < all.size(); i++) {
      for (int j = 0; j < all.size(); j++) {
        String what = all.get(i) + " against " + all.get(j);
        assertThat(Magnitude.compare(Json.of(all.get(i)), Json.of(all.get(j))).map(Integer::signum))
            .as(what)
            .contains(Integer.compare(i, j));
      }
    }
  }

  private static void incomparable(Object a, Object b) {
    assertThat(Magnitude.compare(Json.of(a), Json.of(b))).isEmpty();
    assertThat(Magnitude.compare(Json.of(b), Json.of(a))).isEmpty();
  }

  private static void equal(String a, String b) {
    assertThat(Magnitude.compare(Json.of(a), Json.of(b))).contains(0);
  }

  @Test
  void versionsCompareNumberByNumber() {
    ascending("5.8", "5.9", "5.10", "5.10.1", "6.0");
    ascending("^6.0", "^6.5", "^7.0", "^10.0");
    ascending("v1.2", "v1.9", "v1.12", "v2");
    ascending("~1.2", "~1.10");
    ascending(">=1.9", ">=1.10", ">= 2");
    ascending("<1.9", "<1.10");
    ascending("1.9.0", "^1.10.0", "v1.11.0");
    equal("^7.0", "7.0.0");
    incomparable("<2.0", ">=1.0");
  }

  @Test
  void preReleasesCompareAsInSemanticVersioning() {
    ascending(
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0");
    ascending("1.2.0-rc.1", "1.2", "1.2.1-rc.1");
    equal("1.0.0+a", "1.0.0+b");
  }

  @Test
  void decimalsCompareAsNumbers() {
    ascending(5.1, 5.9, 50);
    ascending("-1.5", "-1.05", "0.05", "0.5", "2", "19.99", "20");
    ascending("9", "10", "100000000000000000000000");
  }

  @Test
  void timesCompareAsTimes() {
    ascending("2024-05-01", "2024-05-10", "2024-06-01T10:00:00Z");
    ascending("09:30", "10:05", "10:05:30");
    ascending("2024-06-01T10:00:00+02:00", "2024-06-01T09:00:00Z");
  }

  @Test
  void valuesOfDifferentKindsDoNotCompare() {
    incomparable("5.10", 5.9);
    incomparable("2024-05", "2024-06");
    incomparable("5.10", "2024-05-01");
    incomparable("1.x", "1.2");
    incomparable("a", "b");
  }
}
