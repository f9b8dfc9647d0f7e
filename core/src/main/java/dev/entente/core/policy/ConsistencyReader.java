// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Reads where a type stands between availability and agreement: a level by name, or {@code quorum}
 * and {@code primary} with their terms.
 */
final class ConsistencyReader {
  private static final int COPIES_MAX = 99;

  private ConsistencyReader() {}

  static void read(YamlValue value, PolicyBuilder policy) {
    if (value.isText()) {
      List<String> levels = Arrays.stream(Consistency.values()).map(Consistency::label).toList();
      value
          .oneOf("a value of consistency", levels)
          .ifPresent(
              name -> policy.consistency(Consistency.valueOf(name.toUpperCase(Locale.ROOT))));
      return;
    }
    YamlMap map = value.map();
    map.only(List.of("quorum", "primary"));
    Optional<YamlMap> quorum = map.map("quorum");
    Optional<List<YamlValue>> primary = map.list("primary");
    if (quorum.isPresent() == primary.isPresent()) {
      value.report("with terms, consistency is either {quorum: {n, r, w}} or {primary: [nodes]}");
    } else if (quorum.isPresent()) {
      policy.consistency(Consistency.QUORUM).replicas(quorum(quorum.get()));
    } else {
      policy.consistency(Consistency.PRIMARY).replicas(primary(value, primary.get()));
    }
  }

  private static ReplicaTerms quorum(YamlMap map) {
    map.only(List.of("n", "r", "w"));
    int copies = count(map, "n");
    int read = count(map, "r");
    int written = count(map, "w");
    if (copies > COPIES_MAX || read > copies || written > copies || read < 1 || written < 1) {
      map.report(
          "n, r and w are whole numbers; r and w are at most n, and n at most " + COPIES_MAX);
    } else if (read + written <= copies) {
      map.report(
          "r + w must be larger than n, or a read may miss what was written: "
              + read
              + " + "
              + written
              + " is not larger than "
              + copies
              + "; declare the type causal if that is meant");
    }
    return new ReplicaTerms(copies, read, written, List.of());
  }

  private static int count(YamlMap map, String name) {
    return map.get(name).map(YamlValue::wholeNumber).orElse(0);
  }

  private static ReplicaTerms primary(YamlValue value, List<YamlValue> listed) {
    List<String> names = new ArrayList<>();
    listed.forEach(each -> each.nodeName().ifPresent(names::add));
    if (names.isEmpty() || names.stream().distinct().count() < names.size()) {
      value.report("primary lists the names of nodes, the preferred first, each once");
    }
    return new ReplicaTerms(0, 0, 0, names);
  }
}
