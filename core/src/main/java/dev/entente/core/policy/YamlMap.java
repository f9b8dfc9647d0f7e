// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** A mapping in a policy file. */
record YamlMap(
    Node node,
    Map<String, YamlValue> entries,
    Map<String, YamlValue> keys,
    List<PolicyProblem> problems) {
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,6})(ms|s|m|h|d)");

  static YamlMap of(Node node, String what, List<PolicyProblem> problems) {
    Map<String, YamlValue> entries = new LinkedHashMap<>();
    Map<String, YamlValue> keys = new LinkedHashMap<>();
    if (node instanceof MappingNode mapping) {
      for (NodeTuple tuple : mapping.getValue()) {
        if (tuple.getKeyNode() instanceof ScalarNode key) {
          YamlValue place = new YamlValue(key, key.getValue(), problems);
          if (entries.put(
                  key.getValue(), new YamlValue(tuple.getValueNode(), key.getValue(), problems))
              != null) {
            problems.add(place.problem(key.getValue() + " stands twice"));
          }
          keys.put(key.getValue(), place);
        } else {
          problems.add(
              new YamlValue(tuple.getKeyNode(), what, problems).problem("a name must be a text"));
        }
      }
    } else {
      problems.add(new YamlValue(node, what, problems).problem(what + " takes names with values"));
    }
    return new YamlMap(node, entries, keys, problems);
  }

  PolicyProblem place(String message) {
    return new YamlValue(node, "", problems).problem(message);
  }

  void report(String message) {
    problems.add(place(message));
  }

  /** Reports every name that is not among the known. */
  void only(List<String> known) {
    keys.forEach((name, place) -> {
      if (!known.contains(name)) {
        problems.add(place.problem("unknown name " + name + Names.suggestion(name, known)));
      }
    });
  }

  Optional<YamlValue> get(String name) {
    return Optional.ofNullable(entries.get(name));
  }

  Optional<String> text(String name) {
    return get(name).flatMap(YamlValue::text);
  }

  Optional<String> oneOf(String name, List<String> known) {
    return get(name).flatMap(value -> value.oneOf("a value of " + name, known));
  }

  Optional<YamlMap> map(String name) {
    return get(name).map(YamlValue::map);
  }

  Optional<List<YamlValue>> list(String name) {
    return get(name).map(YamlValue::list);
  }

  /** The texts of a list; none where there is no list. What is no text is a problem. */
  List<String> texts(String name) {
    return list(name).orElse(List.of()).stream().flatMap(value -> value.text().stream()).toList();
  }

  Optional<Double> number(String name) {
    return text(name)
        .flatMap(text -> {
          try {
            return Optional.of(Double.valueOf(text));
          } catch (NumberFormatException e) {
            problems.add(
                entries
                    .getOrDefault(name, new YamlValue(node, name, problems))
                    .problem(name + " takes a number"));
            return Optional.empty();
          }
        });
  }

  Optional<Duration> duration(String name) {
    return text(name)
        .flatMap(text -> {
          Optional<Duration> duration = durationOf(text);
          if (duration.isEmpty()) {
            problems.add(
                entries
                    .getOrDefault(name, new YamlValue(node, name, problems))
                    .problem(name + " takes a duration such as 100ms, 30s, 2h or 7d"));
          }
          return duration;
        });
  }

  /** The duration that a text such as {@code 2h} means. */
  static Optional<Duration> durationOf(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long amount = Long.parseLong(matcher.group(1));
    return Optional.of(
        switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(amount);
          case "s" -> Duration.ofSeconds(amount);
          case "m" -> Duration.ofMinutes(amount);
          case "h" -> Duration.ofHours(amount);
          default -> Duration.ofDays(amount);
        });
  }
}
