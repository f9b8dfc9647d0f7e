// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.merge.SemanticMerge;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The merge functions on the class path, by name; found once, when a policy first asks. */
final class Semantics {
  private Semantics() {}

  private static final class Found {
    static final Map<String, SemanticMerge> BY_NAME = new TreeMap<>();

    static {
      ServiceLoader.load(SemanticMerge.class).forEach(merge -> BY_NAME.put(merge.name(), merge));
    }
  }

  static Optional<SemanticMerge> installed(String name) {
    return Optional.ofNullable(Found.BY_NAME.get(name));
  }

  static List<String> names() {
    return List.copyOf(Found.BY_NAME.keySet());
  }
}
