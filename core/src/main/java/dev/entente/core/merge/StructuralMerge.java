// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Merges two values against the one both replaced, by structure: objects member by member, arrays
 * as {@link ArrayMerge} does. What only one side changed is taken, what both changed alike is taken
 * once, and what both changed differently is a clash.
 *
 * <p>Where a clash stays unsettled the merged value holds the base there; a caller that wants all
 * or nothing looks at {@link Result#clashes}.
 */
public final class StructuralMerge {
  private final ClashRule rule;
  private final List<Clash> clashes = new ArrayList<>();

  private StructuralMerge(ClashRule rule) {
    this.rule = rule;
  }

  /** The merged value, and the clashes that no rule settled. */
  public record Result(Json merged, List<Clash> clashes) {
    public boolean isClean() {
      return clashes.isEmpty();
    }
  }

  /** Merges two sides; {@code rule} is asked at each clash. */
  public static Result merge(Json base, Json left, Json right, ClashRule rule) {
    StructuralMerge merge = new StructuralMerge(rule);
    Json merged = merge.value(Path.ROOT, base, left, right);
    return new Result(merged, List.copyOf(merge.clashes));
  }

  /**
   * Merges any number of sides, given in canonical order, against one base: the first two, then
   * each further one with the result. The order is part of the input, never of arrival.
   */
  public static Result mergeAll(Json base, List<Json> sides, ClashRule rule) {
    StructuralMerge merge = new StructuralMerge(rule);
    Json merged = sides.getFirst();
    for (Json side : sides.subList(1, sides.size())) {
      merged = merge.value(Path.ROOT, base, merged, side);
    }
    return new Result(merged, List.copyOf(merge.clashes));
  }

  Json value(Path path, Json base, Json left, Json right) {
    if (left.equals(right) || right.equals(base)) {
      return left;
    }
    if (left.equals(base)) {
      return right;
    }
    if (left instanceof JsonObject l && right instanceof JsonObject r) {
      return object(path, base instanceof JsonObject b ? b : JsonObject.EMPTY, l, r);
    }
    if (left instanceof JsonArray l && right instanceof JsonArray r) {
      return new ArrayMerge(this, path, base instanceof JsonArray b ? b : JsonArray.EMPTY, l, r)
          .merged();
    }
    return clash(path, base, left, right);
  }

  private Json object(Path path, JsonObject base, JsonObject left, JsonObject right) {
    SequencedSet<String> names = new TreeSet<>();
    Stream.of(base, left, right).forEach(side -> names.addAll(side.members().keys()));
    JsonObject merged = JsonObject.EMPTY;
    List<String> keys = new ArrayList<>();
    List<Json> values = new ArrayList<>();
    for (String name : names) {
      Json value = value(path.child(name), base.get(name), left.get(name), right.get(name));
      if (!value.isAbsent()) {
        keys.add(name);
        values.add(value);
      }
    }
    return keys.isEmpty()
        ? merged
        : new JsonObject(dev.entente.core.SortedArrayMap.ofSorted(keys, values));
  }

  /** Settles a clash by the rule, or notes it and keeps the base. */
  Json clash(Path path, Json base, Json left, Json right) {
    Clash clash = new Clash(path, base, left, right);
    return rule.settle(clash)
        .orElseGet(() -> {
          clashes.add(clash);
          return base;
        });
  }
}
