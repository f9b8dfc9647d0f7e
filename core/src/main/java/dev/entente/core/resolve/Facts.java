// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.CelValues;
import dev.entente.core.policy.Severity;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What conditions see: values as CEL knows them, and the facts of a conflict. */
public final class Facts {
  private static final Map<String, Long> SEVERITIES =
      Map.of(
          "LOW", Severity.LOW.level(),
          "MEDIUM", Severity.MEDIUM.level(),
          "HIGH", Severity.HIGH.level(),
          "CRITICAL", Severity.CRITICAL.level());

  private Facts() {}

  /** A document as the variable {@code data}. */
  public static Map<String, ?> ofData(Json document) {
    return Map.of("data", celMap(document));
  }

  /**
   * An event as the variable {@code event}. Numbers that expressions would round are texts of all
   * their digits, so that different numbers never give one id.
   */
  public static Map<String, ?> ofEvent(Json event) {
    return Map.of("event", celMap(exact(event)));
  }

  private static Json exact(Json value) {
    return switch (value) {
      case JsonNumber number when !number.isLong() && isRounded(number.value()) ->
          Json.of(number.toString());
      case JsonArray(List<Json> items) -> new JsonArray(items.stream().map(Facts::exact).toList());
      case JsonObject object -> {
        TreeMap<String, Json> members = new TreeMap<>();
        object.members().forEach((name, member) -> members.put(name, exact(member)));
        yield JsonObject.of(members);
      }
      default -> value;
    };
  }

  private static boolean isRounded(BigDecimal number) {
    double rounded = number.doubleValue();
    return Double.isInfinite(rounded)
        || new BigDecimal(Double.toString(rounded)).compareTo(number) != 0;
  }

  /** A conflict as the variable {@code conflict}, with the constants {@code severity}. */
  static Map<String, ?> of(Conflict conflict) {
    Map<String, @Nullable Object> facts = new HashMap<>();
    facts.put("type", conflict.type().label());
    facts.put("severity", conflict.severity().level());
    facts.put("complexity", conflict.complexity());
    facts.put("row", conflict.row().label());
    facts.put("unit", conflict.label());
    facts.put("count", (long) conflict.competing().size());
    List<@Nullable Object> values = new ArrayList<>();
    List<String> authors = new ArrayList<>();
    List<String> nodes = new ArrayList<>();
    for (Assignment assignment : conflict.competing()) {
      values.add(CelValues.of(assignment.value()));
      authors.add(assignment.author());
      nodes.add(assignment.dot().node().name());
    }
    facts.put("values", values);
    facts.put("authors", authors);
    facts.put("nodes", nodes);
    facts.put("base", CelValues.of(conflict.lastAgreed().orElse(JsonAbsent.ABSENT)));
    return Map.of("conflict", facts, "severity", SEVERITIES);
  }

  private static Object celMap(Json document) {
    Object map = CelValues.of(document);
    return map instanceof Map<?, ?> ? map : Map.of();
  }
}
