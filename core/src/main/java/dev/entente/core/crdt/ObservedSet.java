// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.SortedChunkMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.json.Json;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A set whose elements are held up by dots: an addition adds its dot, and adding or removing covers
 * the dots its author had seen. The plain set is add-wins: an element is in while a dot holds it
 * up, and a removal leaves nothing behind. The remove-wins set keeps the dots of removals too,
 * until an author who has seen them adds again: an element is in while added and by nobody removed.
 * A grow-only set is the plain one without removals.
 *
 * <p>Source: Bieniusa et al., <i>An optimized conflict-free replicated set</i>, 2012.
 */
public record ObservedSet(SortedChunkMap<Json, Presence> elements) implements Cell {
  public static final ObservedSet EMPTY = new ObservedSet(SortedChunkMap.empty());

  /**
   * The uncovered dots of one element: those that added it and, in a remove-wins set, those that
   * removed it. Sorted.
   */
  public record Presence(List<Dot> added, List<Dot> removed) {
    static final Presence NONE = new Presence(List.of(), List.of());

    public Presence {
      added = List.copyOf(added);
      removed = List.copyOf(removed);
    }

    boolean isIn() {
      return !added.isEmpty() && removed.isEmpty();
    }

    @Nullable Presence orNull() {
      return added.isEmpty() && removed.isEmpty() ? null : this;
    }
  }

  public ObservedSet add(Json element, Dot dot, CausalContext seen) {
    Presence now = elements.getOrDefault(element, Presence.NONE);
    if (now.added().contains(dot)) {
      return this;
    }
    Presence next =
        new Presence(plus(uncovered(now.added(), seen), dot), uncovered(now.removed(), seen));
    return new ObservedSet(elements.with(element, next));
  }

  /**
   * Removes what the author had seen of the element; with {@code removeWins} the removal itself
   * stays as a dot.
   */
  public ObservedSet remove(Json element, Dot dot, CausalContext seen, boolean removeWins) {
    Presence now = elements.getOrDefault(element, Presence.NONE);
    if (now.removed().contains(dot)) {
      return this;
    }
    List<Dot> removed = uncovered(now.removed(), seen);
    Presence next =
        new Presence(uncovered(now.added(), seen), removeWins ? plus(removed, dot) : removed);
    return new ObservedSet(
        next.orNull() == null ? elements.without(element) : elements.with(element, next));
  }

  /** Covers what the author had seen of all elements, also of those that were removed. */
  public ObservedSet clear(CausalContext seen) {
    List<Json> left = new ArrayList<>();
    List<Presence> presences = new ArrayList<>();
    elements.forEach((element, now) -> {
      Presence next =
          new Presence(uncovered(now.added(), seen), uncovered(now.removed(), seen)).orNull();
      if (next != null) {
        left.add(element);
        presences.add(next);
      }
    });
    return new ObservedSet(SortedChunkMap.ofSorted(left, presences));
  }

  /** The elements that are in, sorted. */
  public List<Json> members() {
    List<Json> members = new ArrayList<>(elements.size());
    elements.forEach((element, presence) -> {
      if (presence.isIn()) {
        members.add(element);
      }
    });
    return members;
  }

  @Override
  public ObservedSet join(Cell other, VersionVector seen, VersionVector otherSeen) {
    SortedChunkMap<Json, Presence> theirs = ((ObservedSet) other).elements;
    return new ObservedSet(
        elements.join(theirs, (mine, their) -> join(mine, their, seen, otherSeen)));
  }

  private static @Nullable Presence join(
      @Nullable Presence mine,
      @Nullable Presence theirs,
      VersionVector seen,
      VersionVector otherSeen) {
    if (mine != null && mine.equals(theirs)) {
      return mine;
    }
    Presence a = mine == null ? Presence.NONE : mine;
    Presence b = theirs == null ? Presence.NONE : theirs;
    return new Presence(
            join(a.added(), b.added(), seen, otherSeen),
            join(a.removed(), b.removed(), seen, otherSeen))
        .orNull();
  }

  private static List<Dot> join(
      List<Dot> mine, List<Dot> theirs, VersionVector seen, VersionVector otherSeen) {
    List<Dot> kept = new ArrayList<>(mine.size() + theirs.size());
    for (Dot dot : mine) {
      if (theirs.contains(dot) || !otherSeen.contains(dot)) {
        kept.add(dot);
      }
    }
    for (Dot dot : theirs) {
      if (!seen.contains(dot)) {
        kept.add(dot);
      }
    }
    kept.sort(null);
    return kept;
  }

  private static List<Dot> uncovered(List<Dot> dots, CausalContext seen) {
    for (Dot dot : dots) {
      if (seen.contains(dot)) {
        return dots.stream().filter(d -> !seen.contains(d)).toList();
      }
    }
    return dots;
  }

  private static List<Dot> plus(List<Dot> dots, Dot dot) {
    List<Dot> more = new ArrayList<>(dots);
    more.add(dot);
    more.sort(null);
    return more;
  }
}
