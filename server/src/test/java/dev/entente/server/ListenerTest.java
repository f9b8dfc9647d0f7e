// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.entente.cluster.NodeTls;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Certificates that are given are used, and plain HTTP stays on the machine. */
class ListenerTest {
  private static final int TIMEOUT_MILLIS = 10_000;

  @TempDir Path folder;

  private Certificates certificates() throws Exception {
    Certificates made = new Certificates(folder);
    made.sign("eu");
    return made;
  }

  private static NodeTls tls(Certificates certificates) {
    return NodeTls.of(
        certificates.certificate("eu"), certificates.key("eu"), certificates.authority());
  }

  private interface Use {
    void of(EntenteServer server) throws Exception;
  }

  private static void serve(Listener listener, Optional<Peering> peering, Use use)
      throws Exception {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("eu"));
        EntenteServer server =
            EntenteServer.start(node, ServerConfig.of(listener, Served.TOKEN).with(peering))) {
      use.of(server);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void certificatesAreUsedWithAndWithoutASecret(boolean secret) throws Exception {
    Certificates certificates = certificates();
    Optional<Peering> peering =
        secret
            ? Optional.of(
                new Peering("", List.of(), "a secret of the cluster").withTls(tls(certificates)))
            : Optional.empty();
    Listener listener = new Listener("127.0.0.1", 0, Optional.of(tls(certificates)), false);
    serve(
        listener,
        peering,
        server -> {
          assertThat(server.isEncrypted()).isTrue();
          assertThat(server.url()).isEqualTo("https://127.0.0.1:" + server.port());
          assertThat(status(NodeTls.trusting(certificates.authority()), server.url()))
              .isEqualTo(200);
        });
  }

  private static int status(SSLContext context, String url)
      throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newBuilder().sslContext(context).build()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create(url + "/v1/status"))
                  .header("Authorization", "Bearer " + Served.TOKEN)
                  .build(),
              BodyHandlers.discarding())
          .statusCode();
    }
  }

  @Test
  void aPlainRequestOnATlsPortEndsWithoutAnAnswerOverHttp() throws Exception {
    Listener listener = new Listener("127.0.0.1", 0, Optional.of(tls(certificates())), false);
    serve(
        listener,
        Optional.empty(),
        server -> {
          try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket
                .getOutputStream()
                .write(
                    "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII));
            byte[] answer = readToTheEnd(socket);
            assertThat(new String(answer, StandardCharsets.ISO_8859_1)).doesNotContain("200");
          }
        });
  }

  /** What comes until the connection ends; a reset is an end, a timeout is not. */
  private static byte[] readToTheEnd(Socket socket) throws IOException {
    try {
      return socket.getInputStream().readAllBytes();
    } catch (SocketException e) {
      return new byte[0];
    }
  }

  @Test
  void aTlsRequestOnAPlainPortFailsAtOnce() throws Exception {
    Certificates certificates = certificates();
    serve(
        Listener.local("127.0.0.1", 0),
        Optional.empty(),
        server -> {
          assertThat(server.url()).isEqualTo("http://127.0.0.1:" + server.port());
          String https = server.url().replace("http:", "https:");
          assertThatExceptionOfType(SSLException.class)
              .isThrownBy(() -> status(NodeTls.trusting(certificates.authority()), https));
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1"})
  void plainHttpBeyondThisMachineIsRefusedUnlessAllowed(String host) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Listener.local(host, 0))
        .withMessageContaining("--tls-cert")
        .withMessageContaining("--insecure-http");
    assertThat(new Listener(host, 0, Optional.empty(), true).isLoopback()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.0.0.2", "::1", "localhost"})
  void plainHttpOnTheLoopbackInterfaceNeedsNoPermission(String host) {
    assertThat(Listener.local(host, 0).isLoopback()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "no such host.invalid"})
  void aHostThatIsNoneIsRefused(String host) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Listener.local(host, 0))
        .withMessageContaining("--host");
  }

  @Test
  void certificatesAndPlainHttpExcludeEachOther() throws Exception {
    Optional<NodeTls> tls = Optional.of(tls(certificates()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Listener("127.0.0.1", 0, tls, true))
        .withMessageContaining("--insecure-http");
  }
}
