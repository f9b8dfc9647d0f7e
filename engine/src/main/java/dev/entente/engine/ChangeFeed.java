// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The feed of a tenant's changes: every version once, each record's versions in causal order, and
 * nothing that readers of records do not see yet. Thread-safe.
 *
 * <p>The idea: this node's log is the feed. On the same log a cursor goes on by its position. On
 * another node it goes on by what the reader has seen: that node's log is read from the beginning,
 * without the versions that the cursor contains.
 *
 * <p>The invariant: the vector of a cursor names {@code (node, n)} only where every version of that
 * node up to {@code n} stands in this log at or below the cursor's position. Two things can break
 * the order of one node's numbers in a log: versions buffered because something they build on was
 * missing, here or at the node they came through. So the vector is raised no further than what this
 * node knows to have in full ({@link Replication}), and not past a version that stands behind the
 * position; what was read beyond that is named dot by dot.
 *
 * <p>Versions that history compaction removed cannot be read any more. A reader that begins is told
 * so ({@link Page#gap}); one that goes on and has not seen them is refused.
 */
public final class ChangeFeed {
  /** How many entries of the log one page looks at, whether they are news to the reader or not. */
  private static final int SCANNED_MAX = 50_000;

  private final Store store;
  private final Incarnations self;
  private final LongSupplier visible;
  private final Supplier<VersionVector> known;

  /**
   * The feed of one node.
   *
   * @param visible up to which position readers of records see the log
   * @param known what this node has in full of every node
   */
  ChangeFeed(Store store, Incarnations self, LongSupplier visible, Supplier<VersionVector> known) {
    this.store = store;
    this.self = self;
    this.visible = visible;
    this.known = known;
  }

  /** One version, with the cursor that goes on behind it. */
  public record Entry(Version version, FeedCursor cursor) {}

  /**
   * A stretch of the feed.
   *
   * @param cursor goes on behind all that was looked at
   * @param complete whether the stretch reaches the end of what is visible now
   * @param gap whether old versions are missing that the reader has not seen, which it was told
   *     when it began
   */
  public record Page(List<Entry> entries, FeedCursor cursor, boolean complete, boolean gap) {
    public Page {
      entries = List.copyOf(entries);
    }
  }

  /** The cursor of a reader who begins: everything in this log is news to it. */
  public FeedCursor begin(String tenant) {
    return new FeedCursor(self.self(), 0, CausalContext.EMPTY, Pruning.horizon(store::get, tenant));
  }

  /**
   * Reads on.
   *
   * @param limit how many versions at most
   * @throws FeedGapException where versions that the reader has not seen are gone
   */
  public Page read(String tenant, FeedCursor from, int limit) {
    // First what is visible and known in full, then the log: all that is known then is in it.
    long end = visible.getAsLong();
    VersionVector inFull = known.get();
    FeedCursor start = here(tenant, from);
    Progress progress = new Progress(tenant, start, inFull);
    List<Entry> entries = new ArrayList<>();
    int[] scanned = {0};
    long[] last = {start.position()};
    boolean[] stopped = {false};
    byte[] prefix = Keys.of(tenant);
    store.scan(
        Table.LOG,
        Keys.with(prefix, start.position() + 1),
        Keys.after(prefix),
        false,
        (key, bytes) -> {
          long position = Keys.lastNumber(key);
          if (position > end) {
            return false;
          }
          last[0] = position;
          Dot dot = VersionCodec.dotOf(bytes);
          if (!from.seen().contains(dot)) {
            progress.saw(dot, position);
            entries.add(new Entry(VersionCodec.fromBytes(bytes), progress.cursor(position)));
          }
          stopped[0] = ++scanned[0] >= SCANNED_MAX || entries.size() >= limit;
          return !stopped[0];
        });
    long reached = stopped[0] ? last[0] : Math.max(end, start.position());
    refuseGap(tenant, from, start);
    progress.raiseAll(reached);
    return new Page(entries, progress.cursor(reached), !stopped[0], start.position() < start.gap());
  }

  /** Where this log goes on for a reader that comes from it or from another. */
  private FeedCursor here(String tenant, FeedCursor from) {
    if (from.node().equals(self.self())) {
      if (from.position() > visible.getAsLong()) {
        throw new FeedGapException(
            "the cursor lies behind the end of this node's log, so the node's directory was put"
                + " back to an earlier state since; read the feed without a cursor");
      }
      return from;
    }
    if (from.position() <= self.former().get(from.node())) {
      // The same log, under a former incarnation of this node.
      return new FeedCursor(self.self(), from.position(), from.seen(), from.gap());
    }
    return new FeedCursor(self.self(), 0, from.seen(), Pruning.horizon(store::get, tenant));
  }

  /** Refuses a reader that goes on where something it has not seen was removed. */
  private void refuseGap(String tenant, FeedCursor from, FeedCursor start) {
    long horizon = Pruning.horizon(store::get, tenant);
    boolean sameLog = start.position() == from.position() && start.gap() == from.gap();
    boolean told = sameLog && (start.position() >= horizon || horizon <= start.gap());
    if (!told && !isPrunedSeen(from)) {
      throw new FeedGapException(
          "old versions that this reader has not seen are not kept any more on "
              + self.self().name()
              + "; read the feed without a cursor: it has the newest version of every record");
    }
  }

  private boolean isPrunedSeen(FeedCursor from) {
    return from.seen().dominates(Pruning.dots(store::get));
  }

  /** What a reader has seen, as it goes on through this log. */
  private final class Progress {
    private final String tenant;
    private final long gap;
    private final VersionVector inFull;
    private final NavigableMap<NodeId, Long> vector = new TreeMap<>();
    private final Map<NodeId, Ahead> ahead = new TreeMap<>();
    private final NavigableSet<Dot> beyond;

    Progress(String tenant, FeedCursor start, VersionVector inFull) {
      this.tenant = tenant;
      this.gap = start.gap();
      this.inFull = inFull;
      start.seen().vector().entries().forEach(vector::put);
      this.beyond = new TreeSet<>(start.seen().dots());
      raiseOwn(start.position());
    }

    void saw(Dot dot, long position) {
      raiseOwn(position);
      if (!self.wrote(dot)) {
        beyond.add(dot);
        raise(dot.node(), position);
      }
    }

    /** Raises the vector for every node, at the end of what was read. */
    void raiseAll(long position) {
      raiseOwn(position);
      inFull.entries().forEach((node, _) -> raise(node, position));
    }

    /** What this node wrote itself stands at its own number, under each of its incarnations. */
    private void raiseOwn(long position) {
      set(self.self(), position);
      self.former().entries().forEach((node, last) -> set(node, Math.min(last, position)));
    }

    private void raise(NodeId node, long position) {
      long full = inFull.get(node);
      if (!node.equals(self.self()) && full > vector.getOrDefault(node, 0L)) {
        long behind =
            ahead
                .computeIfAbsent(
                    node, _ -> new Ahead(tenant, node, vector.getOrDefault(node, 0L), full))
                .firstBehind(position);
        set(node, behind - 1);
      }
    }

    private void set(NodeId node, long number) {
      if (number > vector.getOrDefault(node, 0L)) {
        vector.put(node, number);
        beyond.removeIf(dot -> dot.node().equals(node) && dot.number() <= number);
      }
    }

    FeedCursor cursor(long position) {
      CausalContext seen = CausalContext.of(VersionVector.of(vector));
      return new FeedCursor(
          self.self(),
          position,
          beyond.size() > FeedCursor.DOTS_MAX ? seen : seen.with(beyond),
          gap);
    }
  }

  /** Where the next versions of one other node stand in this log, in the order of its numbers. */
  private final class Ahead {
    private static final int LOADED_MAX = 256;

    /** A version's number, and its position here. */
    private record Place(long number, long position) {}

    private final byte[] prefix;
    private final long full;
    private final Deque<Place> places = new ArrayDeque<>();
    private long loadedUpTo;

    Ahead(String tenant, NodeId node, long after, long full) {
      this.prefix = Keys.of(tenant, node.value());
      this.loadedUpTo = after;
      this.full = full;
    }

    /** The first number whose version stands behind a position; the one after all without one. */
    long firstBehind(long position) {
      while (true) {
        while (!places.isEmpty() && places.getFirst().position() <= position) {
          places.removeFirst();
        }
        if (!places.isEmpty()) {
          return places.getFirst().number();
        }
        if (loadedUpTo >= full) {
          return full + 1;
        }
        load();
      }
    }

    private void load() {
      long[] last = {full};
      store.scan(
          Table.DOTS,
          Keys.with(prefix, loadedUpTo + 1),
          Keys.after(prefix),
          false,
          (key, value) -> {
            long number = Keys.lastNumber(key);
            if (number > full) {
              return false;
            }
            places.addLast(new Place(number, Keys.lastNumber(value)));
            if (places.size() >= LOADED_MAX) {
              last[0] = number;
            }
            return places.size() < LOADED_MAX;
          });
      loadedUpTo = last[0];
    }
  }
}
