// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonString;
import dev.entente.core.text.Replay;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A text or a list that many edit at once: plain items, and the edits that are still concurrent
 * with others. Edits are splices at positions that their authors saw; what was concurrent is
 * transformed and replayed in one deterministic order (operational transform on an event graph, see
 * {@link Replay}).
 *
 * <p>What every further edit has seen is <i>folded</i> into {@code base}: the largest set of edits
 * that all others have seen. Hence equal sets of edits give equal cells, and where nothing is
 * concurrent the cell is the plain text. An edit by someone who had not seen all of the base needs
 * the history of the record, see {@link #of}.
 *
 * @param heads the last edits of the base: who has seen them has seen it all
 * @param open the edits beyond the base
 * @param value what readers see: the base with the open edits
 */
public record Sequence(Json base, List<Dot> heads, SortedArrayMap<Dot, Edit> open, Json value)
    implements Cell {
  public static final Sequence EMPTY_TEXT =
      new Sequence(Json.of(""), List.of(), SortedArrayMap.empty(), Json.of(""));
  public static final Sequence EMPTY_LIST =
      new Sequence(JsonArray.EMPTY, List.of(), SortedArrayMap.empty(), JsonArray.EMPTY);

  /** What one author did, and what they had seen. */
  public record Edit(CausalContext context, List<Splice> splices) {
    public Edit {
      splices = List.copyOf(splices);
    }
  }

  /** Beyond all numbers that nodes give. */
  private static final long RETRACTION = 1L << 48;

  /**
   * The dot of the edit that takes away again what another edit inserted, where that turned out to
   * repeat a third; see {@link dev.entente.core.record.Repetitions}.
   */
  public static Dot retraction(Dot repetition) {
    return new Dot(repetition.node(), RETRACTION + repetition.number());
  }

  public Sequence {
    heads = heads.stream().sorted().toList();
  }

  public static Sequence empty(boolean text) {
    return text ? EMPTY_TEXT : EMPTY_LIST;
  }

  /** The cell with a base and open edits as they were stored. */
  public static Sequence restored(Json base, List<Dot> heads, SortedArrayMap<Dot, Edit> open) {
    return new Sequence(base, heads, open, open.isEmpty() ? base : new Events(open).outcome(base));
  }

  /** This cell with more open edits, none of them folded. */
  public Sequence with(Map<Dot, Edit> edits) {
    return edits.isEmpty() ? this : restored(base, heads, openWith(edits));
  }

  private SortedArrayMap<Dot, Edit> openWith(Map<Dot, Edit> edits) {
    Map<Dot, Edit> all = new TreeMap<>(edits);
    open.forEach(all::put);
    return SortedArrayMap.copyOf(all);
  }

  /** The cell that a whole history of edits makes, folded as far as can be. */
  public static Sequence of(Sequence begun, Map<Dot, Edit> edits) {
    return folded(begun.base, begun.heads, begun.openWith(edits));
  }

  public boolean isText() {
    return base instanceof JsonString;
  }

  /** True where the edit can be applied without the history. */
  public boolean accepts(CausalContext context) {
    return context.containsAll(heads);
  }

  /**
   * Adds an edit.
   *
   * @throws HistoryNeededException where its author had not seen all of the base
   */
  public Sequence apply(Dot dot, Edit edit) {
    if (open.containsKey(dot)) {
      return this;
    }
    if (!accepts(edit.context())) {
      throw new HistoryNeededException();
    }
    return folded(base, heads, open.with(dot, edit));
  }

  private static Sequence folded(Json base, List<Dot> heads, SortedArrayMap<Dot, Edit> edits) {
    Events events = new Events(edits);
    Map<Dot, Edit> folded = events.seenByAllOthers();
    if (folded.isEmpty()) {
      return new Sequence(base, heads, edits, events.outcome(base));
    }
    Events past =
        folded.size() == edits.size() ? events : new Events(SortedArrayMap.copyOf(folded));
    SortedArrayMap<Dot, Edit> left = edits.filter(dot -> !folded.containsKey(dot));
    return restored(past.outcome(base), past.heads, left);
  }

  /**
   * {@inheritDoc}
   *
   * @throws HistoryNeededException where each side has folded what the other has not seen
   */
  @Override
  public Sequence join(Cell other, VersionVector seen, VersionVector otherSeen) {
    Sequence theirs = (Sequence) other;
    if (equals(theirs)) {
      return this;
    }
    if (canTake(theirs, seen)) {
      return withEditsOf(theirs, seen);
    }
    if (theirs.canTake(this, otherSeen)) {
      return theirs.withEditsOf(this, otherSeen);
    }
    throw new HistoryNeededException();
  }

  private boolean canTake(Sequence theirs, VersionVector seen) {
    for (Dot head : theirs.heads) {
      if (!seen.contains(head)) {
        return false;
      }
    }
    for (int i = 0; i < theirs.open.size(); i++) {
      if (!seen.contains(theirs.open.key(i)) && !accepts(theirs.open.value(i).context())) {
        return false;
      }
    }
    return true;
  }

  private Sequence withEditsOf(Sequence theirs, VersionVector seen) {
    SortedArrayMap<Dot, Edit> unknown = theirs.open.filter(dot -> !seen.contains(dot));
    SortedArrayMap<Dot, Edit> all =
        open.merge(unknown, (mine, their) -> mine != null ? mine : their);
    return all.equals(open) ? this : folded(base, heads, all);
  }

  /** The value as someone with this context saw it; the base where they had not seen all of it. */
  public Json seenBy(CausalContext context) {
    SortedArrayMap<Dot, Edit> edits = open.filter(context::contains);
    return edits.size() == open.size() ? value : new Events(edits).outcome(base);
  }

  /**
   * Where positions are now that someone with this context saw: right after the item before each,
   * or right before the one behind it; at the end where there is none.
   *
   * @throws HistoryNeededException where they had not seen all of the base
   */
  public int[] positions(CausalContext context, int[] positions, boolean stickToNext) {
    if (!accepts(context)) {
      throw new HistoryNeededException();
    }
    int[] now = new Events(open).positions(base, context, positions, stickToNext);
    int length = length(value);
    for (int i = 0; i < now.length; i++) {
      now[i] = Math.min(now[i], length);
    }
    return now;
  }

  /** How many items there are. */
  public static int length(Json sequence) {
    return sequence instanceof JsonString(String text)
        ? text.codePointCount(0, text.length())
        : ((JsonArray) sequence).items().size();
  }

  /** Edits in an order that has each after what its author had seen. */
  private static final class Events {
    private final List<Dot> dots;
    private final List<Edit> edits = new ArrayList<>();

    /** Whether an edit had seen all before it: then nobody has to ask what else came before it. */
    private final boolean[] sawAllBefore;

    /** The edits that none of the others has seen. */
    private final List<Dot> heads = new ArrayList<>();

    Events(SortedArrayMap<Dot, Edit> unordered) {
      Map<Dot, Long> depths = new TreeMap<>();
      unordered.forEach((dot, edit) -> depths.put(dot, depth(edit.context())));
      dots = new ArrayList<>(unordered.keys());
      if (dots.size() > 1) {
        dots.sort(Comparator.<Dot>comparingLong(depths::get).thenComparing(dot -> dot));
      }
      for (Dot dot : dots) {
        edits.add(unordered.getOrDefault(dot, NO_EDIT));
      }
      sawAllBefore = new boolean[dots.size()];
      for (int i = 0; i < sawAllBefore.length; i++) {
        CausalContext seen = edits.get(i).context();
        sawAllBefore[i] = seen.containsAll(heads);
        heads.removeIf(seen::contains);
        heads.add(dots.get(i));
      }
    }

    private static final Edit NO_EDIT = new Edit(CausalContext.EMPTY, List.of());

    /** Grows along causality: who saw an edit saw what its author had seen, and it. */
    private static long depth(CausalContext context) {
      long sum = 0;
      VersionVector ceiling = context.vector();
      for (Dot dot : context.dots()) {
        if (dot.number() > RETRACTION) {
          sum++;
        } else {
          ceiling = ceiling.with(dot);
        }
      }
      for (int i = 0; i < ceiling.entries().size(); i++) {
        sum += ceiling.entries().value(i);
      }
      return sum;
    }

    /** The largest set of edits that all edits outside of it have seen. */
    Map<Dot, Edit> seenByAllOthers() {
      Map<Dot, Edit> inside = new TreeMap<>();
      for (int i = 0; i < dots.size(); i++) {
        inside.put(dots.get(i), edits.get(i));
      }
      if (heads.size() == 1) {
        return inside;
      }
      List<Edit> outside = new ArrayList<>();
      for (Dot head : heads) {
        Edit last = inside.remove(head);
        if (last != null) {
          outside.add(last);
        }
      }
      while (!outside.isEmpty()) {
        CausalContext seen = outside.removeLast().context();
        inside
            .entrySet()
            .removeIf(entry -> {
              boolean unseen = !seen.contains(entry.getKey());
              if (unseen) {
                outside.add(entry.getValue());
              }
              return unseen;
            });
      }
      return inside;
    }

    Json outcome(Json base) {
      if (dots.isEmpty()) {
        return base;
      }
      Items items = Items.like(base);
      Replay replay = new Replay(items.numbers(base));
      replayed(replay, items);
      return items.value(replay.outcome());
    }

    int[] positions(Json base, CausalContext context, int[] positions, boolean stickToNext) {
      Items items = Items.like(base);
      Replay replay = new Replay(items.numbers(base));
      int[] ends = replayed(replay, items);
      return replay.positions(lastSeen(context, dots.size(), ends), positions, stickToNext);
    }

    private int[] replayed(Replay replay, Items items) {
      int[] ends = new int[dots.size()];
      for (int i = 0; i < ends.length; i++) {
        for (Splice splice : edits.get(i).splices()) {
          replay.delete(splice.position(), splice.deleted());
          replay.insert(splice.position(), items.numbers(splice.inserted()));
        }
        Dot dot = dots.get(i);
        String agent = dot.node().value() + String.format("/%016x", dot.number());
        ends[i] = replay.end(agent, lastSeen(edits.get(i).context(), i, ends));
      }
      return ends;
    }

    /** Of the first edits those that a context has seen and that no other of these has seen. */
    private int[] lastSeen(CausalContext context, int before, int[] ends) {
      List<Integer> last = new ArrayList<>();
      for (int i = before - 1; i >= 0; i--) {
        if (ends[i] >= 0 && context.contains(dots.get(i)) && !isSeenBy(last, dots.get(i))) {
          last.add(i);
          if (sawAllBefore[i]) {
            break;
          }
        }
      }
      int[] result = new int[last.size()];
      for (int i = 0; i < result.length; i++) {
        result[i] = ends[last.get(i)];
      }
      return result;
    }

    private boolean isSeenBy(Collection<Integer> later, Dot dot) {
      for (int each : later) {
        if (edits.get(each).context().contains(dot)) {
          return true;
        }
      }
      return false;
    }
  }

  /** Items as numbers: code points, or places in a table. */
  private sealed interface Items {
    static Items like(Json sequence) {
      return sequence instanceof JsonString ? new CodePoints() : new Elements(new ArrayList<>());
    }

    int[] numbers(Json sequence);

    Json value(int[] numbers);

    record CodePoints() implements Items {
      @Override
      public int[] numbers(Json sequence) {
        return sequence instanceof JsonString(String text)
            ? text.codePoints().toArray()
            : new int[0];
      }

      @Override
      public Json value(int[] numbers) {
        return Json.of(new String(numbers, 0, numbers.length));
      }
    }

    record Elements(List<Json> table) implements Items {
      @Override
      public int[] numbers(Json sequence) {
        List<Json> elements = sequence instanceof JsonArray array ? array.items() : List.<Json>of();
        int[] numbers = new int[elements.size()];
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] = table.size();
          table.add(elements.get(i));
        }
        return numbers;
      }

      @Override
      public Json value(int[] numbers) {
        List<Json> elements = new ArrayList<>(numbers.length);
        for (int number : numbers) {
          elements.add(table.get(number));
        }
        return new JsonArray(elements);
      }
    }
  }
}
