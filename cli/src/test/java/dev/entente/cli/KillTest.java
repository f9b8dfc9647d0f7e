// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.net.http.HttpResponse;
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
  private final Map<String, Integer> acknowledged = new ConcurrentHashMap<>();

  private RealNode start() throws IOException {
    return RealNode.start(data, Map.of(), "--port", "0");
  }

  @Test
  void nothingAcknowledgedIsLostWhateverTheMoment() throws Exception {
    Random random = new Random(42);
    long lastPosition = 0;
    for (int round = 0; round < ROUNDS; round++) {
      RealNode node = start();
      lastPosition = check(node, lastPosition);
      List<Thread> writers = new ArrayList<>();
      for (int w = 0; w < WRITERS; w++) {
        int writer = w;
        int from = round * 100_000;
        writers.add(Thread.ofVirtual().start(() -> write(node, writer, from)));
      }
      Thread.sleep(150 + random.nextInt(350));
      node.kill();
      for (Thread thread : writers) {
        thread.join();
      }
    }
    RealNode node = start();
    check(node, lastPosition);
    node.end();
    assertThat(acknowledged).hasSizeGreaterThan(ROUNDS);
  }

  private void write(RealNode node, int writer, int from) {
    for (int n = from; ; n++) {
      String id = writer + "-" + n % 50;
      try {
        HttpResponse<String> response =
            node.send("PUT", "/v1/main/records/t/" + id, "{\"n\":" + n + ",\"twice\":" + n + "}");
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

  private long check(RealNode node, long lastPosition) throws IOException, InterruptedException {
    HttpResponse<String> verified = node.send("POST", "/v1/verify", "");
    assertThat(verified.body()).contains("\"intact\":true");
    for (Map.Entry<String, Integer> entry : acknowledged.entrySet()) {
      JsonObject data =
          (JsonObject)
              ((JsonObject) json(node.send("GET", "/v1/main/records/t/" + entry.getKey(), "")))
                  .get("data");
      long n = ((JsonNumber) data.get("n")).longValue();
      assertThat(n).as("record %s", entry.getKey()).isGreaterThanOrEqualTo(entry.getValue());
      assertThat(data.get("twice")).as("no half-applied write").isEqualTo(Json.of(n));
    }
    JsonObject status = (JsonObject) json(node.send("GET", "/v1/status", ""));
    long position = ((JsonNumber) status.get("position")).longValue();
    assertThat(position).isGreaterThanOrEqualTo(lastPosition);
    return position;
  }

  private static Json json(HttpResponse<String> response) {
    assertThat(response.statusCode()).isEqualTo(200);
    return JsonReader.strict().read(response.body());
  }
}
