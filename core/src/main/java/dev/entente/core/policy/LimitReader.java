// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Limit.Cap;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads unique claims and limits. */
final class LimitReader {
  private static final Map<String, String> SHORT =
      Map.of(
          "first", "first-writer-wins",
          "last", "last-writer-wins",
          "review", "manual-review");

  private final List<PolicyProblem> problems;
  private final StrategyReader strategies;

  LimitReader(List<PolicyProblem> problems, StrategyReader strategies) {
    this.problems = problems;
    this.strategies = strategies;
  }

  /** A field's name, or {@code {field or fields, when, keep, loser, severity}}. */
  Optional<Limit> unique(YamlValue value) {
    if (!value.isMap()) {
      return value.text().map(name -> Limit.unique(Path.parse(name)));
    }
    YamlMap map = value.map();
    map.only(List.of("name", "field", "fields", "when", "keep", "loser", "severity"));
    List<Path> by =
        map.get("fields")
            .map(this::paths)
            .orElse(map.get("field").map(this::paths).orElse(List.of()));
    if (by.isEmpty()) {
      problems.add(map.place("a unique claim names its field, or fields"));
      return Optional.empty();
    }
    String name = map.text("name").orElse("unique " + by.getFirst());
    return Optional.of(limit(map, name, Optional.empty(), by, new Cap.Fixed(BigDecimal.ONE)));
  }

  /** {@code {name, sum, by, at-most, when, keep, loser, severity}}. */
  Optional<Limit> limit(YamlValue value) {
    YamlMap map = value.map();
    map.only(List.of("name", "sum", "by", "at-most", "when", "keep", "loser", "severity"));
    Optional<String> name = map.text("name");
    Optional<Cap> cap = map.get("at-most").flatMap(this::cap);
    for (String needed : List.of("name", "at-most")) {
      if (map.get(needed).isEmpty()) {
        problems.add(map.place("a limit needs " + needed));
      }
    }
    List<Path> by = map.get("by").map(this::paths).orElse(List.of());
    if (cap.isPresent() && cap.get() instanceof Cap.Held && by.size() != 1) {
      problems.add(map.place("at-most of another record needs one by, which names that record"));
    }
    return name.isPresent() && cap.isPresent()
        ? Optional.of(limit(map, name.get(), map.text("sum").map(Path::parse), by, cap.get()))
        : Optional.empty();
  }

  private Limit limit(YamlMap map, String name, Optional<Path> sum, List<Path> by, Cap cap) {
    Optional<JsonObject> loser =
        map.get("loser")
            .filter(value -> value.isMap() || !value.text().equals(Optional.of("release")))
            .flatMap(this::patch);
    return new Limit(
        name,
        sum,
        by,
        map.get("when").flatMap(value -> value.condition(CelConditions.About.RECORD)),
        cap,
        PolicyLoader.severity(map).orElse(Severity.HIGH),
        map.get("keep").flatMap(this::keep).orElse(StrategySpec.of("manual-review")),
        loser);
  }

  private Optional<JsonObject> patch(YamlValue value) {
    if (value.isMap() && value.json() instanceof JsonObject patch) {
      return Optional.of(patch);
    }
    value.report("loser takes release, or the fields that a record which gives way is given");
    return Optional.empty();
  }

  private Optional<StrategySpec> keep(YamlValue value) {
    Optional<String> word = value.isMap() ? Optional.empty() : value.text();
    return word.map(SHORT::get).map(StrategySpec::of).or(() -> strategies.read(value, "keep"));
  }

  private List<Path> paths(YamlValue value) {
    if (value.isText()) {
      return value.text().map(Path::parse).stream().toList();
    }
    return value.list().stream().flatMap(item -> item.text().stream()).map(Path::parse).toList();
  }

  /**
   * A number, a number for each group, or {@code type/field} of the record that the group names.
   */
  private Optional<Cap> cap(YamlValue value) {
    if (value.isMap()) {
      Map<String, BigDecimal> each = new TreeMap<>();
      value
          .map()
          .entries()
          .forEach((group, most) -> number(most).ifPresent(n -> each.put(group, n)));
      return Optional.of(new Cap.Each(SortedArrayMap.copyOf(each)));
    }
    String text = value.text().orElse("");
    int slash = text.indexOf('/');
    return slash > 0 && slash < text.length() - 1
        ? Optional.of(new Cap.Held(text.substring(0, slash), Path.parse(text.substring(slash + 1))))
        : number(value).map(Cap.Fixed::new);
  }

  private static Optional<BigDecimal> number(YamlValue value) {
    Json json = value.json();
    if (json instanceof JsonNumber(BigDecimal number)) {
      return Optional.of(number);
    }
    value.report("at-most takes a number, numbers by group, or type/field of another record");
    return Optional.empty();
  }
}
