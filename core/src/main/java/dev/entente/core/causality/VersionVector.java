// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

import dev.entente.core.SortedArrayMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What has been seen: for each node the highest number, absent meaning 0, so that the set of nodes
 * is open. Immutable.
 *
 * <p>Source: Parker et al., <i>Detection of mutual inconsistency in distributed systems</i>, 1983.
 */
public record VersionVector(SortedArrayMap<NodeId, Long> entries) {
  public static final VersionVector EMPTY = new VersionVector(SortedArrayMap.empty());

  public static VersionVector of(Map<NodeId, Long> entries) {
    entries.forEach(Dot::new);
    return new VersionVector(SortedArrayMap.copyOf(entries));
  }

  public static VersionVector of(Dot dot) {
    return new VersionVector(SortedArrayMap.of(dot.node(), dot.number()));
  }

  public long get(NodeId node) {
    Long number = entries.get(node);
    return number == null ? 0 : number;
  }

  public boolean contains(Dot dot) {
    return get(dot.node()) >= dot.number();
  }

  /** True where everything that {@code other} has seen has been seen here too. */
  public boolean dominates(VersionVector other) {
    for (int i = 0; i < other.entries.size(); i++) {
      if (get(other.entries.key(i)) < other.entries.value(i)) {
        return false;
      }
    }
    return true;
  }

  public Causality compare(VersionVector other) {
    boolean covers = dominates(other);
    boolean covered = other.dominates(this);
    return covers
        ? covered ? Causality.EQUAL : Causality.AFTER
        : covered ? Causality.BEFORE : Causality.CONCURRENT;
  }

  public VersionVector with(Dot dot) {
    return contains(dot) ? this : new VersionVector(entries.with(dot.node(), dot.number()));
  }

  public VersionVector join(VersionVector other) {
    if (dominates(other)) {
      return this;
    }
    if (other.dominates(this)) {
      return other;
    }
    return new VersionVector(entries.merge(other.entries, VersionVector::larger));
  }

  public boolean isEmpty() {
    return entries.isEmpty();
  }

  private static @Nullable Long larger(@Nullable Long a, @Nullable Long b) {
    return a == null ? b : b == null ? a : Long.valueOf(Math.max(a, b));
  }

  @Override
  public String toString() {
    return entries.toString();
  }
}
