// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Merges lists against the one they replaced. Each element of each side is identified with the
 * element of the base that it stands for ({@link ListSide}); then elements are merged one by one,
 * and their order by {@link ListOrder}. How elements are identified is the first of these that
 * fits:
 *
 * <ol>
 *   <li>objects that all have a distinct id-like member: by that member;
 *   <li>numbers and booleans, as many on each side as in the base: by position, as a coordinate or
 *       a colour;
 *   <li>distinct plain values to which every side only added: by value, as a set;
 *   <li>anything else: by what each side kept, moved, replaced, removed and inserted, as diff3
 *       does.
 * </ol>
 *
 * A clash inside one element is that element's. What cannot be told element by element (a stretch
 * replaced by more or fewer elements that another side touched too, an element that one moved and
 * another removed, the same addition at two places) is a clash of the whole list.
 *
 * <p>Source: Khanna, Kunal, Pierce, <i>A formal investigation of diff3</i>, 2007.
 */
final class ListMerge {
  /** Members that identify an element for as long as it exists. */
  private static final List<String> IDS = List.of("id", "_id", "uuid");

  /** Members that identify an element but may themselves be changed. */
  private static final List<String> NAMES =
      List.of("key", "name", "code", "slug", "value", "title");

  private final StructuralMerge merge;
  private final Path path;
  private final Json replaced;
  private final List<Json> base;
  private final List<Json> values;
  private final List<List<Json>> lists;

  /** An element that is not in the base: what it is, and, where that matters, after what. */
  private record Added(Json key, int after, int occurrence, int block) {}

  ListMerge(StructuralMerge merge, Path path, Json base, List<Json> sides) {
    this.merge = merge;
    this.path = path;
    this.replaced = base;
    this.base = items(base);
    this.values = sides;
    this.lists = sides.stream().map(ListMerge::items).toList();
  }

  private static List<Json> items(Json json) {
    return json instanceof JsonArray(List<Json> items) ? items : List.of();
  }

  private Stream<List<Json>> all() {
    return Stream.concat(Stream.of(base), lists.stream());
  }

  Json merged() {
    for (String member : IDS) {
      if (all().allMatch(list -> isIdentifiedBy(member, list))) {
        return byKey(lists, element -> ((JsonObject) element).get(member));
      }
    }
    if (merge.unites()) {
      return byKey(lists.stream().map(ListMerge::distinct).toList(), this::nameOrSelf);
    }
    if (isTuple()) {
      return merged(
          lists, lists.stream().map(ListSide::byIndex).toList(), Function.identity(), true);
    }
    if (replaced.isAbsent() && all().allMatch(ListMerge::isNumeric)) {
      return clash();
    }
    if (all().allMatch(ListMerge::isDistinctScalars)
        && lists.stream().allMatch(side -> isSubsequence(base, side))) {
      merge.mergedAsSet(path);
      return byKey(lists, Function.identity());
    }
    Function<Json, Json> keyOf = Function.identity();
    for (String member : NAMES) {
      if (all().allMatch(list -> isIdentifiedBy(member, list))) {
        keyOf = element -> ((JsonObject) element).get(member);
        break;
      }
    }
    return byChanges(keyOf);
  }

  private Json nameOrSelf(Json element) {
    for (String member : NAMES) {
      if (all().allMatch(list -> isIdentifiedBy(member, list))) {
        return ((JsonObject) element).get(member);
      }
    }
    return element;
  }

  private Json clash() {
    return merge.clash(path, replaced, values);
  }

  private static List<Json> distinct(List<Json> list) {
    return List.copyOf(new LinkedHashSet<>(list));
  }

