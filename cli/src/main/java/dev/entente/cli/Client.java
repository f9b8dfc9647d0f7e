// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.NodeTls;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import dev.entente.server.Token;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import javax.net.ssl.SSLException;

/**
 * Calls a node's API with what the environment says: ENTENTE_URL, ENTENTE_TOKEN, ENTENTE_TENANT,
 * and ENTENTE_CA, the certificate of the authority that signs those of nodes, for https.
 */
final class Client {
  private static final String URL_SHAPE =
      "ENTENTE_URL is the address of a node, such as http://127.0.0.1:7400, not ";

  /** The longest answer that is no problem in JSON and is shown. */
  private static final int TEXT_MAX = 200;

  private final HttpClient http;
  private final String url;
  private final String tenant;
  private final String token;

  Client() {
    this(System.getenv());
  }

  /**
   * With the settings of an environment.
   *
   * @throws IllegalArgumentException where one cannot be used or would have no effect
   */
  Client(Map<String, String> environment) {
    for (String unused : Settings.checkClient(environment)) {
      System.err.println("warning: " + unused + " is no setting of entente and has no effect");
    }
    url = checked(setting(environment, "ENTENTE_URL", "http://127.0.0.1:7400"));
    tenant = setting(environment, "ENTENTE_TENANT", "main");
    token = token(setting(environment, "ENTENTE_TOKEN", ""));
    http = http(setting(environment, "ENTENTE_CA", ""), url);
  }

  private static String token(String text) {
    if (!text.isEmpty()) {
      Token.require("ENTENTE_TOKEN", text);
    }
    return text;
  }

  private static String checked(String url) {
    try {
      URI uri = URI.create(url);
      boolean isBare =
          uri.getRawQuery() == null && uri.getRawFragment() == null && uri.getRawUserInfo() == null;
      if (uri.getHost() != null
          && isBare
          && uri.getPort() <= 65_535
          && List.of("http", "https").contains(uri.getScheme())) {
        return url.replaceAll("/+$", "");
      }
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(URL_SHAPE + url, e);
    }
    throw new IllegalArgumentException(URL_SHAPE + url);
  }

  /** The node refused, or cannot be reached. */
  static final class FailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    FailedException(String message) {
      super(message, null, false, false);
    }
  }

  private static HttpClient http(String authority, String url) {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5));
    if (!authority.isEmpty()) {
      if (!url.startsWith("https:")) {
        throw new IllegalArgumentException(
            "ENTENTE_CA is for https, but ENTENTE_URL is "
                + url
                + ": correct it, or unset ENTENTE_CA");
      }
      builder.sslContext(NodeTls.trusting("ENTENTE_CA", Path.of(authority)));
    }
    return builder.build();
  }

  private static String setting(Map<String, String> environment, String name, String fallback) {
    return environment.getOrDefault(name, fallback).strip();
  }

  String host() {
    return URI.create(url).getHost();
  }

  int port() {
    int port = URI.create(url).getPort();
    return port >= 0 ? port : url.startsWith("https:") ? 443 : 80;
  }

  String token() {
    return token;
  }

  String tenant() {
    return tenant;
  }

  /** A path below the tenant; each part is escaped. */
  String path(String... parts) {
    StringBuilder path = new StringBuilder("/v1/").append(escaped(tenant));
    for (String part : parts) {
      path.append('/').append(escaped(part));
    }
    return path.toString();
  }

  static String escaped(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Sends, and returns the answer's body; a refusal is an exception that says why. */
  String send(String method, String path, Optional<String> body, Map<String, String> headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(Duration.ofMinutes(10))
            .method(
                method,
                body.isPresent() ? BodyPublishers.ofString(body.get()) : BodyPublishers.noBody());
    Map<String, String> all = new LinkedHashMap<>();
    if (!token.isEmpty()) {
      all.put("Authorization", "Bearer " + token);
    }
    if (body.isPresent()) {
      all.put("Content-Type", "application/json");
    }
    all.putAll(headers);
    all.forEach(request::header);
    try {
      HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
      if (response.statusCode() >= 400) {
        throw new FailedException(explained(response.statusCode(), response.body()));
      }
      response.headers().firstValue("Entente-Warning").ifPresent(Client::warn);
      return response.body();
    } catch (SSLException e) {
      throw new FailedException(untrusted(String.valueOf(e.getMessage())));
    } catch (IOException e) {
      throw new FailedException(
          "no node answers at "
              + url
              + " ("
              + e.getClass().getSimpleName()
              + "); set ENTENTE_URL, or start one: entente serve --data DIR");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FailedException("interrupted");
    }
  }

  /** A port of plain HTTP ends a TLS handshake with the alert of this name. */
  private String untrusted(String why) {
    return why.contains("protocol_version")
        ? "the node at "
            + url
            + " speaks plain HTTP: begin ENTENTE_URL with http://, or serve the node with"
            + " --tls-cert"
        : "the certificate of "
            + url
            + " is not trusted ("
            + why
            + "); set ENTENTE_CA to the certificate of the authority that signed it";
  }

  /** Names that may be misspelt are said on standard error, whatever the command prints. */
  private static void warn(String header) {
    for (String warning : header.split(",", -1)) {
      System.err.println(
          "warning: " + URLDecoder.decode(warning.replace("+", "%2B"), StandardCharsets.UTF_8));
    }
  }

  private static String explained(int status, String body) {
    try {
      if (JsonReader.strict().read(body) instanceof JsonObject problem
          && problem.get("detail") instanceof JsonString(String detail)
          && problem.get("code") instanceof JsonString(String code)) {
        return code + " (" + status + "): " + detail;
      }
    } catch (JsonProblem e) {
      return body.length() <= TEXT_MAX && !body.isBlank()
          ? "the node answered " + status + ": " + body.strip()
          : "the node answered " + status;
    }
    return "the node answered " + status;
  }

  /**
   * Writes what the node answers to a stream.
   *
   * @param progress hears how many bytes came
   */
  void download(String path, OutputStream to, LongConsumer progress) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + path))
            .header("Authorization", "Bearer " + token)
            .build();
    try {
      HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
      try (InputStream in = response.body()) {
        if (response.statusCode() >= 400) {
          String body = new String(in.readAllBytes(), StandardCharsets.UTF_8);
          throw new FailedException(explained(response.statusCode(), body));
        }
        byte[] chunk = new byte[1 << 16];
        long bytes = 0;
        for (int length = in.read(chunk); length >= 0; length = in.read(chunk)) {
          to.write(chunk, 0, length);
          bytes += length;
          progress.accept(bytes);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FailedException("interrupted");
    }
  }

  Json json(String method, String path, Optional<String> body) {
    return JsonReader.strict().read(send(method, path, body, Map.of()));
  }

  /** All pages of a list, one after the other. */
  void pages(String path, Consumer<Json> page) {
    String cursor = "";
    do {
      Json got = get(path + cursor);
      page.accept(got);
      String next =
          got instanceof JsonObject object && object.get("next") instanceof JsonString(String text)
              ? text
              : "";
      cursor = next.isEmpty() ? "" : (path.contains("?") ? "&" : "?") + "cursor=" + escaped(next);
    } while (!cursor.isEmpty());
  }

  Json get(String path) {
    return json("GET", path, Optional.empty());
  }
}
