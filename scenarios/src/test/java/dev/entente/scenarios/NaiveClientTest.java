// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** A client that never says what it has read destroys nothing under any of the policy packs. */
class NaiveClientTest {
  private static final Path PACKS = Path.of("..", "policies");

  @Test
  void naiveClientReplacesNothingUnderAnyPack() throws Exception {
    List<String> types = types();
    TreeSet<String> tried = new TreeSet<>();
    for (Scenario scenario : Scenario.all()) {
      if (!scenario.name().contains("/")) {
        continue;
      }
      try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT)) {
        Player player = new Player(node, "main", "");
        player.install(scenario);
        scenario.events().forEach(player::play);
        for (Snapshot record : player.records().values()) {
          if (record.view().exists() && types.contains(record.key().type())) {
            destroysNothing(node, record);
            tried.add(record.key().type());
          }
        }
        for (String type : node.policyTypes("main")) {
          // Records whose ids are worked out from what they hold are not found by their labels.
          for (RecordKey key : node.records("main", type, Optional.empty(), 1)) {
            if (tried.add(type)) {
              destroysNothing(node, node.read(key));
            }
          }
        }
      }
    }
    assertThat(tried).as("every policy of every pack has a case").containsAll(types);
  }

  private static List<String> types() throws Exception {
    List<String> types = new ArrayList<>();
    try (var files = Files.walk(PACKS, 2)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).toList()) {
        if (!file.getParent().equals(PACKS)) {
          Files.readAllLines(file).stream()
              .filter(line -> line.startsWith("type: "))
              .forEach(line -> types.add(line.substring("type: ".length()).strip()));
        }
      }
    }
    assertThat(types).hasSizeGreaterThan(12);
    return types;
  }

  private static void destroysNothing(Node node, Snapshot record) {
    JsonObject data = (JsonObject) record.view().data();
    List<Edit> blind = new ArrayList<>();
    blind.add(new Edit.Put(JsonObject.of("old", Json.of("copy"))));
    blind.add(new Edit.Delete());
    for (String name : data.members().keys()) {
      blind.add(new Edit.Put(data.with(name, Json.of("other"))));
      blind.add(new Edit.MergePatch(JsonObject.of(name, Json.of(List.of("other")))));
      blind.add(new Edit.JsonPatch(List.of(Json.of(Map.of("op", "remove", "path", "/" + name)))));
    }
    for (Edit edit : blind) {
      for (Seen seen : List.of(new Seen.Everything(), new Seen.Existing())) {
        Outcome outcome = node.write(WriteRequest.of(record.key(), edit, seen, "naive")).join();
        assertThat(outcome).as("%s of %s", edit, record.key()).isInstanceOf(Rejected.class);
        assertThat(((Rejected) outcome).code())
            .as("%s", outcome)
            .isIn(Code.PRECONDITION_REQUIRED, Code.INVALID, Code.CONFLICT);
      }
    }
    assertThat(node.read(record.key()).state()).isEqualTo(record.state());
    operationsAreTaken(node, record.key());
  }

  /** What names its own addition needs no context. */
  private static void operationsAreTaken(Node node, RecordKey key) {
    Policy policy = node.policy("main", key.type());
    policy
        .fields()
        .forEach((path, rule) -> {
          if (rule.cell().isCounter() || rule.cell().isSet()) {
            assertThat(
                    node.write(WriteRequest.of(key, add(path, rule), new Seen.Everything(), "n"))
                        .join())
                .as("%s of %s", path, key)
                .isInstanceOf(Accepted.class);
          }
        });
  }

  private static Edit add(dev.entente.core.json.Path path, FieldRule rule) {
    return new Edit.Operations(
        List.of(
            rule.cell().isCounter()
                ? new Edit.Operation.Increment(path, 1)
                : new Edit.Operation.EditSet(path, List.of(Json.of("new")), List.of())));
  }
}