  private static boolean isIdentifiedBy(String member, List<Json> list) {
    Set<Json> seen = new HashSet<>();
    for (Json item : list) {
      Json id = item instanceof JsonObject object ? object.get(member) : JsonAbsent.ABSENT;
      if (!(id instanceof JsonString || id instanceof JsonNumber) || !seen.add(id)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isDistinctScalars(List<Json> list) {
    Set<Json> seen = new HashSet<>();
    return list.stream()
        .allMatch(
            item -> !(item instanceof JsonArray || item instanceof JsonObject) && seen.add(item));
  }

  private static boolean isNumeric(List<Json> list) {
    return list.stream()
        .allMatch(item ->
            item instanceof JsonNumber || item instanceof JsonBool || item instanceof JsonNull);
  }

  private boolean isTuple() {
    return !base.isEmpty() && all().allMatch(list -> list.size() == base.size() && isNumeric(list));
  }

  private static boolean isSubsequence(List<Json> shorter, List<Json> longer) {
    int next = 0;
    for (Json item : longer) {
      next += next < shorter.size() && item.equals(shorter.get(next)) ? 1 : 0;
    }
    return next == shorter.size();
  }

  private static List<Json> keys(List<Json> list, Function<Json, Json> keyOf) {
    return list.stream().map(keyOf).toList();
  }

  private Json byKey(List<List<Json>> items, Function<Json, Json> keyOf) {
    List<Json> baseKeys = keys(base, keyOf);
    List<ListSide> sides =
        items.stream().map(list -> ListSide.byKey(baseKeys, keys(list, keyOf))).toList();
    return merged(items, sides, keyOf, false);
  }

  private Json byChanges(Function<Json, Json> keyOf) {
    List<Json> baseKeys = keys(base, keyOf);
    List<ListSide> sides = new ArrayList<>();
    for (List<Json> list : lists) {
      Optional<ListSide> side = ListSide.byChanges(baseKeys, keys(list, keyOf));
      if (side.isEmpty()) {
        return clash();
      }
      sides.add(side.get());
    }
    return new ListConflicts(baseKeys, sides).any() ? clash() : merged(lists, sides, keyOf, true);
  }

  /**
   * Merges identified elements.
   *
   * @param byPlace whether an addition is the same as another only where it stands at the same
   *     place
   */
  private Json merged(
      List<List<Json>> items, List<ListSide> sides, Function<Json, Json> keyOf, boolean byPlace) {
    Map<Added, Integer> added = new HashMap<>();
    List<List<Integer>> orders = new ArrayList<>();
    List<Map<Integer, Json>> bySide = new ArrayList<>();
    for (int s = 0; s < sides.size(); s++) {
      List<Integer> order = ids(sides.get(s), byPlace, added);
      Map<Integer, Json> elements = new HashMap<>();
      for (int i = 0; i < order.size(); i++) {
        elements.put(order.get(i), items.get(s).get(i));
      }
      orders.add(order);
      bySide.add(elements);
    }
    if (byPlace && ListOrder.disagree(orders, base.size())) {
      return clash();
    }
    Map<Integer, Json> merged = new HashMap<>();
    for (int id = 0; id < base.size() + added.size(); id++) {
      int which = id;
      Json before = id < base.size() ? base.get(id) : JsonAbsent.ABSENT;
      List<Json> now =
          bySide.stream().map(side -> side.getOrDefault(which, JsonAbsent.ABSENT)).toList();
      Json value = merge.value(path.child(label(id, now, before, keyOf)), before, now);
      if (!value.isAbsent()) {
        merged.put(id, value);
      }
    }
    Map<Integer, Json> keys = new HashMap<>();
    merged.forEach((id, value) -> keys.put(id, keyOf.apply(value)));
    List<Integer> baseOrder = IntStream.range(0, base.size()).boxed().toList();
    return new ListOrder(keys, baseOrder, orders, !byPlace)
        .merged((before, offered) -> order(merged, before, offered))
        .map(order -> (Json) new JsonArray(order.stream().map(merged::get).toList()))
        .orElse(replaced);
  }

  private String label(int id, List<Json> now, Json before, Function<Json, Json> keyOf) {
    Json some =
        before.isAbsent()
            ? now.stream().filter(value -> !value.isAbsent()).findFirst().orElse(before)
            : before;
    Json key = keyOf.apply(some);
    return key.equals(some) ? String.valueOf(id) : String.valueOf(key);
  }

  /** Asks which of several orders of the same elements stays; null where that is not settled. */
  private @Nullable List<Integer> order(
      Map<Integer, Json> merged, List<Integer> before, List<List<Integer>> offered) {
    Function<List<Integer>, Json> list =
        order -> new JsonArray(order.stream().map(merged::get).toList());
    List<Json> lists = offered.stream().map(list).toList();
    Json old = list.apply(before);
    Json settled = merge.clash(path, old, lists);
    int chosen = lists.indexOf(settled);
    return chosen >= 0 ? offered.get(chosen) : settled.equals(old) ? before : null;
  }

  /** A number for each element: its index in the base, or one of its own from there on. */
  private List<Integer> ids(ListSide side, boolean byPlace, Map<Added, Integer> added) {
    Map<Integer, Integer> blocks = new HashMap<>();
    for (ListSide.Block block : side.blocks()) {
      block.added().forEach(at -> blocks.put(at, block.base().getFirst()));
    }
    Map<Added, Integer> occurrences = new HashMap<>();
    List<Integer> ids = new ArrayList<>();
    int after = ListSide.NEW;
    for (int i = 0; i < side.ids().length; i++) {
      int id = side.ids()[i];
      if (id == ListSide.NEW) {
        Json key = side.keys().get(i);
        Added one =
            byPlace
                ? new Added(key, after, 0, blocks.getOrDefault(i, ListSide.NEW))
                : new Added(key, ListSide.NEW, 0, ListSide.NEW);
        int occurrence = occurrences.merge(one, 1, Integer::sum);
        Added numbered = new Added(one.key(), one.after(), occurrence, one.block());
        Integer known = added.get(numbered);
        id = known != null ? known : base.size() + added.size();
        added.put(numbered, id);
      } else {
        after = id;
      }
      ids.add(id);
    }
    return ids;
  }
}
