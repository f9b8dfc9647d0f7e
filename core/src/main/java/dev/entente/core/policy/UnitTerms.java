// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Optional;
import java.util.Set;

/**
 * What a field or group says differently from its type.
 *
 * @param writes the styles in which it may be written; empty for those of the type, without
 *     overwriting where that could destroy what a writer has not seen
 * @param clock how far clocks may be apart; empty for what the type says
 * @param alert the alert that is raised while a conflict of it is open, beside those of all types
 */
public record UnitTerms(
    Optional<Set<WriteStyle>> writes, Optional<ClockTerms> clock, Optional<String> alert) {
  /** Nothing differs. */
  public static final UnitTerms DEFAULT =
      new UnitTerms(Optional.empty(), Optional.empty(), Optional.empty());

  public UnitTerms {
    writes = writes.map(Set::copyOf);
  }
}
