// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node goes on with what an earlier release wrote, and leaves alone what it does not know. */
class UpgradeTest {
  @TempDir Path data;

  private void unpack(String release) throws IOException {
    String name = "/releases/" + release + ".zip";
    try (InputStream in = UpgradeTest.class.getResourceAsStream(name);
        ZipInputStream zip = new ZipInputStream(Objects.requireNonNull(in, name))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path file = data.resolve(entry.getName());
        Files.createDirectories(file.getParent());
        Files.write(file, zip.readAllBytes());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "b0b9883")
  void whatAnEarlierReleaseWroteIsServed(String release) throws Exception {
    unpack(release);
    RealNode node = RealNode.start(data, Map.of(), "--port", "0");
    try {
      assertThat(node.send("GET", "/v1/main/records/bill/b1", "").body())
          .contains("\"note\":\"agreed\"", "\"phone\":\"right\"", "hello left right", "[\"a\"]")
          .contains("\"strategy\":\"manual-review\"");
      String reviews = node.send("GET", "/v1/main/reviews?owner=eve", "").body();
      assertThat(reviews).contains("\"owner\":\"eve\"").contains("\"unit\":\"note\"");
      assertThat(node.send("GET", "/v1/main/records/gone/g", "").statusCode()).isEqualTo(404);
      assertThat(node.send("PUT", "/v1/main/records/frozen/f", "{}").body())
          .contains("by the old release");
      assertThat(node.send("DELETE", "/v1/main/freezes", "{\"type\":\"frozen\"}").statusCode())
          .isEqualTo(200);
      assertThat(node.send("PUT", "/v1/main/records/frozen/f", "{}").statusCode()).isEqualTo(201);
      assertThat(node.send("PUT", "/v1/main/records/bill/b2", "{\"number\":1}").statusCode())
          .as("the claim holds")
          .isEqualTo(409);
      assertThat(node.send("GET", "/v1/cluster/accounts/eve", "").body()).contains("reviewer@main");
      assertThat(node.send("POST", "/v1/main/policies/bill/preview", "type: bill\n").body())
          .as("conflicts of before are recorded still")
          .contains("\"conflicts\":2");
      String review = reviews.replaceAll("(?s).*\"id\":\"([0-9a-f]{32})\".*", "$1");
      String decided = "/v1/main/reviews/" + review + "/decision";
      assertThat(node.send("POST", decided, "{\"choose\":1}").statusCode()).isEqualTo(200);
      assertThat(node.send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
    } finally {
      node.kill();
    }
    RealNode again = RealNode.start(data, Map.of(), "--port", "0");
    try {
      assertThat(again.send("GET", "/v1/main/records/bill/b1", "").body())
          .contains("\"note\":\"right\"");
      assertThat(again.send("GET", "/v1/main/freezes", "").body()).contains("\"frozen\":[]");
    } finally {
      again.kill();
    }
  }
}
