// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Version;
import dev.entente.engine.Correction;
import dev.entente.engine.Mending;
import dev.entente.engine.Node;
import dev.entente.engine.VersionIndex;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Works out what a node has to put right where one number stands for several versions: under each
 * number the version that most nodes hold stays, and never one that only its author holds where the
 * others agree; between equals a hash decides. So every node comes to the same result, in whatever
 * order they mend: a version that loses is held by fewer nodes with each of them.
 */
public final class VersionMending {
  /** So many numbers of an author are listed with one question. */
  private static final int LISTED = VersionIndex.STRETCH;

  /** So many numbers are summed up with one question. */
  private static final long BLOCK = 1_024L * LISTED;

  /** After so many blocks in which nobody holds anything, the rest is a mere claim. */
  private static final int EMPTY_MAX = 4;

  /** So many corrections are made at once; a second run makes the rest. */
  public static final int CORRECTIONS_MAX = 10_000;

  /** So many waiting versions are looked at. */
  private static final int WAITING_MAX = 10_000;

  private static final Comparator<Holding> BEST_LAST =
      Comparator.comparingInt(Holding::others)
          .thenComparingInt(holding -> holding.holders().size())
          .thenComparing((one, other) -> Long.compareUnsigned(other.hash(), one.hash()));

  private final Node node;
  private final Map<NodeId, VersionSource> sources = new TreeMap<>();

  /**
   * Works for a node.
   *
   * @param others every other member of the cluster
   */
  public VersionMending(Node node, Map<NodeId, VersionSource> others) {
    this.node = node;
    sources.putAll(others);
    sources.put(node.id(), VersionSource.of(node));
  }

  /** A version that stands under a number, and the nodes that hold it there. */
  private record Holding(NodeId author, long hash, Set<NodeId> holders) {
    /** How many hold it besides the author itself. */
    int others() {
      return (int) holders.stream().filter(each -> !each.name().equals(author.name())).count();
    }
  }

  /**
   * A number that stands for several versions.
   *
   * @param wrong the nodes whose version has to give way
   * @param correction what this node has to do about it; empty for nothing
   */
  public record Disputed(Dot dot, Set<NodeId> wrong, Optional<Correction> correction) {}

  /** The numbers that stand for several versions, or that a node has lost; in order. */
  public List<Disputed> disputed() throws IOException, InterruptedException {
    Map<NodeId, VersionVector> known = new TreeMap<>();
    Set<NodeId> authors = new TreeSet<>();
    for (Map.Entry<NodeId, VersionSource> each : sources.entrySet()) {
      VersionVector all = each.getValue().known();
      known.put(each.getKey(), all);
      all.entries().forEach((author, _) -> authors.add(author));
    }
    List<Disputed> disputed = new ArrayList<>();
    for (NodeId author : authors) {
      if (!author.isGroup()) {
        compare(author, known, disputed);
      }
    }
    for (Mending.Fork fork : node.mending().forks(WAITING_MAX).join()) {
      forked(fork, disputed);
    }
    return disputed;
  }

  /** Where two versions of an author follow one, that stays which more nodes have taken. */
  private void forked(Mending.Fork fork, List<Disputed> disputed)
      throws IOException, InterruptedException {
    Dot dot = VersionCodec.dotOf(fork.waiting());
    boolean isTold = disputed.stream().anyMatch(each -> each.dot().equals(dot));
    if (isTold || dot.node().isGroup() || node.mending().isWrittenAgain(fork.waiting()).join()) {
      return;
    }
    Holding waits = holding(dot, fork.waiting());
    Holding rival = holding(fork.rival(), fork.rivalBytes());
    if (BEST_LAST.compare(waits, rival) > 0) {
      Set<String> names = new TreeSet<>();
      waits.holders().forEach(each -> names.add(each.name()));
      disputed.add(
          new Disputed(
              dot,
              rival.holders(),
              Optional.of(new Correction(Optional.empty(), fork.waiting(), names))));
    } else {
      disputed.add(new Disputed(dot, waits.holders(), Optional.empty()));
    }
  }

