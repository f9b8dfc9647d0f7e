// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.policy.Condition.ConditionException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Settles the conflicts for which its condition holds; the highest priority is asked first. Used
 * for escalations as well.
 *
 * @param overridesFields whether a rule settles also what names a strategy of its own; escalations
 *     always do
 */
public record Rule(
    String name, Condition when, StrategySpec then, int priority, boolean overridesFields) {
  /** A rule for what names no strategy of its own. */
  public Rule(String name, Condition when, StrategySpec then, int priority) {
    this(name, when, then, priority, false);
  }

  /**
   * The first rule whose condition holds.
   *
   * @throws ConditionException naming the rule, where a condition fails before one holds
   */
  public static Optional<Rule> first(List<Rule> rules, Map<String, ?> facts, Work work) {
    for (Rule rule : rules) {
      try {
        if (rule.when().holds(facts, work)) {
          return Optional.of(rule);
        }
      } catch (ConditionException e) {
        throw new ConditionException(rule.name() + " (" + e.getMessage() + ")");
      }
    }
    return Optional.empty();
  }
}
