// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.time.Duration;
import java.util.List;

/**
 * How soon a review is due, when and to whom it is escalated, and what one person must not decide
 * alone.
 *
 * @param escalateAfter how long a review waits before each step of the escalation
 * @param escalateTo who it goes to, one after the other
 * @param twoPersons the units, by the names of fields or groups, on which two persons must agree;
 *     {@code *} for all
 */
public record ReviewTerms(
    Duration sla, Duration escalateAfter, List<String> escalateTo, List<String> twoPersons) {
  /** Stands for every unit. */
  static final String ALL = "*";

  public static final ReviewTerms DEFAULT =
      new ReviewTerms(Duration.ofHours(2), Duration.ofHours(4), List.of(), List.of());

  public ReviewTerms {
    escalateTo = List.copyOf(escalateTo);
    twoPersons = List.copyOf(twoPersons);
  }

  /** How many steps an escalation has; one even where it goes to nobody in particular. */
  public int steps() {
    return Math.max(1, escalateTo.size());
  }
}
