// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.time.Duration;

/**
 * How far clocks may be apart. A decision that rests on a smaller difference is uncertain: it is
 * marked, and sent to review where {@code reviewUncertain}.
 */
public record ClockTerms(Duration tolerance, boolean reviewUncertain) {
  public static final ClockTerms DEFAULT = new ClockTerms(Duration.ofMillis(100), false);
}
