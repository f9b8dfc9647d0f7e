// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real node is killed with SIGKILL at random moments while many connections write, twenty times
 * over: every acknowledged write is there, none is half there, the audit chain is intact, and the
 * views are those of before.
 */
class KillTest {
  private static final int ROUNDS = Integer.getInteger("entente.kill.rounds", 20);
  private static final int WRITERS = 8;
  @TempDir Path data;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Map<String, Integer> acknowledged = new ConcurrentHashMap<>();

  private record Running(Process process, String url) {}

  private Running start() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.entente.cli.Main",
            "serve",
            "--data",
            data.toString(),
            "--port",
            "0");
    builder.environment().put("ENTENTE_TOKEN", "t");
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    Process process = builder.start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    while (line != null && !line.contains("ready at")) {
      line = out.readLine();
    }
    assertThat(line).as("the node starts").isNotNull();
    return new Running(process, line.substring(line.indexOf("http")).replaceAll("/\\s*$", ""));
  }

  private HttpResponse<String> send(Running node, String method, String path, String body)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(node.url() + path))
            .header("Authorization", "Bearer t")
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body))
            .build(),
        BodyHandlers.ofString());
  }

  @Test
  void nothingAcknowledgedIsLostWhateverTheMoment() throws Exception {
    Random random = new Random(42);
    long lastPosition = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Running node = start();
      lastPosition = check(node, lastPosition);
      List<Thread> writers = new ArrayList<>();
      for (int w = 0; w < WRITERS; w++) {
        int writer = w;
        int from = round * 100_000;
        writers.add(Thread.ofVirtual().start(() -> write(node, writer, from)));
      }
      Thread.sleep(150 + random.nextInt(350));
      node.process().destroyForcibly().waitFor();
      for (Thread thread : writers) {
        thread.join();
      }
    }
    Running node = start();
    check(node, lastPosition);
    node.process().destroy();
    node.process().waitFor();
    assertThat(acknowledged).hasSizeGreaterThan(ROUNDS);
  }

  private void write(Running node, int writer, int from) {
    for (int n = from; ; n++) {
      String id = writer + "-" + n % 50;
      try {
        HttpResponse<String> response =
            send(node, "PUT", "/v1/main/records/t/" + id, "{\"n\":" + n + ",\"twice\":" + n + "}");
        if (response.statusCode() >= 300) {
          return;
        }
        acknowledged.put(id, n);
      } catch (IOException e) {
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private long check(Running node, long lastPosition) throws IOException, InterruptedException {
    HttpResponse<String> verified = send(node, "POST", "/v1/verify", "");
    assertThat(verified.body()).contains("\"intact\":true");
    for (Map.Entry<String, Integer> entry : acknowledged.entrySet()) {
      JsonObject data =
          (JsonObject)
              ((JsonObject) json(send(node, "GET", "/v1/main/records/t/" + entry.getKey(), "")))
                  .get("data");
      long n = ((JsonNumber) data.get("n")).longValue();
      assertThat(n).as("record %s", entry.getKey()).isGreaterThanOrEqualTo(entry.getValue());
      assertThat(data.get("twice")).as("no half-applied write").isEqualTo(Json.of(n));
    }
    JsonObject status = (JsonObject) json(send(node, "GET", "/v1/status", ""));
    long position = ((JsonNumber) status.get("position")).longValue();
    assertThat(position).isGreaterThanOrEqualTo(lastPosition);
    return position;
  }

  private static Json json(HttpResponse<String> response) {
    assertThat(response.statusCode()).isEqualTo(200);
    return JsonReader.strict().read(response.body());
  }
}
