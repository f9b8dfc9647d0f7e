// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Merges two arrays against the one both replaced, by the first of three readings that fits all
 * three arrays:
 *
 * <ol>
 *   <li>distinct scalars: an ordered set. What either side added is in, what either removed is out;
 *   <li>objects that all have a distinct id-like member: an ordered map, its elements merged by
 *       that member;
 *   <li>anything else: element by element, as diff3 does for lines.
 * </ol>
 *
 * In the first two the order is the one of the side that changed the order of what was there; if
 * neither did, each addition stands after what it stood after; if both did, differently, the left
 * order is kept. Where all three arrays are sorted the result is.
 */
final class ArrayMerge {
  /** Members that identify an element, in the order of preference. */
  static final List<String> ID_MEMBERS =
      List.of("id", "_id", "uuid", "key", "name", "code", "slug", "value", "title");

  /** As people sort lists: letters regardless of case, ties by the order of values. */
  private static final Comparator<Json> ALPHABETICAL =
      Comparator.<Json, String>comparing(
              key -> key instanceof JsonString(String text) ? text.toLowerCase(Locale.ROOT) : "")
          .thenComparing(Comparator.naturalOrder());

  private final StructuralMerge merge;
  private final Path path;
  private final JsonArray base;
  private final JsonArray left;
  private final JsonArray right;

  ArrayMerge(StructuralMerge merge, Path path, JsonArray base, JsonArray left, JsonArray right) {
    this.merge = merge;
    this.path = path;
    this.base = base;
    this.left = left;
    this.right = right;
  }

  Json merged() {
    if (Stream.of(base, left, right).allMatch(ArrayMerge::isDistinctScalars)) {
      return keyed(Function.identity());
    }
    String member = idMember();
    if (member != null) {
      return keyed(element -> ((JsonObject) element).get(member));
    }
    return new SequenceMerge(merge, path, base.items(), left.items(), right.items()).merged();
  }

  private static boolean isDistinctScalars(JsonArray array) {
    Set<Json> seen = new HashSet<>();
    for (Json item : array.items()) {
      if (item instanceof JsonArray || item instanceof JsonObject || !seen.add(item)) {
        return false;
      }
    }
    return true;
  }

  private @Nullable String idMember() {
    for (String member : ID_MEMBERS) {
      if (Stream.of(base, left, right).allMatch(array -> identifies(member, array))) {
        return member;
      }
    }
    return null;
  }

  private static boolean identifies(String member, JsonArray array) {
    Set<Json> seen = new HashSet<>();
    for (Json item : array.items()) {
      if (!(item instanceof JsonObject object)) {
        return false;
      }
      Json id = object.get(member);
      if (!(id instanceof JsonString || id instanceof JsonNumber) || !seen.add(id)) {
        return false;
      }
    }
    return true;
  }

  private Json keyed(Function<Json, Json> keyOf) {
    Map<Json, Json> inBase = index(base, keyOf);
    Map<Json, Json> inLeft = index(left, keyOf);
    Map<Json, Json> inRight = index(right, keyOf);
    List<Json> items = new ArrayList<>();
    for (Json key :
        order(
            new ArrayList<>(inBase.keySet()),
            new ArrayList<>(inLeft.keySet()),
            new ArrayList<>(inRight.keySet()))) {
      Json value =
          merge.value(
              path.child(String.valueOf(key)),
              inBase.getOrDefault(key, JsonAbsent.ABSENT),
              inLeft.getOrDefault(key, JsonAbsent.ABSENT),
              inRight.getOrDefault(key, JsonAbsent.ABSENT));
      if (!value.isAbsent()) {
        items.add(value);
      }
    }
    return new JsonArray(items);
  }

  private static Map<Json, Json> index(JsonArray array, Function<Json, Json> keyOf) {
    Map<Json, Json> index = new LinkedHashMap<>();
    array.items().forEach(item -> index.put(keyOf.apply(item), item));
    return index;
  }

  /** All keys of the three sides in the merged order. */
  private static List<Json> order(List<Json> base, List<Json> left, List<Json> right) {
    if (isSorted(base) && isSorted(left) && isSorted(right)) {
      Set<Json> all = new HashSet<>(base);
      all.addAll(left);
      all.addAll(right);
      return all.stream().sorted().toList();
    }
    boolean rightMoved = !common(base, right).equals(common(right, base));
    boolean leftMoved = !common(base, left).equals(common(left, base));
    boolean rightLeads = rightMoved && !leftMoved;
    List<Json> result = woven(rightLeads ? right : left, rightLeads ? left : right);
    return woven(result, base);
  }

  /** The elements of {@code a} that are in {@code b}, in a's order. */
  private static List<Json> common(List<Json> a, List<Json> b) {
    Set<Json> wanted = new HashSet<>(b);
    return a.stream().filter(wanted::contains).toList();
  }

  private static boolean isSorted(List<Json> keys) {
    for (int i = 1; i < keys.size(); i++) {
      if (keys.get(i - 1).compareTo(keys.get(i)) > 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * The leading list with what only the other has, put after what it stood after there. Where both
   * added at one place and each keeps its neighbourhood sorted, the additions are sorted together;
   * otherwise insertions of the other stand first (nearer to what both stood after) and what it
   * appended at the end stands last.
   */
  private static List<Json> woven(List<Json> leading, List<Json> other) {
    Set<Json> known = new HashSet<>(leading);
    Set<Json> others = new HashSet<>(other);
    Map<@Nullable Json, List<Json>> after = new HashMap<>();
    @Nullable Json anchor = null;
    for (Json key : other) {
      if (known.contains(key)) {
        anchor = key;
      } else {
        after.computeIfAbsent(anchor, _ -> new ArrayList<>()).add(key);
      }
    }
    List<Json> result = new ArrayList<>();
    List<Json> run = new ArrayList<>();
    @Nullable Json last = null;
    for (Json key : leading) {
      if (others.contains(key)) {
        weave(last, run, after.getOrDefault(last, List.of()), key, result);
        run.clear();
        result.add(key);
        last = key;
      } else {
        run.add(key);
      }
    }
    weave(last, run, after.getOrDefault(last, List.of()), null, result);
    return result;
  }

  private static void weave(
      @Nullable Json before,
      List<Json> mine,
      List<Json> theirs,
      @Nullable Json behind,
      List<Json> result) {
    if (!mine.isEmpty()
        && !theirs.isEmpty()
        && ascends(before, mine, behind)
        && ascends(before, theirs, behind)) {
      Stream.concat(mine.stream(), theirs.stream()).sorted(ALPHABETICAL).forEach(result::add);
    } else {
      boolean appended = behind == null && before != null;
      result.addAll(appended ? mine : theirs);
      result.addAll(appended ? theirs : mine);
    }
  }

  private static boolean ascends(@Nullable Json before, List<Json> keys, @Nullable Json behind) {
    @Nullable Json last = before;
    for (Json key : keys) {
      if (last != null && ALPHABETICAL.compare(last, key) > 0) {
        return false;
      }
      last = key;
    }
    return behind == null || last == null || ALPHABETICAL.compare(last, behind) <= 0;
  }
}
