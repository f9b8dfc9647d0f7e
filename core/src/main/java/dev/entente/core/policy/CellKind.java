// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.record.CellId.CellClass;
import java.util.Optional;

/** What a field is declared to be. */
public enum CellKind {
  REGISTER("register", CellClass.REGISTER),
  COUNTER("counter", CellClass.COUNTER),
  GROW_ONLY_COUNTER("grow-only-counter", CellClass.COUNTER),
  /** A counter that never falls below zero, without asking while a node's own rights last. */
  BOUNDED_COUNTER("bounded-counter", CellClass.COUNTER),
  SET("set", CellClass.SET),
  GROW_ONLY_SET("grow-only-set", CellClass.SET),
  REMOVE_WINS_SET("remove-wins-set", CellClass.SET),
  /** An object whose members merge by path; what undeclared objects are anyway. */
  MAP("map", CellClass.REGISTER),
  /** A list whose elements are inserted and removed by position. */
  LIST("list", CellClass.LIST),
  /** A text that many edit at once. */
  TEXT("text", CellClass.TEXT);

  private final String label;
  private final CellClass cellClass;

  CellKind(String label, CellClass cellClass) {
    this.label = label;
    this.cellClass = cellClass;
  }

  /** Its name in policy files. */
  public String label() {
    return label;
  }

  public CellClass cellClass() {
    return cellClass;
  }

  public boolean isCounter() {
    return cellClass == CellClass.COUNTER;
  }

  public boolean isSet() {
    return cellClass == CellClass.SET;
  }

  public boolean isSequence() {
    return cellClass == CellClass.LIST || cellClass == CellClass.TEXT;
  }

  public static Optional<CellKind> named(String label) {
    for (CellKind kind : values()) {
      if (kind.label.equals(label)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }
}
