// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * A new route that other nodes answer, or that takes a list, needs its row in the tests of those.
 */
class RouteCoverageTest {
  /** Routes through which {@link ForwardedNamesTest} sends every hostile name. */
  private static final Set<String> NAMES_SENT =
      Set.of(
          "PUT /v1/{tenant}/records/{type}/{id}",
          "DELETE /v1/{tenant}/records/{type}/{id}",
          "POST /v1/{tenant}/records/{type}/{id}/rollback",
          "POST /v1/{tenant}/reviews/{review}/decision",
          "POST /v1/{tenant}/reviews/{review}/assign",
          "POST /v1/{tenant}/reviews/{review}/notes",
          "POST /v1/{tenant}/sync",
          "POST /v1/{tenant}/batch");

  /** Forwarded by the same code, and not sent such names by a test yet. */
  private static final Set<String> NAMES_NOT_SENT =
      Set.of(
          "PATCH /v1/{tenant}/records/{type}/{id}",
          "POST /v1/{tenant}/records/{type}/{id}/appeals",
          "POST /v1/{tenant}/records/{type}/{id}/erasure",
          "POST /v1/{tenant}/reviews/{review}/reopen",
          "POST /v1/{tenant}/reviews/{review}/vote",
          "PUT /v1/{tenant}/policies/{type}");

  private static List<Route> routes() throws IOException {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT)) {
      return new Api(node, ServerConfig.of(0, "t")).routes();
    }
  }

  @Test
  void everyForwardedRouteIsListed() throws IOException {
    Set<String> forwarded = new TreeSet<>();
    for (Route route : routes()) {
      if (!route.method().equals("GET") && Steering.isSentOn(route)) {
        forwarded.add(route.method() + " " + route.pattern());
      }
    }
    Set<String> listed = new TreeSet<>(NAMES_SENT);
    listed.addAll(NAMES_NOT_SENT);
    assertThat(forwarded).isEqualTo(listed);
  }
}
