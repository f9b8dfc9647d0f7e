// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.Severity;
import dev.entente.core.resolve.ConflictType;
import dev.entente.core.resolve.RowConflict;
import dev.entente.engine.Review;
import dev.entente.server.Problem.Code;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Which reviews somebody wants to see: of a record type or a unit, somebody's or nobody's, of a
 * kind of conflict, from a severity or a complexity upwards, late or escalated.
 *
 * @param owner whose; {@code -} for nobody's
 * @param late {@code overdue} or {@code escalated}
 */
record ReviewFilter(
    Optional<String> type,
    Optional<String> recordId,
    Optional<String> unit,
    Optional<String> owner,
    Optional<String> conflict,
    Optional<String> row,
    Optional<Severity> severity,
    double complexity,
    Optional<String> late) {

  private static final String NOBODY = "-";
  private static final List<String> LATE = List.of("overdue", "escalated");
  private static final List<String> NAMES =
      List.of(
          "type", "recordId", "unit", "owner", "conflict", "row", "severity", "complexity", "late");

  static ReviewFilter of(Call call) {
    return of(call::query);
  }

  /** The same as an object says it. */
  static ReviewFilter of(JsonObject asked) {
    Call.only(asked, "a filter", Set.copyOf(NAMES));
    return of(name ->
        asked.get(name) instanceof JsonNumber number
            ? Optional.of(number.toString())
            : Call.text(asked, name));
  }

  private static ReviewFilter of(Function<String, Optional<String>> asked) {
    List<String> kinds = Arrays.stream(ConflictType.values()).map(ConflictType::label).toList();
    asked
        .apply("conflict")
        .filter(kind -> !kinds.contains(kind))
        .ifPresent(kind -> {
          throw new Problem(Code.INVALID, "conflict is one of " + String.join(", ", kinds));
        });
    List<String> rows = Arrays.stream(RowConflict.values()).map(RowConflict::label).toList();
    asked
        .apply("row")
        .filter(row -> !rows.contains(row))
        .ifPresent(row -> {
          throw new Problem(Code.INVALID, "row is one of " + String.join(", ", rows));
        });
    asked
        .apply("late")
        .filter(late -> !LATE.contains(late))
        .ifPresent(late -> {
          throw new Problem(Code.INVALID, "late is one of " + String.join(", ", LATE));
        });
    return new ReviewFilter(
        asked.apply("type"),
        asked.apply("recordId"),
        asked.apply("unit"),
        asked.apply("owner"),
        asked.apply("conflict"),
        asked.apply("row"),
        asked.apply("severity").map(ReviewFilter::severity),
        asked.apply("complexity").map(ReviewFilter::complexity).orElse(0.0),
        asked.apply("late"));
  }

  private static Severity severity(String name) {
    for (Severity severity : Severity.values()) {
      if (severity.label().equals(name)) {
        return severity;
      }
    }
    throw new Problem(Code.INVALID, "severity is one of low, medium, high, critical");
  }

  private static double complexity(String text) {
    if (!text.matches("(0|1|0?\\.[0-9]{1,6}|0\\.[0-9]{1,6}|1\\.0{1,6})")) {
      throw new Problem(Code.INVALID, "complexity is a number between 0 and 1");
    }
    return Double.parseDouble(text);
  }

  boolean isEmpty() {
    return equals(
        new ReviewFilter(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            0,
            Optional.empty()));
  }

  /** The names that are looked for, and may be misspelt; a type is looked up elsewhere. */
  Map<String, String> names() {
    Map<String, String> names = new TreeMap<>();
    recordId.ifPresent(name -> names.put("recordId", name));
    unit.ifPresent(name -> names.put("unit", name));
    owner.filter(name -> !name.equals(NOBODY)).ifPresent(name -> names.put("owner", name));
    return names;
  }

  boolean lets(Review review, long nowMillis) {
    return matches(type, review.key().type())
        && matches(recordId, review.key().id())
        && matches(unit, review.unit())
        && (owner.isEmpty() || isWith(owner.get(), review))
        && matches(conflict, text(review, "type"))
        && matches(row, text(review, "row"))
        && (severity.isEmpty() || isAtLeast(severity.get(), text(review, "severity")))
        && complexityOf(review) >= complexity
        && (late.isEmpty() || isLate(late.get(), review, nowMillis));
  }

  private static boolean isWith(String owner, Review review) {
    return owner.equals(NOBODY) ? review.owner().isEmpty() : review.handling().isWith(owner);
  }

  private static boolean isLate(String how, Review review, long nowMillis) {
    return nowMillis
        > (how.equals("escalated")
            ? review.times().escalateAtMillis()
            : review.times().dueAtMillis());
  }

  private static boolean matches(Optional<String> wanted, String actual) {
    return wanted.isEmpty() || wanted.get().equals(actual);
  }

  private static boolean isAtLeast(Severity wanted, String actual) {
    return Arrays.stream(Severity.values())
        .anyMatch(s -> s.label().equals(actual) && s.compareTo(wanted) >= 0);
  }

  private static Json member(Review review, String name) {
    return ((JsonObject) review.conflict()).get(name);
  }

  private static String text(Review review, String name) {
    return member(review, name) instanceof JsonString(String text) ? text : "";
  }

  private static double complexityOf(Review review) {
    return member(review, "complexity") instanceof JsonNumber(var number)
        ? number.doubleValue()
        : 0;
  }
}
