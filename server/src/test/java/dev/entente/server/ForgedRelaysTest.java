// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.entente.cluster.Authority;
import dev.entente.cluster.Authority.Place;
import dev.entente.cluster.HttpTransport;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A node to which requests of clients are sent on answers with what no node answers. */
class ForgedRelaysTest {
  private record Lie(int status, String type, String body) {}

  private volatile Lie lie = new Lie(200, "", "");

  private HttpServer liar() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          Lie told = lie;
          if (!told.type().isEmpty()) {
            exchange.getResponseHeaders().add("Content-Type", told.type());
          }
          exchange.getResponseHeaders().add("Set-Cookie", "entente-session=mallory");
          exchange.getResponseHeaders().add("Location", "http://mallory");
          byte[] body = told.body().getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(told.status(), body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    return server;
  }

  @Test
  void onlyWhatANodeAnswersIsPassedOnAndAllElseIsToldOfTheLiar() throws IOException {
    HttpServer server = liar();
    String url = "http://127.0.0.1:" + server.getAddress().getPort();
    try (Node node =
            Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("h0").onCallersThread());
        HttpTransport way = new HttpTransport("a secret of the cluster", Optional.empty())) {
      Steering steering = new Steering(node, new Authority(node), _ -> Optional.of("Bearer t"));
      steering.join(way);
      Place.There there = new Place.There("liar", url);
      Call call = new Call("GET", Map.of(), Map.of(), Map.of(), new byte[0], Call.Peer.UNKNOWN);
      List<String> path = List.of("v1", "main", "records", "note", "n");
      for (Lie each :
          List.of(
              new Lie(200, "text/html", "<script src='/v1/main/records/a/b'></script>"),
              new Lie(200, "text/javascript", "alert(1)"),
              new Lie(200, "image/svg+xml", "<svg/>"),
              new Lie(200, "application/json; charset=utf-7", "{}"),
              new Lie(200, "", "{}"),
              new Lie(700, "application/json", "{}"),
              new Lie(404, "text/html", "gone"))) {
        lie = each;
        assertThatThrownBy(() -> steering.forward(there, call, path, new byte[0]))
            .as("%s", each)
            .isInstanceOf(Problem.class)
            .hasMessageContaining("liar");
      }
      assertThat(node.peerFaults().bySender())
          .singleElement()
          .satisfies(told -> {
            assertThat(told.from().node()).isEqualTo("liar");
            assertThat(told.count()).isEqualTo(7);
          });
      lie = new Lie(409, "application/problem+json", "{\"code\":\"conflict\"}");
      Reply reply = steering.forward(there, call, path, new byte[0]);
      assertThat(reply.status()).isEqualTo(409);
      assertThat(reply.headers().keySet()).doesNotContain("Set-Cookie", "Location");
    } finally {
      server.stop(0);
    }
  }
}
