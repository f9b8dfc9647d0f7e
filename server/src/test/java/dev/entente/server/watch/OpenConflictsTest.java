// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Decision;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Review;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** An alert lasts as long as the conflict that it tells of. */
class OpenConflictsTest {
  private static final String POLICY =
      """
      type: vm
      default: manual-review
      fields:
        power: {strategy: priority, of: values, order: [running, stopped]}
        host: {strategy: manual-review, severity: critical, alert: split-brain-machine}
      groups:
        place: {fields: [rack, row], severity: medium, alert: two-places}
      invariants:
        - {name: small, check: '!has(data.a) || !has(data.b) || data.a + data.b < 10', severity: high}
      """;

  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final MemoryStore store = new MemoryStore();

  private Node open() {
    return Node.open(store, NodeConfig.DEFAULT.withName("n").withClock(now::get));
  }

  private NodeSensors sensors(Node node) {
    return new NodeSensors(node, new Tally(now::get), Thresholds.DEFAULT, Optional.empty());
  }

  private static void write(Node node, String id, VersionVector seen, Map<String, Object> data) {
    Edit edit = new Edit.Put((JsonObject) Json.of(data));
    RecordKey key = new RecordKey("main", "vm", id);
    node.write(WriteRequest.of(key, edit, new Seen.Context(seen), "plane")).join();
  }

  private static void both(Node node, String id, Map<String, Object> one, Map<String, Object> two) {
    VersionVector before = node.read(new RecordKey("main", "vm", id)).state().context();
    write(node, id, before, one);
    write(node, id, before, two);
  }

  private static List<String> rules(NodeSensors sensors) {
    return sensors.look().stream().map(Finding::rule).sorted().toList();
  }

  private static void decideAll(Node node) {
    for (Review review : node.reviews("main", Review.Status.PENDING, Optional.empty(), 10)) {
      node.decide("main", review.id(), new Decision.Value(Json.of("h1")), "ann", "looked").join();
    }
  }

  @Test
  void aCriticalConflictAlarmsUntilItIsDecidedAlsoOverARestart() throws Exception {
    try (Node node = open()) {
      node.putPolicy("main", POLICY, "ann").join();
      both(
          node,
          "m1",
          Map.of("power", "running", "host", "h1"),
          Map.of("power", "running", "host", "h2"));
      assertThat(rules(sensors(node))).containsExactly("critical-conflict", "split-brain-machine");
    }
    now.addAndGet(7L * 24 * 3_600_000);
    try (Node node = open()) {
      NodeSensors sensors = sensors(node);
      assertThat(sensors.look())
          .extracting(Finding::rule, Finding::critical, Finding::tenant, Finding::subject)
          .containsExactlyInAnyOrder(
              tuple("critical-conflict", true, "main", ""),
              tuple("split-brain-machine", true, "main", "vm"));
      decideAll(node);
      assertThat(rules(sensors)).isEmpty();
    }
  }

  @Test
  void alertsOfGroupsAndInvariantsLastAsLong() throws Exception {
    try (Node node = open()) {
      node.putPolicy("main", POLICY, "ann").join();
      write(node, "m1", VersionVector.EMPTY, Map.of("rack", 0, "row", 0, "a", 1, "b", 1));
      both(
          node,
          "m1",
          Map.of("rack", 1, "row", 0, "a", 1, "b", 1),
          Map.of("rack", 2, "row", 1, "a", 1, "b", 1));
      write(node, "m2", VersionVector.EMPTY, Map.of("a", 1, "b", 1));
      both(node, "m2", Map.of("a", 8, "b", 1), Map.of("a", 1, "b", 8));
      now.addAndGet(3_600_000);
      NodeSensors sensors = sensors(node);
      assertThat(rules(sensors)).containsExactly("invariant-violation", "two-places");
      assertThat(sensors.look())
          .noneMatch(finding -> finding.rule().equals("two-places") && finding.critical());
    }
  }
}
