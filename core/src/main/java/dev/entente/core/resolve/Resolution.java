// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.json.Json;
import dev.entente.core.policy.StrategySpec;
import java.util.Locale;
import java.util.Optional;

/**
 * What became of a conflict.
 *
 * @param strategy the name of what decided
 * @param value what readers see: the settled value, or the last agreed one while it is pending
 * @param explanation one plain sentence with the values, authors, times and the rule
 * @param uncertain true where the decision rests on less than the clocks' tolerance
 * @param refused true where the policy refuses such a conflict at the door
 * @param asked the strategy that waits for an answer: of voters, of a person in time, or of the
 *     record's history
 */
public record Resolution(
    Conflict conflict,
    Status status,
    String strategy,
    Json value,
    String explanation,
    boolean uncertain,
    boolean refused,
    Optional<StrategySpec> asked) {

  /** A resolution for which no strategy is waited. */
  Resolution(
      Conflict conflict,
      Status status,
      String strategy,
      Json value,
      String explanation,
      boolean uncertain,
      boolean refused) {
    this(conflict, status, strategy, value, explanation, uncertain, refused, Optional.empty());
  }

  /** Settled by rule, kept side by side on purpose, or waiting for a person. */
  public enum Status {
    RESOLVED,
    SIBLINGS,
    PENDING;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  Resolution asking(StrategySpec spec) {
    return new Resolution(
        conflict, status, strategy, value, explanation, uncertain, refused, Optional.of(spec));
  }

  Resolution explained(String text) {
    return new Resolution(conflict, status, strategy, value, text, uncertain, refused, asked);
  }

  /** Whether readers see what was last agreed instead of what anybody wrote since. */
  boolean wentBack() {
    return isPending() || strategy.equals("rollback");
  }

  public boolean isPending() {
    return status == Status.PENDING;
  }
}
