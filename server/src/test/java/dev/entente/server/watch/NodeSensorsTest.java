// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NodeSensorsTest {
  private static final RecordKey RECORD = new RecordKey("main", "note", "n");

  private static Node open(String name) {
    return Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
  }

  @Test
  void whatCameAndWaitsIsFoundUntilItJoins() {
    try (Node there = open("there");
        Node here = open("here")) {
      for (int i = 0; i < 2; i++) {
        Edit edit = new Edit.Put((JsonObject) Json.of(Map.of("i", i)));
        there.write(WriteRequest.of(RECORD, edit, new Seen.Everything(), "ann")).join();
      }
      List<byte[]> log =
          there.changes("main", 0, 10).stream()
              .map(entry -> VersionCodec.toBytes(entry.version()))
              .toList();
      NodeSensors sensors =
          new NodeSensors(here, new Tally(here::nowMillis), Thresholds.DEFAULT, Optional.empty());

      here.receive(List.of(log.get(1))).join();

      assertThat(sensors.look())
          .singleElement()
          .satisfies(finding -> {
            assertThat(finding.rule()).isEqualTo("versions-held");
            assertThat(finding.summary()).startsWith("1 versions");
            assertThat(finding.patienceMillis()).isEqualTo(60_000);
          });

      here.receive(List.of(log.get(0))).join();

      assertThat(sensors.look()).isEmpty();
    }
  }
}
