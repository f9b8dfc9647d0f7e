// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One operation of the API. {@code pattern} is the path with placeholders in braces, each a whole
 * segment.
 */
record Route(String method, String pattern, Access access, Function<Call, Reply> handler) {
  /** Who may call. */
  enum Access {
    /** Anybody; no credential is needed. */
    ANYONE,
    /** Who has a token or a session. */
    USER,
    /** Another node, with the secret that the nodes share. */
    NODE
  }

  private List<String> segments() {
    return List.of(pattern.substring(1).split("/", -1));
  }

  /** What the placeholders stand for, where the path fits. */
  Optional<Map<String, String>> match(List<String> path) {
    List<String> segments = segments();
    if (segments.size() != path.size()) {
      return Optional.empty();
    }
    Map<String, String> params = new LinkedHashMap<>();
    for (int i = 0; i < segments.size(); i++) {
      String segment = segments.get(i);
      if (segment.startsWith("{")) {
        params.put(segment.substring(1, segment.length() - 1), path.get(i));
      } else if (!segment.equals(path.get(i))) {
        return Optional.empty();
      }
    }
    return Optional.of(params);
  }

  /** A list of routes under construction. */
  static final class Table {
    private final List<Route> routes = new ArrayList<>();

    Table get(String pattern, Function<Call, Reply> handler) {
      return add("GET", pattern, handler);
    }

    Table post(String pattern, Function<Call, Reply> handler) {
      return add("POST", pattern, handler);
    }

    Table put(String pattern, Function<Call, Reply> handler) {
      return add("PUT", pattern, handler);
    }

    Table patch(String pattern, Function<Call, Reply> handler) {
      return add("PATCH", pattern, handler);
    }

    Table delete(String pattern, Function<Call, Reply> handler) {
      return add("DELETE", pattern, handler);
    }

    Table open(String method, String pattern, Function<Call, Reply> handler) {
      routes.add(new Route(method, pattern, Access.ANYONE, handler));
      return this;
    }

    Table forNodes(String method, String pattern, Function<Call, Reply> handler) {
      routes.add(new Route(method, pattern, Access.NODE, handler));
      return this;
    }

    private Table add(String method, String pattern, Function<Call, Reply> handler) {
      routes.add(new Route(method, pattern, Access.USER, handler));
      return this;
    }

    List<Route> routes() {
      return List.copyOf(routes);
    }
  }
}
