// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.server.access.Permission;
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
  sealed interface Access {
    /** Anybody; no credential is needed. */
    record Anyone() implements Access {}

    /** Another node, with the secret that the nodes share. */
    record OfNodes() implements Access {}

    /** Whoever has a token or a session, whatever they were granted. */
    record SignedIn() implements Access {}

    /**
     * Who was granted something: for the type in the path; without one for the whole tenant in the
     * path; without one for all tenants.
     */
    record Granted(Permission permission) implements Access {}

    /** Who was granted something for a type of the tenant; the handler looks at which. */
    record GrantedSome(Permission permission) implements Access {}
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

    Table get(Permission permission, String pattern, Function<Call, Reply> handler) {
      return add("GET", pattern, new Access.Granted(permission), handler);
    }

    Table post(Permission permission, String pattern, Function<Call, Reply> handler) {
      return add("POST", pattern, new Access.Granted(permission), handler);
    }

    Table put(Permission permission, String pattern, Function<Call, Reply> handler) {
      return add("PUT", pattern, new Access.Granted(permission), handler);
    }

    Table patch(Permission permission, String pattern, Function<Call, Reply> handler) {
      return add("PATCH", pattern, new Access.Granted(permission), handler);
    }

    Table delete(Permission permission, String pattern, Function<Call, Reply> handler) {
      return add("DELETE", pattern, new Access.Granted(permission), handler);
    }

    /** A route whose handler looks at each type by itself. */
    Table some(
        Permission permission, String method, String pattern, Function<Call, Reply> handler) {
      return add(method, pattern, new Access.GrantedSome(permission), handler);
    }

    Table signedIn(String method, String pattern, Function<Call, Reply> handler) {
      return add(method, pattern, new Access.SignedIn(), handler);
    }

    Table open(String method, String pattern, Function<Call, Reply> handler) {
      return add(method, pattern, new Access.Anyone(), handler);
    }

    Table forNodes(String method, String pattern, Function<Call, Reply> handler) {
      return add(method, pattern, new Access.OfNodes(), handler);
    }

    private Table add(String method, String pattern, Access access, Function<Call, Reply> handler) {
      routes.add(new Route(method, pattern, access, handler));
      return this;
    }

    List<Route> routes() {
      return List.copyOf(routes);
    }
  }
}
