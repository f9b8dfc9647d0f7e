// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which side of a split goes on with what must agree; the other steps down. Every node works it out
 * for itself from whom it reaches, so it only ever takes away: what a group agrees on needs the
 * group's majority as well (the strategies are those of the <i>Split Brain Resolver</i> of Akka).
 *
 * <p>A side is all that a node reaches, directly or through one that it reaches: two nodes whose
 * line is cut and that both reach a third are on one side.
 *
 * @param quorum how many nodes a side needs, for {@link Strategy#STATIC_QUORUM} only
 */
public record SplitBrain(Strategy strategy, int quorum) {
  /** What a cluster does that was told nothing. */
  public static final SplitBrain DEFAULT = new SplitBrain(Strategy.KEEP_MAJORITY, 0);

  private static final int QUORUM_MAX = 1_000;

  /** How it is decided which side goes on. */
  public enum Strategy {
    /** More than half of the members; of two halves, that with the first name. */
    KEEP_MAJORITY,
    /** At least so many members. */
    STATIC_QUORUM,
    /** The side of the member that joined first; the others, where it is left all alone. */
    KEEP_OLDEST,
    /** The side of the node that the voters let lead. */
    LEASE,
    /** None: everybody steps down until all members reach each other again. */
    DOWN_ALL;

    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * How a node sees its cluster.
   *
   * @param since when each member joined, by name; in milliseconds since 1970, by its own clock
   * @param side whom this node reaches, itself included
   * @param leader who leads the voters
   */
  public record View(
      NavigableMap<String, Long> since, NavigableSet<String> side, Optional<String> leader) {
    public View {
      since = new TreeMap<>(since);
      side = new TreeSet<>(side);
      side.retainAll(since.keySet());
    }

    private boolean isWhole() {
      return side.size() == since.size();
    }

    private String oldest() {
      return since.entrySet().stream()
          .min(Map.Entry.<String, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
          .map(Map.Entry::getKey)
          .orElse("");
    }
  }

  public SplitBrain {
    if (strategy == Strategy.STATIC_QUORUM ? quorum < 1 || quorum > QUORUM_MAX : quorum != 0) {
      throw new IllegalArgumentException(
          "static-quorum, and no other strategy, goes with the number of nodes that a side needs");
    }
  }

  /** The strategy with a label. */
  public static SplitBrain of(String label, int quorum) {
    for (Strategy strategy : Strategy.values()) {
      if (strategy.label().equals(label)) {
        return new SplitBrain(strategy, quorum);
      }
    }
    throw new IllegalArgumentException(
        label
            + " is no strategy for a split; known are keep-majority, static-quorum, keep-oldest,"
            + " lease and down-all");
  }

  void write(ByteWriter out) {
    out.text(strategy.label()).varint(quorum);
  }

  /** Reads what {@link #write} wrote. */
  static SplitBrain read(ByteReader in) {
    try {
      return of(in.text(), (int) in.varint());
    } catch (IllegalArgumentException e) {
      throw new DamagedException(String.valueOf(e.getMessage()));
    }
  }

  /** Reads what {@link #toBytes} wrote. */
  public static SplitBrain fromBytes(byte[] bytes) {
    return read(new ByteReader(bytes));
  }

  public byte[] toBytes() {
    ByteWriter out = new ByteWriter();
    write(out);
    return out.toBytes();
  }

  /** Why it would not keep two sides of so many members apart; empty where it does. */
  public Optional<String> weakness(int members) {
    return strategy == Strategy.STATIC_QUORUM && 2 * quorum <= members
        ? Optional.of(
            "two sides of "
                + members
                + " members could both have "
                + quorum
                + ": at least "
                + (members / 2 + 1)
                + " are needed")
        : Optional.empty();
  }

  /** Why this side steps down; empty where it goes on. */
  public Optional<String> whyDown(View view) {
    boolean stays =
        switch (strategy) {
          case KEEP_MAJORITY -> isMajority(view);
          case STATIC_QUORUM -> view.side().size() >= quorum;
          case KEEP_OLDEST -> isOldest(view);
          case LEASE -> view.leader().filter(view.side()::contains).isPresent();
          case DOWN_ALL -> view.isWhole();
        };
    return stays
        ? Optional.empty()
        : Optional.of(
            "the cluster is split, and by "
                + strategy.label()
                + " this side steps down: of "
                + String.join(", ", view.since().keySet())
                + " it has "
                + String.join(", ", view.side()));
  }

  private static boolean isMajority(View view) {
    int twice = 2 * view.side().size();
    return twice > view.since().size()
        || (twice == view.since().size() && view.side().contains(view.since().firstKey()));
  }

  private static boolean isOldest(View view) {
    boolean here = view.side().contains(view.oldest());
    if (view.isWhole()) {
      return true;
    }
    // Whether the oldest is alone shows from its own side, or from all others being here.
    return here ? view.side().size() > 1 : view.side().size() == view.since().size() - 1;
  }
}
