// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import java.util.Map;
import java.util.Set;

/**
 * A compiled CEL expression over named variables. Deterministic: it sees no clock, no randomness,
 * no network. Thread-safe.
 */
public interface Condition {
  /** The expression as it was written. */
  String source();

  /** The paths of {@code data} on which the result can depend. */
  Set<Path> reads();

  /**
   * Evaluates to true or false, as one of several expressions that share a budget.
   *
   * @throws ConditionException where the expression fails on these values: a type error, a division
   *     by zero, or more work than it may take
   */
  boolean holds(Map<String, ?> variables, Work work);

  /** Evaluates to true or false; throws as {@link #holds(Map, Work)}. */
  default boolean holds(Map<String, ?> variables) {
    return holds(variables, Work.forOne());
  }

  /**
   * Evaluates to a text.
   *
   * @throws ConditionException as {@link #holds(Map, Work)}
   */
  String text(Map<String, ?> variables);

  /**
   * Evaluates to a value.
   *
   * @throws ConditionException as {@link #holds(Map, Work)}, and where the result is nothing that
   *     JSON has
   */
  Json value(Map<String, ?> variables);

  /** An expression that failed on given values. */
  final class ConditionException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public ConditionException(String message) {
      super(message, null, false, false);
    }
  }
}
