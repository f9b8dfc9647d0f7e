// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedSet;
import java.util.TreeSet;

/**
 * Merges any number of values against the one they all replaced, by structure: objects member by
 * member, lists as {@link ListMerge} does. What only one side changed is taken, what several
 * changed alike is taken once, and what several changed differently is a clash.
 *
 * <p>Where a clash stays unsettled the merged value holds the base there; a caller that wants all
 * or nothing looks at {@link Result#clashes}. All sides are compared with the base at once, so no
 * clash hides behind the order of the sides.
 */
public final class StructuralMerge {
  private final ClashRule rule;
  private final boolean unite;
  private final List<Clash> clashes = new ArrayList<>();
  private final List<Path> sets = new ArrayList<>();

  private StructuralMerge(ClashRule rule, boolean unite) {
    this.rule = rule;
    this.unite = unite;
  }

  /**
   * The merged value.
   *
   * @param clashes those that no rule settled
   * @param sets the lists that were merged as sets because every side only added to them
   */
  public record Result(Json merged, List<Clash> clashes, List<Path> sets) {
    public boolean isClean() {
      return clashes.isEmpty();
    }
  }

  /**
   * Merges the sides, given in canonical order; {@code rule} is asked at each clash. The order is
   * part of the input, never of arrival.
   */
  public static Result merge(Json base, List<Json> sides, ClashRule rule) {
    return new StructuralMerge(rule, false).result(base, sides);
  }

  /** Merges the sides as if they had replaced nothing, with lists as sets: nothing is removed. */
  public static Result unite(List<Json> sides, ClashRule rule) {
    Json base = sides.getFirst() instanceof JsonArray ? JsonArray.EMPTY : JsonObject.EMPTY;
    return new StructuralMerge(rule, true).result(base, sides);
  }

  private Result result(Json base, List<Json> sides) {
    Json merged = value(Path.ROOT, base, sides);
    return new Result(merged, List.copyOf(clashes), List.copyOf(sets));
  }

  Json value(Path path, Json base, List<Json> sides) {
    List<Json> changed = sides.stream().filter(side -> !side.equals(base)).distinct().toList();
    if (changed.size() < 2) {
      return changed.isEmpty() ? base : changed.getFirst();
    }
    if (changed.stream().allMatch(JsonObject.class::isInstance)
        && (base instanceof JsonObject || base.isAbsent())) {
      return object(path, base instanceof JsonObject b ? b : JsonObject.EMPTY, objects(sides));
    }
    if (changed.stream().allMatch(JsonArray.class::isInstance)
        && (base instanceof JsonArray || base.isAbsent())) {
      return new ListMerge(this, path, base, sides).merged();
    }
    return clash(path, base, sides);
  }

  /** Whether lists are sets and nothing is removed. */
  boolean unites() {
    return unite;
  }

  void mergedAsSet(Path path) {
    sets.add(path);
  }

  /** The sides as objects; a side that did not make what others made has no members. */
  private static List<JsonObject> objects(List<Json> sides) {
    return sides.stream()
        .map(side -> side instanceof JsonObject object ? object : JsonObject.EMPTY)
        .toList();
  }

  private Json object(Path path, JsonObject base, List<JsonObject> sides) {
    SequencedSet<String> names = new TreeSet<>(base.members().keys());
    sides.forEach(side -> names.addAll(side.members().keys()));
    List<String> keys = new ArrayList<>();
    List<Json> values = new ArrayList<>();
    for (String name : names) {
      List<Json> members = sides.stream().map(side -> side.get(name)).toList();
      Json value = value(path.child(name), base.get(name), members);
      if (!value.isAbsent()) {
        keys.add(name);
        values.add(value);
      }
    }
    return keys.isEmpty()
        ? JsonObject.EMPTY
        : new JsonObject(SortedArrayMap.ofSorted(keys, values));
  }

  /** Settles a clash by the rule, or notes it and keeps the base. */
  Json clash(Path path, Json base, List<Json> sides) {
    Clash clash = new Clash(path, base, sides);
    return rule.settle(clash)
        .orElseGet(() -> {
          clashes.add(clash);
          return base;
        });
  }
}
