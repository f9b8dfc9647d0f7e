// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.List;
import java.util.Optional;

/** Top-level fields that only make sense together: one unit, settled as a whole. */
public record Group(
    String name,
    List<String> fields,
    Optional<StrategySpec> strategy,
    Optional<Severity> severity,
    UnitTerms terms) {
  /** A group without terms of its own. */
  public Group(
      String name,
      List<String> fields,
      Optional<StrategySpec> strategy,
      Optional<Severity> severity) {
    this(name, fields, strategy, severity, UnitTerms.DEFAULT);
  }

  public Group {
    fields = List.copyOf(fields);
  }
}
