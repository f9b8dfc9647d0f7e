// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.policy.Names;
import dev.entente.server.Problem.Code;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The query parameters that each operation takes, as {@code openapi.yaml} declares them. One that
 * is not declared is refused for every operation alike: a misspelt filter that is passed over would
 * answer a question that nobody asked.
 */
final class QueryParameters {
  private static final String REFERENCE = "#/components/parameters/";

  /** By method and path, as in {@code GET /v1/{tenant}/records}. */
  private final Map<String, Set<String>> declared = new HashMap<>();

  private QueryParameters() {}

  /** Reads what the description of the API declares. */
  static QueryParameters of(String openApi) {
    QueryParameters parameters = new QueryParameters();
    Map<?, ?> api = map(new Load(LoadSettings.builder().build()).loadFromString(openApi));
    Map<?, ?> shared = map(map(api.get("components")).get("parameters"));
    map(api.get("paths"))
        .forEach((path, operations) -> {
          Set<String> ofPath = names(map(operations).get("parameters"), shared);
          map(operations)
              .forEach((method, operation) -> {
                if (operation instanceof Map<?, ?> described) {
                  Set<String> names = names(described.get("parameters"), shared);
                  names.addAll(ofPath);
                  parameters.declared.put(
                      String.valueOf(method).toUpperCase(Locale.ROOT) + " " + path, names);
                }
              });
        });
    return parameters;
  }

  private static Map<?, ?> map(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? map : Map.of();
  }

  private static Set<String> names(@Nullable Object parameters, Map<?, ?> shared) {
    Set<String> names = new TreeSet<>();
    if (parameters instanceof List<?> list) {
      for (Object one : list) {
        Map<?, ?> parameter = map(one);
        if (parameter.get("$ref") instanceof String reference) {
          parameter = map(shared.get(reference.substring(REFERENCE.length())));
        }
        if ("query".equals(parameter.get("in"))) {
          names.add(String.valueOf(parameter.get("name")));
        }
      }
    }
    return names;
  }

  /**
   * Refuses parameters that an operation does not declare. Operations that the description leaves
   * out, the dashboard's files and calls between nodes, are not checked.
   */
  void check(Route route, Call call) {
    Set<String> known = declared.get(route.method() + " " + route.pattern());
    if (known == null) {
      return;
    }
    for (String name : call.query().keySet()) {
      if (!known.contains(name)) {
        throw new Problem(
            Code.MALFORMED,
            known.isEmpty()
                ? "there is no parameter " + name + " here; this takes none"
                : "there is no parameter " + name + " here" + Names.suggestion(name, known));
      }
    }
  }
}
