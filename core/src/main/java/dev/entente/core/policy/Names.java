// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The names that a policy file may use, and which of some names somebody may have meant. */
public final class Names {
  static final List<String> TOP =
      List.of(
          "type",
          "consistency",
          "writes",
          "identity",
          "unit",
          "default",
          "fallback",
          "timeout",
          "max-retries",
          "roles",
          "semantics",
          "fields",
          "groups",
          "rules",
          "escalations",
          "invariants",
          "unique",
          "limits",
          "never-automatic",
          "manual-threshold",
          "review",
          "clock",
          "deletes");

  static final List<String> STRATEGIES =
      List.of(
          "last-writer-wins",
          "first-writer-wins",
          "highest-value",
          "lowest-value",
          "sum-of-changes",
          "priority",
          "union",
          "merge",
          "append",
          "keep-both",
          "multi-value",
          "state-machine",
          "vote",
          "rollback",
          "reject",
          "manual-review");

  /** What a strategy's settings are called. */
  static final List<String> SETTINGS =
      List.of(
          "strategy",
          "of",
          "order",
          "clashes",
          "voters",
          "faulty",
          "to",
          "time-out",
          "retries",
          "otherwise");

  private Names() {}

  /** The names of a strategy's settings and others. */
  static List<String> settingsAnd(String... others) {
    return Stream.concat(SETTINGS.stream(), Stream.of(others)).toList();
  }

  /** {@code ; did you mean X?}, or {@code ; known are …}. */
  public static String suggestion(String unknown, Collection<String> known) {
    return nearest(unknown, known)
        .map(name -> "; did you mean " + name + "?")
        .orElseGet(() -> "; known are " + String.join(", ", known));
  }

  static Optional<String> nearest(String unknown, Collection<String> known) {
    return known.stream()
        .filter(name -> distance(unknown, name) <= Math.max(2, (name.length() + 1) / 3))
        .min((a, b) -> Integer.compare(distance(unknown, a), distance(unknown, b)));
  }

  /** Levenshtein's distance, bounded by the lengths of names. */
  private static int distance(String a, String b) {
    if (a.length() > 60) {
      return a.length();
    }
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substitution, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
