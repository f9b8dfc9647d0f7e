// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** An end of the audit log that is kept elsewhere finds what the log itself cannot. */
class AnchorTest {
  private static final String PATH = "/v1/cluster/audit/anchor";

  private static Served served() {
    return new Served(
        Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n")), Optional.empty());
  }

  private static void write(Served served, int count, String what) {
    for (int i = 0; i < count; i++) {
      served.json("PUT", "/v1/main/records/note/" + i, "{\"v\":\"" + what + "\"}");
    }
  }

  @Test
  void aLogThatGoesOnHolds() {
    try (Served served = served()) {
      write(served, 5, "a");
      String anchor = served.get(PATH).body();
      write(served, 5, "b");
      assertThat(served.json("POST", PATH, anchor).body()).contains("\"holds\":true");
      assertThat(served.get(PATH).text("key")).isEqualTo(served.json("GET", PATH, "").text("key"));
    }
  }

  @Test
  void aLogThatWasWrittenAnewDoesNotThoughItIsSound() {
    String anchor;
    try (Served served = served()) {
      write(served, 5, "a");
      anchor = served.get(PATH).body();
    }
    try (Served other = served()) {
      write(other, 8, "forged");
      assertThat(other.json("POST", "/v1/verify", "{}").body()).contains("\"intact\":true");
      assertThat(other.json("POST", PATH, anchor).body())
          .contains("\"holds\":false")
          .contains("is not what it was");
    }
    try (Served shorter = served()) {
      write(shorter, 2, "a");
      assertThat(shorter.json("POST", PATH, anchor).body()).contains("no entry");
    }
  }

  @Test
  void anAnchorThatWasChangedIsNotBelieved() {
    try (Served served = served()) {
      write(served, 3, "a");
      String anchor = served.get(PATH).body();
      assertThat(
              served
                  .json("POST", PATH, anchor.replaceFirst("\"sequence\":\\d+", "\"sequence\":1"))
                  .body())
          .contains("the anchor itself was changed");
      assertThat(served.json("POST", PATH, "{}").status()).isEqualTo(422);
      assertThat(served.json("POST", PATH, anchor.replace("\"key\":\"", "\"key\":\"!")).status())
          .isEqualTo(422);
    }
  }
}
