// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.policy.Condition.ConditionException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Settles the conflicts for which its condition holds; the highest priority is asked first. Used
 * for escalations as well.
 */
public record Rule(String name, Condition when, StrategySpec then, int priority) {
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
