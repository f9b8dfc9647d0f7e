// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Optional;

/**
 * What a policy says of one field: its cell, its strategy and, if named, the least severity of its
 * conflicts.
 */
public record FieldRule(
    CellKind cell, Optional<StrategySpec> strategy, Optional<Severity> severity, UnitTerms terms) {
  /** A rule without terms of its own. */
  public FieldRule(CellKind cell, Optional<StrategySpec> strategy, Optional<Severity> severity) {
    this(cell, strategy, severity, UnitTerms.DEFAULT);
  }

  public static FieldRule of(CellKind cell) {
    return new FieldRule(cell, Optional.empty(), Optional.empty());
  }

  public static FieldRule of(StrategySpec strategy) {
    return new FieldRule(CellKind.REGISTER, Optional.of(strategy), Optional.empty());
  }

  /** True where the field's value is one unit, whatever its shape. */
  public boolean isWhole() {
    return cell == CellKind.REGISTER;
  }
}
