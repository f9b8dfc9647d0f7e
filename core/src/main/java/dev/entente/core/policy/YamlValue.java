// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNull;
import dev.entente.core.policy.PolicyProblem.Unacceptable;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** A value in a policy file that knows where it stands and reports what is wrong with it. */
record YamlValue(Node node, String what, List<PolicyProblem> problems) {
  static final Pattern INCARNATION = Pattern.compile("[a-zA-Z0-9_-]{1,48}\\.[0-9]{1,9}");

  PolicyProblem problem(String message) {
    return new PolicyProblem(
        node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1),
        node.getStartMark().map(mark -> mark.getColumn() + 1).orElse(1),
        message);
  }

  void report(String message) {
    problems.add(problem(message));
  }

  boolean isMap() {
    return node instanceof MappingNode;
  }

  boolean isText() {
    return node instanceof ScalarNode;
  }

  boolean isNull() {
    return node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.NULL);
  }

  YamlMap map() {
    return YamlMap.of(node, what, problems);
  }

  List<YamlValue> list() {
    if (!(node instanceof SequenceNode sequence)) {
      report(what + " takes a list");
      return List.of();
    }
    List<YamlValue> items = new ArrayList<>();
    for (Node item : sequence.getValue()) {
      items.add(new YamlValue(item, what, problems));
    }
    return items;
  }

  Optional<String> text() {
    if (node instanceof ScalarNode scalar && !scalar.getValue().isBlank() && !isNull()) {
      return Optional.of(scalar.getValue());
    }
    report(what + " takes a text");
    return Optional.empty();
  }

  /** A whole number of at most 9 digits; 0, and a report, where it is something else. */
  int wholeNumber() {
    String text = text().orElse("");
    if (!text.matches("-?[0-9]{1,9}")) {
      report(what + " takes a whole number");
      return 0;
    }
    return Integer.parseInt(text);
  }

  Optional<String> oneOf(String kind, List<String> known) {
    Optional<String> text = text();
    if (text.isPresent() && !known.contains(text.get())) {
      report(text.get() + " is not " + kind + Names.suggestion(text.get(), known));
      return Optional.empty();
    }
    return text;
  }

  /**
   * The name of a node. An incarnation is refused, because it changes when a node comes back
   * without its disk, and then the name would mean no node.
   */
  Optional<String> nodeName() {
    Optional<String> name = text();
    if (name.filter(INCARNATION.asMatchPredicate()).isPresent()) {
      problems.add(
          problem(
                  name.get()
                      + " names one incarnation of a node; write "
                      + name.get().substring(0, name.get().lastIndexOf('.')))
              .thatWasAcceptedBefore());
    }
    return name;
  }

  /** An expression; what is wrong with it is reported. */
  Optional<Condition> condition(CelConditions.About about) {
    Optional<String> source = text();
    if (source.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(CelConditions.compile(source.get(), about));
    } catch (Unacceptable e) {
      Optional<Condition> untyped = CelConditions.compileUntyped(source.get(), about);
      PolicyProblem problem = problem(String.valueOf(e.getMessage()));
      problems.add(untyped.isPresent() ? problem.thatWasAcceptedBefore() : problem);
      return untyped;
    }
  }

  /** The value as JSON; what is no JSON counts as null. */
  Json json() {
    return switch (node) {
      case ScalarNode scalar -> scalar(scalar);
      case SequenceNode _ -> Json.of(list().stream().map(YamlValue::json).toList());
      case MappingNode _ -> {
        Map<String, Json> members = new LinkedHashMap<>();
        map().entries().forEach((name, value) -> members.put(name, value.json()));
        yield Json.of(members);
      }
      default -> JsonNull.NULL;
    };
  }

  private static Json scalar(ScalarNode scalar) {
    Tag tag = scalar.getTag();
    String text = scalar.getValue();
    if (tag.equals(Tag.BOOL)) {
      return Json.of(Boolean.parseBoolean(text));
    }
    if (tag.equals(Tag.NULL)) {
      return JsonNull.NULL;
    }
    if ((tag.equals(Tag.INT) || tag.equals(Tag.FLOAT)) && text.length() < 100) {
      try {
        return Json.of(new BigDecimal(text));
      } catch (IllegalArgumentException e) {
        return Json.of(text);
      }
    }
    return Json.of(text);
  }
}
