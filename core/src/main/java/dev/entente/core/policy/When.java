// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Conditions of rules and escalations for policies that are built in code. Each is the CEL
 * expression that a policy file would have. All throw {@link IllegalArgumentException} for a type,
 * member or number that conflicts do not have.
 */
public final class When {
  private When() {}

  /** Conflicts of a type, such as {@code concurrent-update} or {@code invariant-violation}. */
  public static Condition isType(String type) {
    return cel("conflict.type == " + quoted(type));
  }

  public static Condition isSeverity(Severity severity) {
    return cel("conflict.severity == severity." + severity.name());
  }

  /** Conflicts of this severity and above. */
  public static Condition isAtLeast(Severity severity) {
    return cel("conflict.severity >= severity." + severity.name());
  }

  public static Condition complexityBelow(double complexity) {
    return cel("conflict.complexity < " + number(complexity));
  }

  public static Condition complexityAbove(double complexity) {
    return cel("conflict.complexity > " + number(complexity));
  }

  /** Conflicts of a field, by its path, or of a group. */
  public static Condition isUnit(String unit) {
    return cel("conflict.unit == " + quoted(unit));
  }

  /** Conflicts in which a node of this name accepted one of the values. */
  public static Condition involvesNode(String name) {
    return cel(quoted(name) + " in conflict.nodes");
  }

  public static Condition and(Condition... all) {
    return joined(" && ", all);
  }

  public static Condition or(Condition... any) {
    return joined(" || ", any);
  }

  public static Condition not(Condition condition) {
    return cel("!(" + condition.source() + ")");
  }

  /** Any CEL expression over {@code conflict} and {@code severity}. */
  public static Condition cel(String source) {
    try {
      return CelConditions.compile(source, CelConditions.About.CONFLICT);
    } catch (PolicyProblem.Unacceptable e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static Condition joined(String operator, Condition... parts) {
    if (parts.length == 0) {
      throw new IllegalArgumentException("a combination of no conditions");
    }
    return cel(
        Arrays.stream(parts)
            .map(part -> "(" + part.source() + ")")
            .collect(Collectors.joining(operator)));
  }

  private static String number(double complexity) {
    if (!(complexity >= 0 && complexity <= 1)) {
      throw new IllegalArgumentException("a complexity lies between 0 and 1, not " + complexity);
    }
    return new java.math.BigDecimal(Double.toString(complexity)).toPlainString();
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }
}
