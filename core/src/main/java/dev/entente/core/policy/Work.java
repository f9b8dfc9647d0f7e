// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.policy.Condition.ConditionException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The budget of one derivation or one check for evaluating expressions, in units of work. A unit is
 * about a tenth of a microsecond: one step of an expression, or {@value #CHARACTERS_PER_UNIT}
 * characters copied or compared. Work is counted, not timed, so the same expression over the same
 * values costs the same on every node, whatever the machine. Not thread-safe.
 */
public final class Work {
  /** What one expression may use; some tens of milliseconds. */
  public static final long EXPRESSION_MAX = 300_000;

  static final int CHARACTERS_PER_UNIT = 32;

  private static final long ALL_MAX = 10 * EXPRESSION_MAX;

  private long left;
  private long leftInAll;

  private Work(long inAll) {
    this.leftInAll = inAll;
  }

  /** A budget for several expressions over the same values. */
  public static Work forAll() {
    return new Work(ALL_MAX);
  }

  /** A budget for one expression. */
  public static Work forOne() {
    return new Work(EXPRESSION_MAX);
  }

  /** Starts the next expression, which gets its own share of what is left. */
  void begin() {
    left = Math.min(EXPRESSION_MAX, leftInAll);
    leftInAll -= left;
  }

  /** Ends an expression and returns what it did not use. */
  void end() {
    leftInAll += Math.max(0, left);
    left = 0;
  }

  void charge(long units) {
    left -= units;
    if (left < 0) {
      throw new Exhausted();
    }
  }

  /** Charges for reading a value completely, with all that it contains. */
  void chargeFor(@Nullable Object value) {
    switch (value) {
      case null -> charge(1);
      case CharSequence text -> charge(1 + text.length() / CHARACTERS_PER_UNIT);
      case List<?> list -> chargeForAll(list);
      case Map<?, ?> map -> {
        chargeForAll(map.keySet());
        chargeForAll(map.values());
      }
      default -> charge(1);
    }
  }

  private void chargeForAll(Collection<?> items) {
    charge(1);
    for (Object item : items) {
      chargeFor(item);
    }
  }

  /**
   * Ends an evaluation at once. It is an error, not an exception, because an expression may recover
   * from an exception ({@code broken || true}), and must not recover from this.
   */
  static final class Exhausted extends Error {
    private static final long serialVersionUID = 1;

    Exhausted() {
      super("too much work", null, false, false);
    }

    ConditionException explained() {
      return new ConditionException(
          "it takes more than "
              + EXPRESSION_MAX
              + " units of work on this record; compare shorter texts and lists, or fewer of them");
    }
  }
}