  /** Who holds a version under its number. */
  private Holding holding(Dot dot, byte[] bytes) throws IOException, InterruptedException {
    long hash = VersionIndex.hash(bytes);
    Set<NodeId> holders = new TreeSet<>();
    for (Map.Entry<NodeId, VersionSource> each : sources.entrySet()) {
      VersionIndex.Entries entries =
          each.getValue().entries(dot.node(), dot.number() - 1, dot.number());
      if (entries.entries().stream().anyMatch(entry -> entry.hash() == hash && !entry.refused())) {
        holders.add(each.getKey());
      }
    }
    return new Holding(dot.node(), hash, holders);
  }

  private void compare(NodeId author, Map<NodeId, VersionVector> known, List<Disputed> disputed)
      throws IOException, InterruptedException {
    // What only one node says to have cannot be disputed; and it may only say so.
    long most = 0;
    long last = 0;
    for (VersionVector all : known.values()) {
      long number = all.get(author);
      last = Math.max(last, Math.min(most, number));
      most = Math.max(most, number);
    }
    int empty = 0;
    for (long after = 0;
        after < last && empty < EMPTY_MAX && disputed.size() < CORRECTIONS_MAX;
        after += BLOCK) {
      long end = Math.min(last, after + BLOCK);
      boolean[] differing = new boolean[(int) ((end - after + LISTED - 1) / LISTED)];
      empty = differing(author, known, after, end, differing) ? 0 : empty + 1;
      for (int i = 0; i < differing.length; i++) {
        if (differing[i]) {
          long from = after + (long) i * LISTED;
          listed(author, known, from, Math.min(end, from + LISTED), disputed);
        }
      }
    }
  }

  /**
   * Marks the stretches in which nodes may differ.
   *
   * @return whether anybody holds anything in the block
   */
  private boolean differing(
      NodeId author, Map<NodeId, VersionVector> known, long after, long end, boolean[] differing)
      throws IOException, InterruptedException {
    boolean any = false;
    Long[] common = new Long[differing.length];
    for (Map.Entry<NodeId, VersionSource> each : sources.entrySet()) {
      long upTo = Math.min(end, vector(known, each.getKey()).get(author));
      if (upTo <= after) {
        continue;
      }
      List<Long> sums = each.getValue().sums(author, after, upTo);
      if (sums.size() != (upTo - after + LISTED - 1) / LISTED) {
        throw new IOException(each.getKey() + " tells sums of other stretches than were asked for");
      }
      for (int i = 0; i < sums.size(); i++) {
        any |= sums.get(i) != 0;
        boolean whole = upTo >= Math.min(end, after + (i + 1L) * LISTED);
        if (!whole || (common[i] != null && !common[i].equals(sums.get(i)))) {
          differing[i] = true;
        } else {
          common[i] = sums.get(i);
        }
      }
    }
    return any;
  }

  private static VersionVector vector(Map<NodeId, VersionVector> known, NodeId node) {
    return known.getOrDefault(node, VersionVector.EMPTY);
  }

