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
    Causality order = compare(other);
    return order == Causality.EQUAL || order == Causality.AFTER;
  }

  public Causality compare(VersionVector other) {
    boolean covers = true;
    boolean covered = true;
    int i = 0;
    int j = 0;
    while ((covers || covered) && (i < entries.size() || j < other.entries.size())) {
      int order =
          i == entries.size()
              ? 1
              : j == other.entries.size() ? -1 : entries.key(i).compareTo(other.entries.key(j));
      if (order == 0) {
        long mine = entries.value(i++);
        long theirs = other.entries.value(j++);
        covers &= mine >= theirs;
        covered &= theirs >= mine;
      } else if (order < 0) {
        covered = false;
        i++;
      } else {
        covers = false;
        j++;
      }
    }
    return covers
        ? covered ? Causality.EQUAL : Causality.AFTER
        : covered ? Causality.BEFORE : Causality.CONCURRENT;
  }

  public VersionVector with(Dot dot) {
    return contains(dot) ? this : new VersionVector(entries.with(dot.node(), dot.number()));
  }

  public VersionVector join(VersionVector other) {
    return switch (compare(other)) {
      case EQUAL, AFTER -> this;
      case BEFORE -> other;
      case CONCURRENT -> new VersionVector(entries.merge(other.entries, VersionVector::larger));
    };
  }

  public boolean isEmpty() {
    return entries.isEmpty();
  }

  private static @Nullable Long larger(@Nullable Long a, @Nullable Long b) {
    return a == null ? b : b == null || a >= b ? a : b;
  }

  @Override
  public String toString() {
    return entries.toString();
  }
}
