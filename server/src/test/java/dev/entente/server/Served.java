// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** A node served over HTTP for a test, and a small client. */
final class Served implements AutoCloseable {
  static final String TOKEN = "test-token";
  final Node node;
  private final EntenteServer server;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** An answer. */
  record Answer(int status, String body, HttpResponse<String> response) {
    JsonObject json() {
      return (JsonObject) JsonReader.strict().read(body);
    }

    String text(String name) {
      return json().get(name) instanceof JsonString(String text) ? text : "";
    }
  }

  Served() {
    this(Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n")), Optional.empty());
  }

  Served(Node node, Optional<Peering> peering) {
    this(node, config -> config.with(peering));
  }

  Served(UnaryOperator<ServerConfig> configured) {
    this(Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n")), configured);
  }

  Served(Node node, UnaryOperator<ServerConfig> configured) {
    this.node = node;
    this.server = started(configured.apply(ServerConfig.of(0, TOKEN)));
  }

  private EntenteServer started(ServerConfig config) {
    try {
      return EntenteServer.start(node, config);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  int port() {
    return server.port();
  }

  Answer send(String method, String path, byte[] body, Map<String, String> headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
            .method(method, BodyPublishers.ofByteArray(body));
    if (!headers.containsKey("Authorization")) {
      request.header("Authorization", "Bearer " + TOKEN);
    }
    headers.forEach((name, value) -> {
      if (!value.isEmpty()) {
        request.header(name, value);
      }
    });
    try {
      HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
      return new Answer(response.statusCode(), response.body(), response);
    } catch (IOException e) {
      throw new AssertionError(method + " " + path, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  Answer json(String method, String path, String body, String... headers) {
    Map<String, String> all = new java.util.HashMap<>(Map.of("Content-Type", "application/json"));
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    return send(method, path, body.getBytes(StandardCharsets.UTF_8), all);
  }

  /** Waits for what other threads bring about; long enough for a loaded machine. */
  static void eventually(BooleanSupplier holds) throws InterruptedException {
    for (int i = 0; i < 1_500 && !holds.getAsBoolean(); i++) {
      Thread.sleep(20);
    }
    assertThat(holds.getAsBoolean()).isTrue();
  }

  /** Makes an account with these grants; its token. */
  String account(String name, String... grants) {
    String list = String.join(",", Arrays.stream(grants).map(g -> '"' + g + '"').toList());
    String path = "/v1/cluster/accounts/" + name;
    assertThat(json("PUT", path, "{\"grants\":[" + list + "]}").status()).isEqualTo(200);
    Answer issued = json("POST", path + "/tokens", "{\"note\":\"a test\"}");
    assertThat(issued.status()).as(issued.body()).isEqualTo(201);
    return issued.text("token");
  }

  Answer get(String path) {
    return send("GET", path, new byte[0], Map.of());
  }

  /** Sends bytes as they are and returns the first line of what comes back. */
  String raw(String request) throws IOException {
    try (Socket socket = new Socket(java.net.InetAddress.getLoopbackAddress(), port())) {
      socket.setSoTimeout(3_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      byte[] answer = socket.getInputStream().readNBytes(12);
      return new String(answer, StandardCharsets.ISO_8859_1);
    }
  }

  /**
   * Sends a head, then the same piece again and again until something comes back or the connection
   * ends; returns what came back.
   */
  String endless(String head, String piece, long pauseMillis) throws IOException {
    try (Socket socket = new Socket(java.net.InetAddress.getLoopbackAddress(), port())) {
      OutputStream out = socket.getOutputStream();
      out.write(head.getBytes(StandardCharsets.ISO_8859_1));
      byte[] bytes = piece.getBytes(StandardCharsets.ISO_8859_1);
      long end = System.nanoTime() + 20_000_000_000L;
      try {
        while (socket.getInputStream().available() == 0 && System.nanoTime() < end) {
          out.write(bytes);
          out.flush();
          LockSupport.parkNanos(pauseMillis * 1_000_000);
        }
      } catch (IOException e) {
        // The node has closed its side; what it said before is still to be read.
        assertThat(e).isNotNull();
      }
      socket.setSoTimeout(3_000);
      byte[] answer = socket.getInputStream().readNBytes(12);
      return new String(answer, StandardCharsets.ISO_8859_1);
    }
  }

  static Json parsed(String text) {
    return JsonReader.strict().read(text);
  }

  @Override
  public void close() {
    server.close();
    node.close();
  }
}
