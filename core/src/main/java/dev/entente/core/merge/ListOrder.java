// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Brings the elements of merged lists into an order. What all sides have is cut into the shortest
 * stretches within which sides moved elements; the order of each is that of the one side that
 * changed it, and a clash where several changed it differently. Then every other element is put
 * after what it stands after in the side that has it.
 */
final class ListOrder {
  /** As people sort lists: letters regardless of case, ties by the order of values. */
  private static final Comparator<Json> ALPHABETICAL =
      Comparator.<Json, String>comparing(
              key -> key instanceof JsonString(String text) ? text.toLowerCase(Locale.ROOT) : "")
          .thenComparing(Comparator.naturalOrder());

  private static final Integer NOTHING = -1;

  private final Map<Integer, Json> keys;
  private final List<Integer> base;
  private final List<List<Integer>> sides;
  private final boolean keepSorted;
  private final Set<Integer> moved = new HashSet<>();

  /**
   * @param keys of the elements that the merged list has, by their numbers
   * @param keepSorted whether the result is sorted where all lists are
   */
  ListOrder(
      Map<Integer, Json> keys, List<Integer> base, List<List<Integer>> sides, boolean keepSorted) {
    this.keys = keys;
    this.base = base.stream().filter(keys::containsKey).toList();
    this.sides =
        sides.stream().map(side -> side.stream().filter(keys::containsKey).toList()).toList();
    this.keepSorted = keepSorted;
  }

