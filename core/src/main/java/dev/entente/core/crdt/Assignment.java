// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.json.Json;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * One value given to a register: what, by whom, when, having seen what, and which values it
 * replaced (newest first). {@code time} is what the author claims; {@code acceptedAt} is the hybrid
 * time at the node that accepted it.
 *
 * @param sumHistory which changes a number is the sum of, where its unit sums changes
 * @param clockErrorMillis by how much the accepting node's clock was known to be off
 */
public record Assignment(
    Dot dot,
    CausalContext context,
    HybridTime acceptedAt,
    HybridTime time,
    String author,
    Json value,
    List<Ancestor> ancestors,
    Optional<SumHistory> sumHistory,
    int clockErrorMillis)
    implements Comparable<Assignment> {
  /** How many replaced values travel with an assignment. */
  public static final int ANCESTORS_MAX = 4;

  /** The same where the values that it replaced competed. */
  public static final int ANCESTORS_OF_CONFLICT_MAX = 6;

  /** By the author's time, then that of acceptance, then the dot: earlier first, never a tie. */
  public static final Comparator<Assignment> BY_TIME =
      Comparator.comparing(Assignment::time)
          .thenComparing(Assignment::acceptedAt)
          .thenComparing(Assignment::dot);

  /** One accepted under a clock that nothing is known against. */
  public Assignment(
      Dot dot,
      CausalContext context,
      HybridTime acceptedAt,
      HybridTime time,
      String author,
      Json value,
      List<Ancestor> ancestors) {
    this(dot, context, acceptedAt, time, author, value, ancestors, Optional.empty(), 0);
  }

  public Assignment {
    ancestors = List.copyOf(ancestors);
    if (ancestors.size() > ANCESTORS_OF_CONFLICT_MAX) {
      throw new IllegalArgumentException("more than " + ANCESTORS_OF_CONFLICT_MAX + " ancestors");
    }
  }

  /** The same with another value. */
  public Assignment with(Json other) {
    return new Assignment(
        dot, context, acceptedAt, time, author, other, ancestors, sumHistory, clockErrorMillis);
  }

  /**
   * By how much its time may be off beyond what clocks may differ: as measured, where the time is
   * that of the accepting node.
   */
  public int timeErrorMillis() {
    return time.equals(acceptedAt) ? clockErrorMillis : 0;
  }

  /** True where neither author had seen the other's value. */
  public boolean concurrentWith(Assignment other) {
    return !context.contains(other.dot) && !other.context.contains(dot);
  }

  /** The canonical order, in which strategies receive what competes. */
  @Override
  public int compareTo(Assignment other) {
    return dot.compareTo(other.dot);
  }
}
