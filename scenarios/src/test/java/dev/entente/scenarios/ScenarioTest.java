// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.Causality;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Snapshot;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Each reference scenario ends as its expected.yaml says. */
class ScenarioTest {
  @TestFactory
  Stream<DynamicTest> everyScenarioEndsAsExpected() {
    return Scenario.all().stream().map(s -> DynamicTest.dynamicTest(s.name(), () -> play(s)));
  }

  private static void play(Scenario scenario) throws Exception {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT)) {
      Player player = new Player(node, "main", "");
      player.install(scenario);
      scenario.events().forEach(player::play);
      while (node.proceed().join() > 0) {
        // Until the policies have nothing left to do by themselves.
      }
      JsonObject outcomes = (JsonObject) scenario.expected().get("outcomes");
      outcomes
          .members()
          .forEach((label, outcome) ->
              assertThat(player.outcomes().get(label))
                  .as("outcome of %s", label)
                  .isEqualTo(Scenario.text(outcome)));
      for (Json one : ((JsonArray) scenario.expected().get("records")).items()) {
        check(node, scenario, (JsonObject) one);
      }
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
    }
  }

  private static void check(Node node, Scenario scenario, JsonObject expected) {
    Snapshot now =
        node.read(
            new RecordKey(
                "main", Scenario.text(expected.get("type")), Scenario.text(expected.get("id"))));
    assertThat(now.view().data()).as("%s", now.key()).isEqualTo(expected.get("data"));
    List<String> pending =
        now.view().resolutions().stream()
            .filter(Resolution::isPending)
            .map(r -> r.conflict().label())
            .toList();
    assertThat(Json.of(pending)).as("pending of %s", now.key()).isEqualTo(expected.get("pending"));
    if (expected.get("severity") instanceof JsonObject severities) {
      for (Resolution resolution : now.view().resolutions()) {
        Json severity = severities.get(resolution.conflict().label());
        assertThat(Json.of(resolution.conflict().severity().label())).isEqualTo(severity);
      }
    }
    if (scenario.expected().get("uncertain") instanceof JsonArray uncertain) {
      assertThat(
              Json.of(
                  now.view().resolutions().stream()
                      .filter(Resolution::uncertain)
                      .map(r -> r.conflict().label())
                      .toList()))
          .isEqualTo(uncertain);
    }
    now.view()
        .resolutions()
        .forEach(r ->
            assertThat(r.explanation())
                .as("an explanation names its authors")
                .contains(r.conflict().competing().stream().map(a -> a.author()).toList()));
  }

  @TestFactory
  Stream<DynamicTest> theVectorClockTable() {
    return ((JsonArray) Scenario.yaml("/scenarios/vector-clocks.yaml"))
        .items().stream()
            .map(JsonObject.class::cast)
            .map(row ->
                DynamicTest.dynamicTest(
                    row.toString(),
                    () ->
                        assertThat(vector(row.get("left")).compare(vector(row.get("right"))))
                            .isEqualTo(Causality.valueOf(Scenario.text(row.get("is"))))));
  }

  private static VersionVector vector(Json json) {
    Map<NodeId, Long> entries = new TreeMap<>();
    ((JsonObject) json)
        .members()
        .forEach(
            (node, number) -> entries.put(new NodeId(node), ((JsonNumber) number).longValue()));
    return VersionVector.of(entries);
  }
}