  private void listed(
      NodeId author,
      Map<NodeId, VersionVector> known,
      long after,
      long end,
      List<Disputed> disputed)
      throws IOException, InterruptedException {
    Map<Long, Map<Long, Holding>> holdings = new TreeMap<>();
    Map<NodeId, Long> pruned = new TreeMap<>();
    Map<Long, Set<NodeId>> excused = new TreeMap<>();
    for (Map.Entry<NodeId, VersionSource> each : sources.entrySet()) {
      long upTo = Math.min(end, vector(known, each.getKey()).get(author));
      if (upTo <= after) {
        continue;
      }
      VersionIndex.Entries entries = each.getValue().entries(author, after, upTo);
      pruned.put(each.getKey(), entries.prunedUpTo());
      for (VersionIndex.Entry entry : entries.entries()) {
        if (entry.refused()) {
          excused.computeIfAbsent(entry.number(), _ -> new TreeSet<>()).add(each.getKey());
          continue;
        }
        holdings
            .computeIfAbsent(entry.number(), _ -> new TreeMap<>())
            .computeIfAbsent(entry.hash(), hash -> new Holding(author, hash, new TreeSet<>()))
            .holders()
            .add(each.getKey());
      }
    }
    for (Map.Entry<Long, Map<Long, Holding>> each : holdings.entrySet()) {
      long number = each.getKey();
      Holding best = each.getValue().values().stream().max(BEST_LAST).orElseThrow();
      Set<NodeId> wrong = new TreeSet<>();
      for (NodeId at : sources.keySet()) {
        boolean has =
            vector(known, at).get(author) >= number && number > pruned.getOrDefault(at, 0L);
        boolean other =
            each.getValue().values().stream()
                .anyMatch(
                    holding -> holding.hash() != best.hash() && holding.holders().contains(at));
        boolean refused = excused.getOrDefault(number, Set.of()).contains(at);
        if (!best.holders().contains(at) && !refused && (has || other)) {
          wrong.add(at);
        }
      }
      if (!wrong.isEmpty()) {
        resolve(new Dot(author, number), each.getValue(), best, wrong).ifPresent(disputed::add);
      }
    }
  }

  private Optional<Disputed> resolve(
      Dot dot, Map<Long, Holding> holdings, Holding best, Set<NodeId> wrong)
      throws IOException, InterruptedException {
    byte[] content = content(best.holders().iterator().next(), dot);
    if (holdings.size() == 1 && node.mending().isWrittenAgain(content).join()) {
      // It gave its number up, and who holds it still has not mended yet.
      return Optional.of(new Disputed(dot, best.holders(), Optional.empty()));
    }
    if (!wrong.contains(node.id())) {
      return Optional.of(new Disputed(dot, wrong, Optional.empty()));
    }
    Optional<Long> here =
        holdings.values().stream()
            .filter(holding -> holding.holders().contains(node.id()))
            .map(Holding::hash)
            .findFirst();
    Set<String> names = new TreeSet<>();
    best.holders().forEach(each -> names.add(each.name()));
    return Optional.of(new Disputed(dot, wrong, Optional.of(new Correction(here, content, names))));
  }

  private byte[] content(NodeId holder, Dot dot) throws IOException, InterruptedException {
    VersionSource source = sources.get(holder);
    List<byte[]> found =
        source == null ? List.of() : source.versions(dot.node(), dot.number() - 1, dot.number());
    if (found.size() != 1) {
      throw new IOException(dot + " is gone from the node that held it; compare again");
    }
    try {
      Version version = VersionCodec.fromBytes(found.getFirst());
      if (!version.dot().equals(dot)) {
        throw new IOException("another node sent " + version.dot() + " in place of " + dot);
      }
    } catch (DamagedException e) {
      throw new IOException("another node sent what is no version: " + e.getMessage(), e);
    }
    return found.getFirst();
  }

  /**
   * Forgets versions that wait here in vain: no node holds them under their number, and what they
   * said has been written again under another.
   *
   * @return how many
   */
  public int forgetWrittenAgain() throws IOException, InterruptedException {
    int forgotten = 0;
    for (byte[] version : node.mending().waitingInVain(WAITING_MAX).join()) {
      if (isGone(VersionCodec.dotOf(version))) {
        node.mending().forget(version).join();
        forgotten++;
      }
    }
    return forgotten;
  }

  /** Whether no node holds a version under a dot, and one knows that there is none. */
  private boolean isGone(Dot dot) throws IOException, InterruptedException {
    boolean known = false;
    for (VersionSource source : sources.values()) {
      VersionIndex.Entries entries = source.entries(dot.node(), dot.number() - 1, dot.number());
      if (!entries.entries().stream().allMatch(VersionIndex.Entry::refused)) {
        return false;
      }
      known |= source.known().contains(dot) && entries.prunedUpTo() < dot.number();
    }
    return known;
  }
}
