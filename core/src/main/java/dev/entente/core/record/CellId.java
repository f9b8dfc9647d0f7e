// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

/**
 * Names a cell: the unit and the class of cell, so that a change of a field's kind can never clash
 * when states join.
 */
public record CellId(Unit unit, CellClass cellClass) implements Comparable<CellId> {
  /** The classes of cells as they join. */
  public enum CellClass {
    REGISTER,
    COUNTER,
    SET,
    TEXT,
    LIST
  }

  public static CellId register(Unit unit) {
    return new CellId(unit, CellClass.REGISTER);
  }

  @Override
  public int compareTo(CellId other) {
    int order = unit.compareTo(other.unit);
    return order != 0 ? order : cellClass.compareTo(other.cellClass);
  }
}
