// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A node in a process of its own, as {@code entente serve} starts it. */
final class RealNode {
  /** The administrator's token of every node. */
  static final String TOKEN = "token-of-the-administrator";

  private static final HttpClient PLAIN =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(3))
          .build();
  private final Process process;
  private final String url;

  private final HttpClient http;

  private RealNode(Process process, String url, HttpClient http) {
    this.process = process;
    this.url = url;
    this.http = http;
  }

  /** Starts a node and waits until it is ready. */
  static RealNode start(Path data, Map<String, String> environment, String... options)
      throws IOException {
    return start(List.of(), PLAIN, data, environment, options);
  }

  /** Starts a node by a command that runs another, for example in a network of its own. */
  static RealNode start(
      List<String> by,
      HttpClient http,
      Path data,
      Map<String, String> environment,
      String... options)
      throws IOException {
    return start(by, System.getProperty("java.class.path"), http, data, environment, options);
  }

  /** Starts a node of another release. */
  static RealNode startOf(
      String classPath, Path data, Map<String, String> environment, String... options)
      throws IOException {
    return start(List.of(), classPath, PLAIN, data, environment, options);
  }

  private static RealNode start(
      List<String> by,
      String classPath,
      HttpClient http,
      Path data,
      Map<String, String> environment,
      String... options)
      throws IOException {
    List<String> command = new ArrayList<>(by);
    command.addAll(Jvm.of(classPath, "-Xmx256m", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("serve", "--data", data.toString()));
    command.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("ENTENTE_TOKEN", TOKEN);
    builder.environment().putAll(environment);
    Path errors = errors(data);
    builder.redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()));
    Process process = builder.start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    while (line != null && !line.contains("ready at")) {
      line = out.readLine();
    }
    assertThat(line).as("the node starts: " + lastErrors(data)).isNotNull();
    return new RealNode(
        process, line.substring(line.indexOf("http")).replaceAll("/\\s*$", ""), http);
  }

  /** Where what a node on this directory complains of is written. */
  private static Path errors(Path data) {
    // Not beside the data, whose disk may be full.
    String name = data.toString().replaceAll("[^A-Za-z0-9.]+", "_") + ".err";
    Path errors = Path.of(System.getProperty("java.io.tmpdir"), name);
    errors.toFile().deleteOnExit();
    return errors;
  }

  /** The last of what nodes on this directory complained of. */
  static String lastErrors(Path data) throws IOException {
    Path errors = errors(data);
    List<String> lines = Files.exists(errors) ? Files.readAllLines(errors) : List.of();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
  }

  HttpResponse<String> send(String method, String path, String type, String body)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(Duration.ofSeconds(10))
            .header("Authorization", "Bearer " + TOKEN)
            .header("Content-Type", type)
            .method(method, BodyPublishers.ofString(body))
            .build(),
        BodyHandlers.ofString());
  }

  HttpResponse<String> send(String method, String path, String body)
      throws IOException, InterruptedException {
    return send(method, path, "application/json", body);
  }

  /** Sends JSON with headers, name and value by turns; gives up soon. */
  HttpResponse<String> sendSoon(String method, String path, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(Duration.ofMillis(1_500))
            .header("Authorization", "Bearer " + TOKEN)
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.setHeader(headers[i], headers[i + 1]);
    }
    return http.send(request.build(), BodyHandlers.ofString());
  }

  String url() {
    return url;
  }

  /** Whether the process runs. */
  boolean isAlive() {
    return process.isAlive();
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** SIGTERM. */
  void end() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }

  /** Sends another signal, for example {@code STOP}. */
  void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor();
  }
}
