// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.NodeTls;
import dev.entente.core.causality.NodeId;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Certificates that are given are used, and plain HTTP stays on the machine. */
class ListenerTest {
  private static final int TIMEOUT_MILLIS = 10_000;

  /** The content type of a TLS record that holds an alert. */
  private static final byte[] ALERT = {21};

  @TempDir static Path folder;
  private static Certificates certificates;

  @BeforeAll
  static void certificates() throws Exception {
    certificates = new Certificates(folder);
    certificates.sign("eu");
  }

  private static NodeTls tls() {
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
  @ValueSource(strings = {"GET /health/live", "GET /nothing", "GET /openapi.yaml"})
  void connectionsEndAfterTheAnswerWhereTheClientAskedForIt(String request) throws Exception {
    Listener listener = new Listener("127.0.0.1", 0, Optional.empty(), false);
    serve(
        listener,
        Optional.empty(),
        server -> {
          try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            String head = request + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            String answer =
                new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 ").containsIgnoringCase("connection: close");
          }
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void certificatesAreUsedWithAndWithoutASecret(boolean secret) throws Exception {
    Optional<Peering> peering =
        secret
            ? Optional.of(new Peering("", List.of(), "a secret of the cluster").withTls(tls()))
            : Optional.empty();
    Listener listener = new Listener("127.0.0.1", 0, Optional.of(tls()), false);
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
    return get(context, url + "/v1/status").statusCode();
  }

  private static HttpResponse<String> get(SSLContext context, String url)
      throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newBuilder().sslContext(context).build()) {
      return client.send(
          HttpRequest.newBuilder(URI.create(url))
              .header("Authorization", "Bearer " + Served.TOKEN)
              .build(),
          BodyHandlers.ofString());
    }
  }

  private static final List<String> PLAIN =
      List.of(
          "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
          "POST /v1/main/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
          "DELETE / HTTP/1.0\r\n\r\n",
          "get / HTTP/1.1\r\n\r\n",
          "G",
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

  @Test
  void aPlainRequestOnATlsPortIsToldThatItSpeaksHttps() throws Exception {
    serve(
        new Listener("127.0.0.1", 0, Optional.of(tls()), false),
        Optional.empty(),
        server -> {
          for (String request : PLAIN) {
            assertThat(new String(answer(server, ascii(request)), StandardCharsets.US_ASCII))
                .as(request)
                .startsWith("HTTP/1.1 400 ")
                .contains("Content-Type: text/plain", "Connection: close")
                .endsWith("\r\n\r\nThis port speaks HTTPS only: begin the address with https://\n");
          }
          assertThat(malformed(server, NodeTls.trusting(certificates.authority())))
              .isEqualTo(PLAIN.size());
          for (String other : List.of("\0", "\n\n", "1", "\u0016\u0003\u0001\0\u0001\0")) {
            // The length of a record is in its first five bytes; these say that all has come.
            assertThat(answer(server, ascii(other + "\0\0\0\0\0"))).startsWith(ALERT);
          }
        });
  }

  /** Asks a node for something as another node does. */
  private static void ask(Optional<NodeTls> tls, String url) throws Exception {
    try (HttpTransport other = new HttpTransport("a secret of the cluster", tls)) {
      other.get(url, new NodeId("us.1"), "known");
    }
  }

  @Test
  void aNodeIsToldThatAnotherSpeaksTheOtherScheme() throws Exception {
    serve(
        new Listener("127.0.0.1", 0, Optional.of(tls()), false),
        Optional.empty(),
        server ->
            assertThatIOException()
                .isThrownBy(() -> ask(Optional.empty(), server.url().replace("https", "http")))
                .withMessageContaining("speaks HTTPS"));
    serve(
        Listener.local("127.0.0.1", 0),
        Optional.empty(),
        server ->
            assertThatIOException()
                .isThrownBy(() -> ask(Optional.of(tls()), server.url().replace("http", "https")))
                .withMessageContaining("speaks plain HTTP"));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Sends bytes as they are; what comes until the connection ends. */
  private static byte[] answer(EntenteServer server, byte[] request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.getOutputStream().write(request);
      return socket.getInputStream().readAllBytes();
    }
  }

  /** How many malformed requests the node counts. */
  private static int malformed(EntenteServer server, SSLContext context)
      throws IOException, InterruptedException {
    Matcher count =
        Pattern.compile("(?m)^entente_requests_malformed_total(?:\\{\\})? (\\d+)")
            .matcher(get(context, server.url() + "/metrics").body());
    return count.find() ? Integer.parseInt(count.group(1)) : 0;
  }

  @Test
  void aTlsHandshakeOnAPlainPortEndsWithAnAlert() throws Exception {
    SSLContext trusting = NodeTls.trusting(certificates.authority());
    serve(
        Listener.local("127.0.0.1", 0),
        Optional.empty(),
        server -> {
          assertThat(server.url()).isEqualTo("http://127.0.0.1:" + server.port());
          String https = server.url().replace("http:", "https:");
          assertThatExceptionOfType(SSLException.class)
              .isThrownBy(() -> status(trusting, https))
              .withMessageContaining("protocol_version");
          assertThat(answer(server, new byte[] {22, 3, 1, 0, 1, 1})).startsWith(ALERT);
          assertThat(malformed(server, trusting)).isEqualTo(2);
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
    Optional<NodeTls> tls = Optional.of(tls());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Listener("127.0.0.1", 0, tls, true))
        .withMessageContaining("--insecure-http");
  }
}
