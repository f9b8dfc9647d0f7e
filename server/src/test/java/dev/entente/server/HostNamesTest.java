// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A page that has a name of its own lead to a node reaches nothing there. */
class HostNamesTest {
  private static Served serve(String advertised, String... names) throws IOException {
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("a"));
    return new Served(
        node,
        config ->
            new ServerConfig(
                    new Listener("127.0.0.1", 0, Optional.empty(), false, List.of(names)),
                    config.token(),
                    config.peering(),
                    config.openId(),
                    config.limits(),
                    config.watching(),
                    config.safety(),
                    config.traces())
                .with(Optional.of(new Peering(advertised, List.of(), "a-secret-of-all-nodes"))));
  }

  private static String status(Served served, String head, String host, String more)
      throws IOException {
    String answer =
        served.raw(
            head + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + more + "\r\n");
    return answer.substring(answer.indexOf(' ') + 1, answer.indexOf(' ') + 4);
  }

  private static String whole(Served served, String head) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), served.port())) {
      socket
          .getOutputStream()
          .write((head + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void onlyNamesThatNobodyElseCanGiveOutAreServed() throws IOException {
    try (Served served = serve("http://eu.example.org:7400", "Entente.Example")) {
      for (String host :
          List.of(
              "127.0.0.1",
              "127.0.0.1:" + served.port(),
              "10.1.2.3:80",
              "[::1]:7400",
              "localhost",
              "LOCALHOST.:7400",
              "app.localhost",
              "eu.example.org",
              "entente.example:443")) {
        assertThat(status(served, "GET /health/live", host, "")).as(host).isEqualTo("200");
      }
      for (String host :
          List.of(
              "evil.example",
              "localhost.evil.example",
              "127.0.0.1.evil.example",
              "eu.example.org.evil.example",
              "eviletente.example",
              "x")) {
        assertThat(status(served, "GET /health/live", host, "")).as(host).isEqualTo("421");
      }
    }
  }

  @Test
  void whoIsMisdirectedGetsNothingAndIsToldWhatToDo() throws IOException {
    try (Served served = serve("")) {
      String token = "Authorization: Bearer " + Served.TOKEN + "\r\n";
      String same = "Origin: http://evil.example\r\nContent-Length: 0\r\n";
      for (String head :
          List.of(
              "GET /",
              "GET /ui/app.js",
              "GET /v1/whoami",
              "GET /openapi.yaml",
              "GET /nothing",
              "POST /session",
              "DELETE /session",
              "DELETE /v1/main/records/t/1")) {
        assertThat(status(served, head, "evil.example", token + same)).as(head).isEqualTo("421");
      }
      assertThat(whole(served, "GET /v1/whoami HTTP/1.1\r\nHost: evil.example\r\n"))
          .contains("\"code\":\"misdirected\"")
          .contains("'evil.example'")
          .contains("--host-names");
    }
  }

  @Test
  void whatIsNoNameIsRefused() {
    for (String name : List.of("", "*", "a b", "http://a", "a:80", "[::1]", "a/b")) {
      assertThatIllegalArgumentException()
          .as(name)
          .isThrownBy(() -> new Listener("127.0.0.1", 0, Optional.empty(), false, List.of(name)))
          .withMessageContaining("--host-names");
    }
  }
}
