// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Locale;
import java.util.Map;

/**
 * Names under which other systems know strategies, so that an error can say the right one. Case,
 * spaces and underscores do not count: {@code LAST_WRITE_WINS}, {@code StrategyLastWriteWins} and
 * {@code last-write-wins} are one name.
 */
final class StrategyNames {
  private static final Map<String, String> ALIASES =
      Map.ofEntries(
          Map.entry("last-write-wins", "last-writer-wins"),
          Map.entry("lww", "last-writer-wins"),
          Map.entry("lww-register", "last-writer-wins"),
          Map.entry("newest-wins", "last-writer-wins"),
          Map.entry("latest-wins", "last-writer-wins"),
          Map.entry("first-write-wins", "first-writer-wins"),
          Map.entry("oldest-wins", "first-writer-wins"),
          Map.entry("multi-value-register", "multi-value"),
          Map.entry("mv-register", "multi-value"),
          Map.entry("siblings", "multi-value"),
          Map.entry("highest-priority", "priority"),
          Map.entry("priority-based", "priority"),
          Map.entry("maximum-value", "highest-value"),
          Map.entry("max-value", "highest-value"),
          Map.entry("maximum", "highest-value"),
          Map.entry("minimum-value", "lowest-value"),
          Map.entry("min-value", "lowest-value"),
          Map.entry("minimum", "lowest-value"),
          Map.entry("union-merge", "union"),
          Map.entry("set-union", "union"),
          Map.entry("field-merge", "merge"),
          Map.entry("field-level-merge", "merge"),
          Map.entry("three-way-merge", "merge"),
          Map.entry("automatic-rollback", "rollback"),
          Map.entry("manual", "manual-review"),
          Map.entry("manual-intervention", "manual-review"),
          Map.entry("manual-resolution", "manual-review"),
          Map.entry("consensus-vote", "vote"),
          Map.entry("consensus", "vote"));

  /** What is something else here than a strategy that stands by its name alone. */
  private static final Map<String, String> HINTS =
      Map.ofEntries(
          Map.entry("operational-transform", "a text is a cell here: {cell: text}"),
          Map.entry(
              "semantic-merge",
              "name your merge function, semantic:NAME, declared under semantics"),
          Map.entry("g-counter", "a counter is a cell here: {cell: grow-only-counter}"),
          Map.entry("pn-counter", "a counter is a cell here: {cell: counter}"),
          Map.entry("g-set", "a set is a cell here: {cell: grow-only-set}"),
          Map.entry("or-set", "a set is a cell here: {cell: set}"),
          Map.entry("add-wins-set", "a set is a cell here: {cell: set}"),
          Map.entry("crdt", "name the cell: counter, set, text, list or map"),
          Map.entry("domain-specific-resolver", "use state-machine in a group, or semantic:NAME"),
          Map.entry("optimistic-lock", "use reject, with writes: [conditional]"),
          Map.entry("optimistic-locking", "use reject, with writes: [conditional]"),
          Map.entry("freeze", "records are frozen by an operator; use reject or manual-review"),
          Map.entry(
              "merge", "append keeps both texts one after the other, merge merges by structure"));

  private StrategyNames() {}

  /** What to write in place of a name that is no strategy's, beginning with a semicolon. */
  static String suggestion(String written) {
    String plain = plain(written);
    String hint = HINTS.get(plain);
    if (hint != null) {
      return "; " + hint;
    }
    String known = Names.STRATEGIES.contains(plain) ? plain : ALIASES.get(plain);
    return known == null
        ? Names.suggestion(written, Names.STRATEGIES)
        : "; did you mean " + known + "?";
  }

  private static String plain(String written) {
    String words =
        written
            .strip()
            .replaceAll("([a-z0-9])([A-Z])", "$1-$2")
            .toLowerCase(Locale.ROOT)
            .replaceAll("[_\\s-]+", "-");
    return words.replaceFirst("^(strategy|escalation-action)-", "");
  }
}
