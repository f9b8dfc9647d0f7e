// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.math.BigInteger;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A counter: for each node the sum of what it added and of what it took away. Each grows only, so
 * the larger is the later one. A grow-only counter is the same cell without the taking away. Node
 * sets are open: an unknown node counts from zero.
 *
 * <p>Removing a counter subtracts what its author had seen: {@code removed} holds, for each node,
 * the largest tally that anybody removed. What was added concurrently is left over, whatever the
 * order, and two removals of the same count take it away once.
 *
 * <p>In a bounded counter every node has <i>rights</i>: what it added and was given, less what it
 * took away and gave. A node that takes away no more than its rights needs nobody's leave, and the
 * sum, which is that of all rights, never falls below zero, whatever is on its way. Source: Balegas
 * et al., <i>Extending eventually consistent cloud databases for enforcing numeric invariants</i>,
 * 2015.
 */
public record Counter(SortedArrayMap<NodeId, Tally> tallies, SortedArrayMap<NodeId, Tally> removed)
    implements Cell {
  public static final Counter EMPTY = new Counter(SortedArrayMap.empty());

  /** A counter of which nothing was removed. */
  public Counter(SortedArrayMap<NodeId, Tally> tallies) {
    this(tallies, SortedArrayMap.empty());
  }

  /**
   * One node's sums, all at least 0.
   *
   * @param given the rights that it gave to others
   */
  public record Tally(long ups, long downs, SortedArrayMap<NodeId, Long> given) {
    public static final Tally ZERO = new Tally(0, 0);

    public Tally(long ups, long downs) {
      this(ups, downs, SortedArrayMap.empty());
    }

    public Tally {
      if (ups < 0 || downs < 0) {
        throw new IllegalArgumentException("a tally only grows");
      }
    }

    Tally larger(Tally other) {
      boolean given = !this.given.isEmpty() || !other.given.isEmpty();
      if (!given && ups >= other.ups && downs >= other.downs) {
        return this;
      }
      return !given && ups <= other.ups && downs <= other.downs
          ? other
          : new Tally(
              Math.max(ups, other.ups),
              Math.max(downs, other.downs),
              this.given.merge(other.given, Tally::larger));
    }

    private static @Nullable Long larger(@Nullable Long mine, @Nullable Long theirs) {
      return mine == null ? theirs : theirs == null ? mine : Long.valueOf(Math.max(mine, theirs));
    }

    private Tally giving(NodeId to, long amount) {
      long sum = Math.addExact(given.getOrDefault(to, 0L), amount);
      return new Tally(ups, downs, given.with(to, sum));
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
    try {
      Tally grown =
          difference >= 0
              ? new Tally(Math.addExact(tally.ups(), difference), tally.downs(), tally.given())
              : new Tally(
                  tally.ups(), Math.subtractExact(tally.downs(), difference), tally.given());
      return new Counter(tallies.with(node, grown), removed);
    } catch (ArithmeticException e) {
      throw (ArithmeticException)
          new ArithmeticException(
                  "the share of "
                      + node
                      + " in the counter would leave 64 bits: it has added "
                      + tally.ups()
                      + " and taken away "
                      + tally.downs()
                      + "; count on under another replica name")
              .initCause(e);
    }
  }

  /**
   * Gives rights of one node to another; whether it has them is for the caller to check.
   *
   * @throws ArithmeticException where the sum of all gifts leaves 64 bits
   */
  public Counter give(NodeId from, NodeId to, long amount) {
    return new Counter(
        tallies.with(from, tallies.getOrDefault(from, Tally.ZERO).giving(to, amount)), removed);
  }

  /** Takes away what an author had seen of the tallies. */
  public Counter remove(SortedArrayMap<NodeId, Tally> seen) {
    return new Counter(tallies, removed.merge(seen, Counter::larger));
  }

  /** Whether anything was added that was not removed; differences that add up to 0 count. */
  public boolean isPresent() {
    return !tallies.equals(removed);
  }

  /** What a node may take away without asking anybody. */
  public BigInteger rights(NodeId node) {
    BigInteger rights = rights(tallies, node);
    return removed.isEmpty() ? rights : rights.subtract(rights(removed, node)).min(total());
  }

  private static BigInteger rights(SortedArrayMap<NodeId, Tally> tallies, NodeId node) {
    Tally own = tallies.getOrDefault(node, Tally.ZERO);
    BigInteger rights = BigInteger.valueOf(own.ups()).subtract(BigInteger.valueOf(own.downs()));
    for (long given : own.given().values()) {
      rights = rights.subtract(BigInteger.valueOf(given));
    }
    for (Tally other : tallies.values()) {
      rights = rights.add(BigInteger.valueOf(other.given().getOrDefault(node, 0L)));
    }
    return rights;
  }

  /** The nodes that have rights or may have had some. */
  public Set<NodeId> holders() {
    Set<NodeId> holders = new TreeSet<>(tallies.keys());
    tallies.values().forEach(tally -> holders.addAll(tally.given().keys()));
    return holders;
  }

  /** The sum over all nodes; exact whatever the number of nodes. */
  public BigInteger total() {
    return removed.isEmpty() ? total(tallies) : total(tallies).subtract(total(removed));
  }

  private static BigInteger total(SortedArrayMap<NodeId, Tally> tallies) {
    long fast = 0;
    for (int i = 0; i < tallies.size(); i++) {
      Tally tally = tallies.value(i);
      long one = tally.ups() - tally.downs();
      long sum = fast + one;
      if (((fast ^ sum) & (one ^ sum)) < 0) {
        return exactTotal(tallies);
      }
      fast = sum;
    }
    return BigInteger.valueOf(fast);
  }

  private static BigInteger exactTotal(SortedArrayMap<NodeId, Tally> tallies) {
    BigInteger sum = BigInteger.ZERO;
    for (Tally tally : tallies.values()) {
      sum = sum.add(BigInteger.valueOf(tally.ups())).subtract(BigInteger.valueOf(tally.downs()));
    }
    return sum;
  }

  @Override
  public Counter join(Cell other, VersionVector seen, VersionVector otherSeen) {
    Counter theirs = (Counter) other;
    return new Counter(
        tallies.merge(theirs.tallies, Counter::larger),
        removed.isEmpty() && theirs.removed.isEmpty()
            ? removed
            : removed.merge(theirs.removed, Counter::larger));
  }

  private static @Nullable Tally larger(@Nullable Tally mine, @Nullable Tally theirs) {
    return mine == null ? theirs : theirs == null ? mine : mine.larger(theirs);
  }
}
