// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.policy.Names;
import dev.entente.server.Problem.Code;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The query parameters that each operation takes, as {@code openapi.yaml} declares them. One that
 * is not declared, or a value that is none of the declared ones, is refused for every operation
 * alike: a misspelt filter that is ignored would answer a question that nobody asked.
 */
final class QueryParameters {
  private static final String REFERENCE = "#/components/parameters/";

  private static final String FENCE = REFERENCE + "fence";

  /**
   * By method and path, as in {@code GET /v1/{tenant}/records}: the values of each parameter that
   * takes only certain ones, and nothing for the others.
   */
  private final Map<String, Map<String, Set<String>>> declared = new HashMap<>();

  /** The operations that are done under a lock where the request names one. */
  private final Set<String> fenced = new HashSet<>();

  private QueryParameters() {}

  /** Reads what the description of the API declares. */
  static QueryParameters of(String openApi) {
    QueryParameters parameters = new QueryParameters();
    Map<?, ?> api = map(new Load(LoadSettings.builder().build()).loadFromString(openApi));
    Map<?, ?> shared = map(map(api.get("components")).get("parameters"));
    map(api.get("paths"))
        .forEach((path, operations) -> {
          Map<String, Set<String>> ofPath = parameters(map(operations).get("parameters"), shared);
          map(operations)
              .forEach((method, operation) -> {
                if (operation instanceof Map<?, ?> described) {
                  Map<String, Set<String>> all = parameters(described.get("parameters"), shared);
                  all.putAll(ofPath);
                  String name = String.valueOf(method).toUpperCase(Locale.ROOT) + " " + path;
                  parameters.declared.put(name, all);
                  if (String.valueOf(described.get("parameters")).contains(FENCE)) {
                    parameters.fenced.add(name);
                  }
                }
              });
        });
    return parameters;
  }

  private static Map<?, ?> map(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? map : Map.of();
  }

  private static Map<String, Set<String>> parameters(
      @Nullable Object parameters, Map<?, ?> shared) {
    Map<String, Set<String>> values = new TreeMap<>();
    if (parameters instanceof List<?> list) {
      for (Object one : list) {
        Map<?, ?> parameter = map(one);
        if (parameter.get("$ref") instanceof String reference) {
          parameter = map(shared.get(reference.substring(REFERENCE.length())));
        }
        if ("query".equals(parameter.get("in"))) {
          values.put(String.valueOf(parameter.get("name")), values(map(parameter.get("schema"))));
        }
      }
    }
    return values;
  }

  private static Set<String> values(Map<?, ?> schema) {
    if ("boolean".equals(schema.get("type"))) {
      return new TreeSet<>(List.of("true", "false"));
    }
    Set<String> values = new TreeSet<>();
    if (schema.get("enum") instanceof List<?> list) {
      list.forEach(value -> values.add(String.valueOf(value)));
    }
    return values;
  }

  /**
   * Refuses parameters and values that an operation does not declare, and a lock where the
   * operation would be done without it. Operations that the description leaves out, the dashboard's
   * files and calls between nodes, are not checked.
   */
  void check(Route route, Call call) {
    Map<String, Set<String>> known = declared.get(route.method() + " " + route.pattern());
    if (known == null) {
      return;
    }
    if (!call.method().equals("GET")
        && call.header(Writes.FENCE).isPresent()
        && !fenced.contains(route.method() + " " + route.pattern())) {
      throw new Problem(
          Code.INVALID,
          "this is not done under a lock, so Entente-Fence would have no effect; leave it out, or"
              + " write the records by themselves or in a batch");
    }
    call.query()
        .forEach((name, value) -> {
          Set<String> values = known.get(name);
          if (values == null) {
            throw new Problem(
                Code.MALFORMED,
                "there is no parameter "
                    + name
                    + " here"
                    + (known.isEmpty()
                        ? "; this takes none"
                        : Names.suggestion(name, known.keySet())));
          }
          if (!values.isEmpty() && !values.contains(value)) {
            throw new Problem(Code.INVALID, name + " is " + String.join(" or ", values));
          }
        });
  }
}
