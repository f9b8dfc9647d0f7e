// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.crdt.Splice;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The versions of a record that repeat another one: the same request was accepted more than once,
 * at nodes that did not know of each other. Of all versions of a request the one that was accepted
 * first has effect, the others have none; and whoever has seen one of them has seen the first.
 * Immutable.
 *
 * <p>The first is the one with the smallest hybrid time, then dot. Hybrid time respects causality,
 * so versions in this order come after everything that they build on, even where their author had
 * seen another version of a request than the one that has effect.
 *
 * <p>Texts and lists keep the edit of a repetition, since positions of later edits may refer to
 * what it inserted, and a <i>retraction</i> that takes this away again. It has a dot of its own,
 * derived from that of the repetition; who has seen the first and the repetition has seen it.
 *
 * @param earlier leads from each repetition to the version of the same request that was accepted
 *     before it, and so to the first
 */
public record Repetitions(SortedArrayMap<Dot, Dot> earlier) {
  public static final Repetitions NONE = new Repetitions(SortedArrayMap.empty());

  /** In which order the versions of a request were accepted; causes come before their effects. */
  static final Comparator<Version> BY_ACCEPTANCE =
      Comparator.comparing(Version::acceptedAt).thenComparing(Version::dot);

  /** A request, as its versions name it. */
  record Request(Origin origin, String eventId) implements Comparable<Request> {
    private static final Comparator<Request> ORDER =
        Comparator.comparing(Request::eventId)
            .thenComparing(request -> request.origin.sender())
            .thenComparing(request -> request.origin.request());

    @Override
    public int compareTo(Request other) {
      return ORDER.compare(this, other);
    }

    static Optional<Request> of(Version version) {
      return version.origin().isPresent() && version.eventId().isPresent()
          ? Optional.of(new Request(version.origin().get(), version.eventId().get()))
          : Optional.empty();
    }
  }

  /** The repetitions among versions, and those that were known before. */
  static Repetitions among(Repetitions known, List<Version> versions) {
    Map<Request, NavigableSet<Version>> requests = new TreeMap<>();
    boolean repeated = false;
    for (Version version : versions) {
      if (version.eventId().isPresent() && version.origin().isPresent()) {
        NavigableSet<Version> all =
            requests.computeIfAbsent(
                new Request(version.origin().get(), version.eventId().get()),
                _ -> new TreeSet<>(BY_ACCEPTANCE));
        repeated |= !all.isEmpty();
        all.add(version);
      }
    }
    if (!repeated) {
      return known;
    }
    Map<Dot, Dot> earlier = new TreeMap<>();
    known.earlier.forEach(earlier::put);
    for (NavigableSet<Version> all : requests.values()) {
      Version before = all.first();
      for (Version version : all.tailSet(before, false)) {
        earlier.put(version.dot(), before.dot());
        before = version;
      }
    }
    return new Repetitions(SortedArrayMap.copyOf(earlier));
  }

  /** Of two versions of a request the one that has effect. */
  static Version first(Version one, Version other) {
    return BY_ACCEPTANCE.compare(one, other) <= 0 ? one : other;
  }

  public boolean isEmpty() {
    return earlier.isEmpty();
  }

  /** Whether a version repeats another. */
  public boolean contains(Dot dot) {
    return earlier.containsKey(dot);
  }

  /** The version that has effect in the place of a repetition; the version itself otherwise. */
  public Dot first(Dot dot) {
    Dot first = dot;
    for (Dot before = dot; before != null; before = earlier.get(before)) {
      first = before;
    }
    return first;
  }

  /** Whether a version is repeated. */
  boolean isRepeated(Dot dot) {
    return earlier.values().contains(dot);
  }

  /** With one repetition more, of a version that is not repeated yet. */
  public Repetitions with(Dot repetition, Dot before) {
    return new Repetitions(earlier.with(repetition, before));
  }

  /** What somebody has seen, the first version of each repetition that they have seen included. */
  public CausalContext closed(CausalContext seen) {
    List<Dot> more = new ArrayList<>();
    earlier
        .keys()
        .forEach(repetition -> {
          if (seen.contains(repetition)) {
            more.add(first(repetition));
          }
        });
    return seen.with(more);
  }

  /**
   * What somebody has seen of texts and lists: with the retraction of each repetition that they
   * knew to be one.
   */
  public CausalContext withRetractions(CausalContext seen) {
    List<Dot> more = new ArrayList<>();
    earlier
        .keys()
        .forEach(repetition -> {
          if (seen.contains(repetition) && hasSeenEarlier(seen, repetition)) {
            more.add(Sequence.retraction(repetition));
          }
        });
    return seen.with(more);
  }

  private boolean hasSeenEarlier(CausalContext seen, Dot repetition) {
    for (Dot before = earlier.get(repetition); before != null; before = earlier.get(before)) {
      if (seen.contains(before)) {
        return true;
      }
    }
    return false;
  }

  /** A version as if its author had seen the first versions wherever they saw repetitions. */
  Version resolved(Version version) {
    if (isEmpty()) {
      return version;
    }
    List<Change> changes = new ArrayList<>();
    for (Change change : version.changes()) {
      changes.add(
          change instanceof Change.Assign assign
              ? new Change.Assign(
                  assign.unit(),
                  assign.value(),
                  assign.ancestors().stream().map(this::resolved).toList(),
                  assign.sumHistory().map(history -> history.renamed(this::first)))
              : change);
    }
    return version.toBuilder().context(closed(version.context())).changes(changes).build();
  }

  private Ancestor resolved(Ancestor ancestor) {
    return ancestor.dots().stream().anyMatch(this::contains)
        ? new Ancestor(
            ancestor.dots().stream().map(this::first).distinct().toList(),
            ancestor.author(),
            ancestor.value())
        : ancestor;
  }

  /** Adds to the edits of a text or list what takes a repetition's insertions away again. */
  static void retract(Dot repetition, Sequence.Edit edit, Map<Dot, Sequence.Edit> edits) {
    List<Splice> splices = removal(edit.splices());
    if (!splices.isEmpty()) {
      edits.put(
          Sequence.retraction(repetition),
          new Sequence.Edit(edit.context().with(List.of(repetition)), splices));
    }
  }

  /** What is left of the insertions of consecutive splices, as splices that remove it. */
  private static List<Splice> removal(List<Splice> splices) {
    List<int[]> inserted = new ArrayList<>();
    boolean list = false;
    for (Splice splice : splices) {
      list = splice.inserted() instanceof JsonArray;
      inserted = after(inserted, splice);
    }
    Json nothing = list ? JsonArray.EMPTY : Json.of("");
    List<Splice> removal = new ArrayList<>();
    for (int[] range : inserted.reversed()) {
      removal.add(new Splice(range[0], range[1] - range[0], nothing));
    }
    return removal;
  }

  /** Ranges of insertions, in order and apart, as they are after one more splice. */
  private static List<int[]> after(List<int[]> ranges, Splice splice) {
    int start = splice.position();
    int end = start + splice.deleted();
    int length = Sequence.length(splice.inserted());
    int shift = length - splice.deleted();
    List<int[]> next = new ArrayList<>();
    for (int[] range : ranges) {
      if (range[0] < start) {
        next.add(new int[] {range[0], Math.min(range[1], start)});
      }
    }
    if (length > 0) {
      next.add(new int[] {start, start + length});
    }
    for (int[] range : ranges) {
      if (range[1] > end) {
        next.add(new int[] {Math.max(range[0], end) + shift, range[1] + shift});
      }
    }
    next.removeIf(range -> range[0] >= range[1]);
    return next;
  }
}
