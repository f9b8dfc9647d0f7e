// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Condition.ConditionException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the records of a type may hold together: of those with the same values in {@code by}, at
 * most so many, or at most so much of a field. A unique claim is the limit of one.
 *
 * @param sum the field that is added up; where it is empty records are counted
 * @param by the fields whose values make a group
 * @param when which records count; all where it is empty, and those on which it fails
 * @param keep who keeps a claim: first-writer-wins, last-writer-wins, priority or manual-review
 * @param loser what is merged into a record that gives way; without it its first {@code by} goes
 */
public record Limit(
    String name,
    Optional<Path> sum,
    List<Path> by,
    Optional<Condition> when,
    Cap cap,
    Severity severity,
    StrategySpec keep,
    Optional<JsonObject> loser) {

  /** How much is allowed. */
  public sealed interface Cap {
    /** The same for all groups. */
    record Fixed(BigDecimal most) implements Cap {}

    /** For each group by its value; groups that are not named have no limit. */
    record Each(SortedArrayMap<String, BigDecimal> most) implements Cap {}

    /** What a field of another record says, whose id is the group's value. */
    record Held(String type, Path field) implements Cap {}
  }

  /** What one record takes of a limit. */
  public record Share(JsonArray group, BigDecimal amount) {}

  public Limit {
    by = List.copyOf(by);
  }

  /** No two live records hold the same value here; who is second waits for a person. */
  public static Limit unique(Path path) {
    return new Limit(
        "unique " + path,
        Optional.empty(),
        List.of(path),
        Optional.empty(),
        new Cap.Fixed(BigDecimal.ONE),
        Severity.HIGH,
        StrategySpec.of("manual-review"),
        Optional.empty());
  }

  public boolean isUnique() {
    return sum.isEmpty()
        && cap instanceof Cap.Fixed(BigDecimal most)
        && most.compareTo(BigDecimal.ONE) == 0;
  }

  /** What a document takes, if anything: absent and null in {@code by} or {@code sum} take none. */
  public Optional<Share> shareOf(Json document) {
    if (document.isAbsent() || !counts(document)) {
      return Optional.empty();
    }
    List<Json> group = new ArrayList<>();
    for (Path path : by) {
      Json value = path.in(document);
      if (value.isAbsent() || value instanceof JsonNull) {
        return Optional.empty();
      }
      group.add(value);
    }
    if (sum.isEmpty()) {
      return Optional.of(new Share(new JsonArray(group), BigDecimal.ONE));
    }
    return sum.get().in(document) instanceof JsonNumber(BigDecimal amount) && amount.signum() != 0
        ? Optional.of(new Share(new JsonArray(group), amount))
        : Optional.empty();
  }

  private boolean counts(Json document) {
    try {
      return when.isEmpty() || when.get().holds(Map.of("data", CelValues.of(document)));
    } catch (ConditionException e) {
      return true;
    }
  }

  /** The value of a group as the id of a record, or the name of a cap. */
  public static String nameOf(JsonArray group) {
    return group.items().size() == 1 && group.items().getFirst() instanceof JsonString(String text)
        ? text
        : group.items().size() == 1 ? group.items().getFirst().toString() : group.toString();
  }

  /** What is merged into a record that gives way. */
  public JsonObject patch() {
    return loser.orElseGet(() -> (JsonObject) by.getFirst().set(JsonObject.EMPTY, JsonNull.NULL));
  }
}