  /** Whether two sides added the same elements, numbered from {@code first}, in another order. */
  static boolean disagree(List<List<Integer>> sides, int first) {
    for (int i = 0; i < sides.size(); i++) {
      List<Integer> added = sides.get(i).stream().filter(id -> id >= first).toList();
      for (List<Integer> other : added.isEmpty() ? List.<List<Integer>>of() : sides.subList(0, i)) {
        if (!common(added, other).equals(common(other, added))) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The merged order; empty where {@code settle}, asked with the order before and those that
   * compete, has no answer.
   */
  Optional<List<Integer>> merged(
      BiFunction<List<Integer>, List<List<Integer>>, @Nullable List<Integer>> settle) {
    if (keepSorted && isSorted(base) && sides.stream().allMatch(this::isSorted)) {
      return Optional.of(keys.keySet().stream().sorted(Comparator.comparing(keys::get)).toList());
    }
    List<Integer> shared = base;
    for (List<Integer> side : sides) {
      shared = common(shared, side);
    }
    List<List<Integer>> orders = new ArrayList<>();
    for (List<Integer> side : sides) {
      orders.add(common(side, shared));
    }
    List<Integer> result = new ArrayList<>();
    int from = 0;
    for (int to : cuts(shared, orders)) {
      List<Integer> before = shared.subList(from, to);
      int start = from;
      List<List<Integer>> offered = orders.stream().map(o -> o.subList(start, to)).toList();
      List<List<Integer>> changed =
          offered.stream().filter(order -> !order.equals(before)).distinct().toList();
      List<Integer> order =
          changed.isEmpty()
              ? before
              : changed.size() == 1 ? changed.getFirst() : settle.apply(before, offered);
      if (order == null) {
        return Optional.empty();
      }
      result.addAll(order);
      from = to;
    }
    int[] partner = Alignment.of(shared, result);
    for (int i = 0; i < partner.length; i++) {
      if (partner[i] < 0) {
        moved.add(shared.get(i));
      }
    }
    return Optional.of(wovenAll(result, leadersFirst(shared, orders)));
  }

  /** Where the first elements of the shared list are the first ones of each side too. */
  private static List<Integer> cuts(List<Integer> shared, List<List<Integer>> orders) {
    Map<Integer, Integer> rank = new HashMap<>();
    for (int i = 0; i < shared.size(); i++) {
      rank.put(shared.get(i), i);
    }
    int[] furthest = new int[shared.size()];
    for (List<Integer> order : orders) {
      int max = -1;
      for (int i = 0; i < order.size(); i++) {
        max = Math.max(max, rank.getOrDefault(order.get(i), i));
        furthest[i] = Math.max(furthest[i], max);
      }
    }
    List<Integer> cuts = new ArrayList<>();
    for (int i = 0; i < furthest.length; i++) {
      if (furthest[i] == i) {
        cuts.add(i + 1);
      }
    }
    return cuts;
  }

  private List<List<Integer>> leadersFirst(List<Integer> shared, List<List<Integer>> orders) {
    List<List<Integer>> result = new ArrayList<>();
    for (int i = 0; i < sides.size(); i++) {
      if (!orders.get(i).equals(shared)) {
        result.add(sides.get(i));
      }
    }
    for (int i = 0; i < sides.size(); i++) {
      if (orders.get(i).equals(shared)) {
        result.add(sides.get(i));
      }
    }
    return result;
  }

  private List<Integer> wovenAll(List<Integer> shared, List<List<Integer>> ordered) {
    List<Integer> result = shared;
    for (List<Integer> side : ordered) {
      result = woven(result, side);
    }
    return woven(result, base);
  }

  /** The elements of {@code a} that are in {@code b}, in a's order. */
  private static List<Integer> common(List<Integer> a, List<Integer> b) {
    Set<Integer> wanted = new HashSet<>(b);
    return a.stream().filter(wanted::contains).toList();
  }

  private boolean isSorted(List<Integer> side) {
    for (int i = 1; i < side.size(); i++) {
      if (key(side.get(i - 1)).compareTo(key(side.get(i))) > 0) {
        return false;
      }
    }
    return true;
  }

  private Json key(Integer id) {
    return java.util.Objects.requireNonNull(keys.get(id));
  }

  /**
   * The leading list with what only the other has, put after what it stood after there; or, where
   * that was moved away, before what it stood before. Where both added at one place and each keeps
   * its neighbourhood sorted, the additions are sorted together; otherwise insertions of the other
   * stand first (nearer to what both stood after) and what it appended at the end stands last.
   */
  private List<Integer> woven(List<Integer> leading, List<Integer> other) {
    Set<Integer> known = new HashSet<>(leading);
    Set<Integer> others = new HashSet<>(other);
    Map<Integer, Integer> before = new HashMap<>();
    Integer previous = NOTHING;
    for (Integer id : leading) {
      if (others.contains(id)) {
        before.put(id, previous);
        previous = id;
      }
    }
    Integer last = previous;
    Map<Integer, List<Integer>> after = new HashMap<>();
    Integer anchor = NOTHING;
    List<Integer> run = new ArrayList<>();
    for (Integer id : other) {
      if (!known.contains(id)) {
        run.add(id);
        continue;
      }
      put(after, moved.contains(anchor) && !moved.contains(id) ? before.get(id) : anchor, run);
      run.clear();
      anchor = id;
    }
    put(after, moved.contains(anchor) ? last : anchor, run);
    return woven(leading, others, after);
  }

  private static void put(
      Map<Integer, List<Integer>> after, @Nullable Integer anchor, List<Integer> run) {
    if (!run.isEmpty()) {
      after.computeIfAbsent(anchor == null ? NOTHING : anchor, _ -> new ArrayList<>()).addAll(run);
    }
  }

  private List<Integer> woven(
      List<Integer> leading, Set<Integer> others, Map<Integer, List<Integer>> after) {
    List<Integer> result = new ArrayList<>();
    List<Integer> run = new ArrayList<>();
    Integer last = NOTHING;
    for (Integer id : leading) {
      if (others.contains(id)) {
        weave(last, run, after.getOrDefault(last, List.of()), id, result);
        run.clear();
        result.add(id);
        last = id;
      } else {
        run.add(id);
      }
    }
    weave(last, run, after.getOrDefault(last, List.of()), NOTHING, result);
    return result;
  }

  private void weave(
      Integer before,
      List<Integer> mine,
      List<Integer> theirs,
      Integer behind,
      List<Integer> result) {
    if (!mine.isEmpty()
        && !theirs.isEmpty()
        && ascends(before, mine, behind)
        && ascends(before, theirs, behind)) {
      Stream.concat(mine.stream(), theirs.stream())
          .sorted(Comparator.comparing(this::key, ALPHABETICAL))
          .forEach(result::add);
    } else {
      boolean appended = behind.equals(NOTHING) && !before.equals(NOTHING);
      result.addAll(appended ? mine : theirs);
      result.addAll(appended ? theirs : mine);
    }
  }

  private boolean ascends(Integer before, List<Integer> ids, Integer behind) {
    List<Json> run = new ArrayList<>();
    Stream.of(List.of(before), ids, List.of(behind))
        .flatMap(List::stream)
        .filter(id -> !id.equals(NOTHING))
        .forEach(id -> run.add(key(id)));
    for (int i = 0; i < run.size(); i++) {
      if (run.get(i) instanceof JsonArray
          || run.get(i) instanceof JsonObject
          || (i > 0 && ALPHABETICAL.compare(run.get(i - 1), run.get(i)) > 0)) {
        return false;
      }
    }
    return true;
  }
}
