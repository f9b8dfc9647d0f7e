// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * A counter: for each node the sum of what it added and of what it took away. Each grows only, so
 * the larger is the later one. A grow-only counter is the same cell without the taking away. Node
 * sets are open: an unknown node counts from zero.
 */
public record Counter(SortedArrayMap<NodeId, Tally> tallies) implements Cell {
  public static final Counter EMPTY = new Counter(SortedArrayMap.empty());

  /** One node's sums, both at least 0. */
  public record Tally(long ups, long downs) {
    public static final Tally ZERO = new Tally(0, 0);

    public Tally {
      if (ups < 0 || downs < 0) {
        throw new IllegalArgumentException("a tally only grows");
      }
    }

    Tally larger(Tally other) {
      if (ups >= other.ups && downs >= other.downs) {
        return this;
      }
      return ups <= other.ups && downs <= other.downs
          ? other
          : new Tally(Math.max(ups, other.ups), Math.max(downs, other.downs));
    }
  }

  /**
   * Adds a difference on behalf of a node.
   *
   * @throws ArithmeticException where the node's sum leaves 64 bits; the writer is refused, nothing
   *     saturates in silence
   */
  public Counter add(NodeId node, long difference) {
    Tally tally = tallies.getOrDefault(node, Tally.ZERO);
    Tally grown =
        difference >= 0
            ? new Tally(Math.addExact(tally.ups(), difference), tally.downs())
            : new Tally(tally.ups(), Math.subtractExact(tally.downs(), difference));
    return new Counter(tallies.with(node, grown));
  }

  /** The sum over all nodes; exact whatever the number of nodes. */
  public BigInteger total() {
    long fast = 0;
    for (int i = 0; i < tallies.size(); i++) {
      Tally tally = tallies.value(i);
      long one = tally.ups() - tally.downs();
      long sum = fast + one;
      if (((fast ^ sum) & (one ^ sum)) < 0) {
        return exactTotal();
      }
      fast = sum;
    }
    return BigInteger.valueOf(fast);
  }

  private BigInteger exactTotal() {
    BigInteger sum = BigInteger.ZERO;
    for (Tally tally : tallies.values()) {
      sum = sum.add(BigInteger.valueOf(tally.ups())).subtract(BigInteger.valueOf(tally.downs()));
    }
    return sum;
  }

  @Override
  public Counter join(Cell other, VersionVector seen, VersionVector otherSeen) {
    return new Counter(tallies.merge(((Counter) other).tallies, Counter::larger));
  }

  private static @Nullable Tally larger(@Nullable Tally mine, @Nullable Tally theirs) {
    return mine == null ? theirs : theirs == null ? mine : mine.larger(theirs);
  }
}
