// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import java.util.List;

/** A multi-value register: the assignments that no later write has covered, by dot. */
public record Register(SortedArrayMap<Dot, Assignment> assignments) implements Cell {
  public static final Register EMPTY = new Register(SortedArrayMap.empty());

  /** The assignments in canonical order. */
  public List<Assignment> values() {
    return assignments.values();
  }

  /** Covers what the assignment's author had seen, and holds the assignment. */
  public Register assign(Assignment assignment) {
    if (assignments.containsKey(assignment.dot())) {
      return this;
    }
    SortedArrayMap<Dot, Assignment> kept = uncovered(assignment.context());
    return new Register(kept.with(assignment.dot(), assignment));
  }

  /** Covers what an author had seen, and holds nothing in its place. */
  public Register clear(CausalContext seen) {
    return new Register(uncovered(seen));
  }

  private SortedArrayMap<Dot, Assignment> uncovered(CausalContext seen) {
    SortedArrayMap<Dot, Assignment> kept = assignments;
    for (int i = assignments.size() - 1; i >= 0; i--) {
      if (seen.contains(assignments.key(i))) {
        kept = kept.without(assignments.key(i));
      }
    }
    return kept;
  }

  @Override
  public Register join(Cell other, VersionVector seen, VersionVector otherSeen) {
    SortedArrayMap<Dot, Assignment> theirs = ((Register) other).assignments;
    if (assignments.hasKeysOf(theirs)) {
      return this; // A dot names one assignment for ever.
    }
    return new Register(
        assignments.merge(
            theirs,
            (mine, their) ->
                mine == null
                    ? their == null || seen.contains(their.dot()) ? null : their
                    : their != null || !otherSeen.contains(mine.dot()) ? mine : null));
  }
}
