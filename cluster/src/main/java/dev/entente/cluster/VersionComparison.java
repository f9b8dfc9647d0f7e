// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import dev.entente.engine.VersionIndex;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares, dot by dot, the versions that this node and others hold.
 *
 * <p>The idea: where two nodes both have all that an author wrote up to a number, they must hold
 * the same numbers with the same contents up to there. So for every author, up to the lower of the
 * two, they compare a sum of hashes for each stretch of numbers, and list the stretches whose sums
 * differ. It does not matter who wrote the versions, who passed them on, or what else the nodes
 * have: a directory that was put back and gave numbers again is found this way, and so is a version
 * that a third node changed or invented on the way.
 *
 * <p>What was found equal once is not compared again until this process ends; a stretch that
 * differs is compared each time, so that the finding ends when the difference does. Used by one
 * thread at a time, except for {@link #found}.
 */
public final class VersionComparison {
  /** So many stretches are compared with one question. */
  private static final int STRETCHES_MAX = 1_024;

  /** So many numbers of an author are compared at a time; the next time goes on from there. */
  private static final long NUMBERS_MAX = 64L * STRETCHES_MAX * VersionIndex.STRETCH;

  /** So many stretches that differ are listed of an author. */
  private static final int LISTED_MAX = 8;

  private final Node node;
  private final VersionSource here;

  /** Up to which number all is equal, by peer and author. */
  private final Map<NodeId, Map<NodeId, Long>> equalUpTo = new TreeMap<>();

  private final Map<NodeId, List<Mismatch>> found = new TreeMap<>();

  /** Compares what a node holds. */
  public VersionComparison(Node node) {
    this.node = node;
    this.here = VersionSource.of(node);
  }

  /**
   * What two nodes hold differently of one author.
   *
   * @param peer with whom this node differs
   * @param author whose versions differ
   * @param first the lowest number that differs
   * @param differing how many numbers have two contents
   * @param missingHere how many only the peer has
   * @param missingThere how many only this node has
   */
  public record Mismatch(
      NodeId peer, NodeId author, long first, int differing, int missingHere, int missingThere) {
    /** In words, for an operator. */
    public String describe() {
      return "this node and "
          + peer
          + " hold different versions under the numbers of "
          + author
          + " from "
          + first
          + " on ("
          + differing
          + " with two contents, "
          + missingHere
          + " only there, "
          + missingThere
          + " only here): its directory was put back to an earlier state, or somebody changed what"
          + " it wrote";
    }
  }

  /**
   * Compares with another node.
   *
   * @return what differs now
   */
  public List<Mismatch> compare(NodeId peer, VersionSource there)
      throws IOException, InterruptedException {
    VersionVector theirs = there.known();
    VersionVector mine = here.known();
    Map<NodeId, Long> equal;
    synchronized (this) {
      equal = equalUpTo.computeIfAbsent(peer, _ -> new TreeMap<>());
    }
    List<Mismatch> mismatches = new ArrayList<>();
    for (int i = 0; i < mine.entries().size(); i++) {
      NodeId author = mine.entries().key(i);
      long upTo = Math.min(mine.entries().value(i), theirs.get(author));
      Differences differences = new Differences();
      long equalBefore = equal.getOrDefault(author, 0L);
      if (equalBefore == upTo) {
        continue;
      }
      long after = equalBefore / VersionIndex.STRETCH * VersionIndex.STRETCH;
      // A number that somebody only claims must not keep this comparing forever.
      upTo = Math.min(upTo, after + NUMBERS_MAX);
      while (after < upTo) {
        long end = Math.min(upTo, after + (long) STRETCHES_MAX * VersionIndex.STRETCH);
        compare(there, author, after, end, differences);
        after = end;
      }
      equal.put(author, differences.isEmpty() ? upTo : differences.firstStretch);
      differences.told(peer, author).ifPresent(mismatches::add);
    }
    synchronized (this) {
      found.put(peer, List.copyOf(mismatches));
    }
    return mismatches;
  }

  private void compare(
      VersionSource there, NodeId author, long after, long end, Differences differences)
      throws IOException, InterruptedException {
    List<Long> ours = here.sums(author, after, end);
    List<Long> others = there.sums(author, after, end);
    if (ours.size() != others.size()) {
      throw new IOException("the other node tells sums of other stretches than were asked for");
    }
    for (int i = 0; i < ours.size(); i++) {
      if (!ours.get(i).equals(others.get(i)) && differences.listed < LISTED_MAX) {
        long from = after + (long) i * VersionIndex.STRETCH;
        long to = Math.min(end, from + VersionIndex.STRETCH);
        differences.add(from, here.entries(author, from, to), there.entries(author, from, to));
      }
    }
  }

  /** What differs of one author. */
  private static final class Differences {
    private final TreeSet<Long> numbers = new TreeSet<>();
    private long firstStretch;
    private int listed;
    private int differing;
    private int missingHere;
    private int missingThere;

    boolean isEmpty() {
      return numbers.isEmpty();
    }

    void add(long from, VersionIndex.Entries ours, VersionIndex.Entries others) {
      Map<Long, VersionIndex.Entry> here = byNumber(ours);
      Map<Long, VersionIndex.Entry> there = byNumber(others);
      TreeSet<Long> all = new TreeSet<>(here.keySet());
      all.addAll(there.keySet());
      int before = numbers.size();
      for (long number : all) {
        VersionIndex.Entry mine = here.get(number);
        VersionIndex.Entry theirs = there.get(number);
        if (mine != null && theirs != null) {
          count(number, mine.hash() != theirs.hash(), 1, 0, 0);
        } else if (mine != null) {
          count(number, number > others.prunedUpTo() && !mine.refused(), 0, 0, 1);
        } else {
          count(
              number,
              number > ours.prunedUpTo() && !Objects.requireNonNull(theirs).refused(),
              0,
              1,
              0);
        }
      }
      if (before == 0 && !numbers.isEmpty()) {
        firstStretch = from;
      }
      // Sums that differ only by what one of the two has pruned or refused are no finding.
      listed += numbers.size() > before ? 1 : 0;
    }

    private void count(long number, boolean wrong, int differs, int onlyThere, int onlyHere) {
      if (wrong) {
        numbers.add(number);
        differing += differs;
        missingHere += onlyThere;
        missingThere += onlyHere;
      }
    }

    Optional<Mismatch> told(NodeId peer, NodeId author) {
      return numbers.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Mismatch(peer, author, numbers.first(), differing, missingHere, missingThere));
    }

    private static Map<Long, VersionIndex.Entry> byNumber(VersionIndex.Entries entries) {
      Map<Long, VersionIndex.Entry> numbers = new TreeMap<>();
      entries.entries().forEach(entry -> numbers.put(entry.number(), entry));
      return numbers;
    }
  }

  /** What differed when each of the other nodes was compared last. Callable from any thread. */
  public synchronized List<Mismatch> found() {
    return found.values().stream().flatMap(List::stream).toList();
  }

  /** Forgets what was found with nodes that are no members any more. Callable from any thread. */
  public synchronized void retain(Collection<NodeId> peers) {
    found.keySet().retainAll(peers);
    equalUpTo.keySet().retainAll(peers);
  }

  /** The node whose versions are compared. */
  public Node node() {
    return node;
  }
}
