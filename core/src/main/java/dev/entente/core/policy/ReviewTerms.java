// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.time.Duration;

/** How soon a review is due and when it is escalated. */
public record ReviewTerms(Duration sla, Duration escalateAfter) {
  public static final ReviewTerms DEFAULT =
      new ReviewTerms(Duration.ofHours(2), Duration.ofHours(4));
}
