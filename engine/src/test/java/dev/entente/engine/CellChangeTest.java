// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A policy that gives a field another cell, or puts it into a group, loses nothing of the field.
 */
class CellChangeTest {
  private static final RecordKey KEY = new RecordKey("main", "t", "r");
  private static final Map<String, Json> VALUES =
      Map.of(
          "number", Json.of(5),
          "array", Json.of(List.of("a", "b")),
          "text", Json.of("one two"));
  private static final Map<String, List<String>> CELLS =
      Map.of(
          "number",
          List.of("register", "counter", "grow-only-counter", "bounded-counter"),
          "array",
          List.of("register", "set", "grow-only-set", "remove-wins-set", "list"),
          "text",
          List.of("register", "text"));

  private final Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("here"));

  @AfterEach
  void close() {
    node.close();
  }

  static Stream<Arguments> changes() {
    List<Arguments> all = new ArrayList<>();
    CELLS.forEach((shape, cells) -> {
      for (String from : cells) {
        for (String to : cells) {
          if (!from.equals(to)) {
            all.add(Arguments.of(shape, from, to));
          }
        }
      }
    });
    return all.stream();
  }

  private void declare(String cell) throws PolicyException {
    node.putPolicy(
            "main",
            "type: t\ndefault: last-writer-wins\n"
                + (cell.equals("group")
                    ? "groups:\n  g: {fields: [v, w], strategy: last-writer-wins}\n"
                    : cell.equals("register") ? "" : "fields: {v: {cell: " + cell + "}}\n"),
            "op")
        .join();
  }

  private void write(Edit edit) {
    Seen seen = new Seen.Context(node.read(KEY).state().context());
    assertThat(node.write(WriteRequest.of(KEY, edit, seen, "ann")).join())
        .isInstanceOf(Accepted.class);
  }

  private JsonObject data() {
    return (JsonObject) node.read(KEY).view().data();
  }

  @ParameterizedTest
  @MethodSource("changes")
  void anotherCellKeepsTheValue(String shape, String from, String to) throws PolicyException {
    Json value = VALUES.get(shape);
    declare(from);
    write(new Edit.Put(JsonObject.of("v", value)));
    declare(to);
    assertThat(data().get("v")).as("before any write").isEqualTo(value);
    write(new Edit.MergePatch(JsonObject.of("note", Json.of("x"))));
    assertThat(data().get("v")).as("after an unrelated write").isEqualTo(value);
    Json more =
        switch (shape) {
          case "number" -> Json.of(7);
          case "array" -> Json.of(List.of("a", "b", "c"));
          default -> Json.of("one two three");
        };
    write(new Edit.MergePatch(JsonObject.of("v", more)));
    assertThat(data().get("v")).as("after a write of the field").isEqualTo(more);
    if (to.contains("counter")) {
      write(new Edit.Operations(List.of(new Operation.Increment(Path.of("v"), 3))));
      assertThat(data().get("v")).isEqualTo(Json.of(10));
    } else if (to.contains("set")) {
      write(
          new Edit.Operations(
              List.of(new Operation.EditSet(Path.of("v"), List.of(Json.of("d")), List.of()))));
      assertThat(data().get("v")).isEqualTo(Json.of(List.of("a", "b", "c", "d")));
    }
  }

  @ParameterizedTest
  @MethodSource("changes")
  void operationOnTheNewCellGoesOnFromTheValue(String shape, String from, String to)
      throws PolicyException {
    declare(from);
    write(new Edit.Put(JsonObject.of("v", VALUES.get(shape))));
    declare(to);
    if (to.contains("counter")) {
      write(new Edit.Operations(List.of(new Operation.Increment(Path.of("v"), 3))));
      assertThat(data().get("v")).isEqualTo(Json.of(8));
    } else if (to.contains("set")) {
      write(
          new Edit.Operations(
              List.of(new Operation.EditSet(Path.of("v"), List.of(Json.of("c")), List.of()))));
      assertThat(data().get("v")).isEqualTo(Json.of(List.of("a", "b", "c")));
    }
  }

  @Test
  void groupKeepsTheFieldsThatItTakesIn() throws PolicyException {
    declare("register");
    write(new Edit.Put((JsonObject) Json.of(Map.of("v", 1, "w", 2))));
    declare("group");
    assertThat(data()).isEqualTo(Json.of(Map.of("v", 1, "w", 2)));
    write(new Edit.MergePatch(Json.of(Map.of("v", 3))));
    assertThat(data()).isEqualTo(Json.of(Map.of("v", 3, "w", 2)));
    PolicyImpact impact =
        PolicyImpact.of(
            node, "main", PolicyLoader.load("type: t\ndefault: last-writer-wins\n").policy());
    assertThat(impact.hits())
        .extracting(hit -> hit.sentence(true))
        .singleElement()
        .asString()
        .startsWith("v leaves the group g")
        .endsWith(": 1 record, for example r");
  }
}
