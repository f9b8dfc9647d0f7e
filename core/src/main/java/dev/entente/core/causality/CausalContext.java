// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

import java.util.Collection;
import java.util.Collections;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * What the author of a version had seen: a version vector and, beyond it, single dots. A device
 * that queued two edits has seen its own first one but not what others wrote at the same node
 * meanwhile; a bare vector could not say that. Immutable.
 *
 * <p>Source: Preguiça et al., <i>Dotted version vectors</i>, 2012, with a set of dots in place of
 * one.
 */
public record CausalContext(VersionVector vector, NavigableSet<Dot> dots) {
  public static final CausalContext EMPTY = of(VersionVector.EMPTY);

  public CausalContext {
    dots = dots.isEmpty() ? Collections.emptyNavigableSet() : beyond(vector, dots);
  }

  private static NavigableSet<Dot> beyond(VersionVector vector, NavigableSet<Dot> dots) {
    NavigableSet<Dot> beyond = new TreeSet<>();
    for (Dot dot : dots) {
      if (!vector.contains(dot)) {
        beyond.add(dot);
      }
    }
    return beyond.isEmpty()
        ? Collections.emptyNavigableSet()
        : Collections.unmodifiableNavigableSet(beyond);
  }

  public static CausalContext of(VersionVector vector) {
    return new CausalContext(vector, Collections.emptyNavigableSet());
  }

  public CausalContext with(Collection<Dot> more) {
    if (more.isEmpty()) {
      return this;
    }
    NavigableSet<Dot> all = new TreeSet<>(dots);
    all.addAll(more);
    return new CausalContext(vector, all);
  }

  public boolean contains(Dot dot) {
    return vector.contains(dot) || (!dots.isEmpty() && dots.contains(dot));
  }

  public boolean containsAll(Collection<Dot> all) {
    for (Dot dot : all) {
      if (!contains(dot)) {
        return false;
      }
    }
    return true;
  }

  /** True where everything in here has been seen by {@code state}. */
  public boolean isWithin(VersionVector state) {
    if (!state.dominates(vector)) {
      return false;
    }
    for (Dot dot : dots) {
      if (!state.contains(dot)) {
        return false;
      }
    }
    return true;
  }

  public boolean dominates(VersionVector other) {
    return vector.dominates(other);
  }

  /** The smallest vector that has seen all of this. */
  public VersionVector ceiling() {
    VersionVector result = vector;
    for (Dot dot : dots) {
      result = result.with(dot);
    }
    return result;
  }
}
