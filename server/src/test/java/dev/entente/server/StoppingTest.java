// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.watch.Thresholds;
import dev.entente.server.watch.Watching;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every route is asked while the node stops, and after: the process goes on, and what is not
 * answered any more is 503. The routes are those that there are, so a new one is asked too.
 */
class StoppingTest {
  private static final String TOKEN = "test-token";
  private static final Map<String, String> NAMES =
      Map.of(
          "tenant", "main", "type", "note", "id", "n1", "author", "n.1", "after", "0", "last", "1",
          "bucket", "1");

  @TempDir Path folder;
  private final Set<String> wrong = new ConcurrentSkipListSet<>();

  private static ServerConfig config(Path folder) {
    return ServerConfig.of(0, TOKEN)
        .watched(new Watching(Thresholds.DEFAULT, Optional.of(folder), Optional.empty(), false));
  }

  private static List<String> path(Route route) {
    List<String> path = new ArrayList<>();
    for (String segment : Arrays.asList(route.pattern().substring(1).split("/"))) {
      path.add(
          segment.startsWith("{")
              ? NAMES.getOrDefault(segment.substring(1, segment.length() - 1), "x")
              : segment);
    }
    return path;
  }

  private static Call call(Route route) {
    return new Call(
        route.method(),
        Map.of(),
        Map.of(),
        Map.of("authorization", "Bearer " + TOKEN, "content-type", "application/json"),
        "{\"v\":1}".getBytes(StandardCharsets.UTF_8),
        Call.Peer.UNKNOWN);
  }

  private int ask(Api api, Route route) {
    String name = route.method() + " " + route.pattern();
    Reply reply = api.answer(path(route), call(route));
    if (reply.status() >= 500 && reply.status() != 503) {
      wrong.add(
          name + ": " + reply.status() + " " + new String(reply.body(), StandardCharsets.UTF_8));
    }
    if (reply.stream().isPresent() && !route.pattern().contains("changes")) {
      try {
        reply.stream().get().writeTo(new ByteArrayOutputStream());
      } catch (IOException | dev.entente.engine.store.StoreException e) {
        // The server closes the connection then.
        return 503;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return reply.status();
  }

  @Test
  void everyRouteIsAskedWhileTheStoreCloses() throws Exception {
    Node node =
        Node.open(RocksStore.open(folder.resolve("store")), NodeConfig.DEFAULT.withName("n"));
    Api api = new Api(node, config(folder));
    api.open();
    List<Route> routes = api.routes();
    CountDownLatch asked = new CountDownLatch(routes.size());
    List<Thread> threads = new ArrayList<>();
    for (Route route : routes) {
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                for (int i = 0; i < 20 && !Thread.interrupted(); i++) {
                  try {
                    ask(api, route);
                  } catch (RuntimeException | Error e) {
                    wrong.add(route.method() + " " + route.pattern() + " throws " + e);
                  }
                  asked.countDown();
                }
              }));
    }
    asked.await(2, java.util.concurrent.TimeUnit.SECONDS);
    // Worse than the server does: nothing is refused before.
    node.close();
    for (Thread thread : threads) {
      thread.join(100);
      thread.interrupt();
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void whoeverAsksANodeThatStopsIsRefused() throws Exception {
    try (Node node =
        Node.open(RocksStore.open(folder.resolve("store")), NodeConfig.DEFAULT.withName("n"))) {
      Api api = new Api(node, config(folder));
      api.open();
      api.stop();
      Set<String> answered = new TreeSet<>();
      for (Route route : api.routes()) {
        if (ask(api, route) != 503) {
          answered.add(route.pattern());
          assertThat(route.access()).isInstanceOf(Route.Access.Anyone.class);
        }
      }
      assertThat(wrong).isEmpty();
      assertThat(answered).contains("/health/live").doesNotContain("/health/ready");
    }
  }
}
