// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every form of a write removes cells of every kind, or is refused; its answer tells the truth. */
class RemovedCellsTest {
  private static final RecordKey KEY = new RecordKey("main", "t", "r");
  private static final Json FULL =
      Json.of(Map.of("n", 5, "b", 2, "s", List.of("a"), "l", List.of("x"), "t", "text", "k", 1));
  private static final Json LEFT = Json.of(Map.of("k", 1));
  private static final List<String> CELLS = List.of("n", "b", "s", "l", "t");
  private final Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("here"));

  @BeforeEach
  void declare() throws PolicyException {
    node.putPolicy(
            "main",
            """
            type: t
            default: last-writer-wins
            fields:
              n: {cell: counter}
              b: {cell: bounded-counter}
              s: {cell: set}
              l: {cell: list}
              t: {cell: text}
              visits: {cell: grow-only-counter}
              seen: {cell: grow-only-set}
            """,
            "op")
        .join();
    put(FULL);
  }

  @AfterEach
  void close() {
    node.close();
  }

  private Outcome write(Edit edit, Seen seen) {
    return node.write(WriteRequest.of(KEY, edit, seen, "w")).join();
  }

  private Outcome write(Edit edit) {
    return write(edit, read());
  }

  private Seen read() {
    return new Seen.Context(node.read(KEY).state().context());
  }

  private Outcome put(Json document) {
    return write(new Edit.Put((JsonObject) document));
  }

  private Json data() {
    return node.read(KEY).view().data();
  }

  @Test
  void everyFormOfWriteRemovesEveryKind() {
    Json nulls = Json.of(Map.of());
    List<Json> removals = new ArrayList<>();
    List<Operation> operations = new ArrayList<>();
    for (String cell : CELLS) {
      nulls = ((JsonObject) nulls).with(cell, JsonNull.NULL);
      removals.add(Json.of(Map.of("op", "remove", "path", "/" + cell)));
      operations.add(new Operation.Set(Path.of(cell), JsonAbsent.ABSENT));
    }
    for (Edit edit :
        List.of(
            new Edit.Put((JsonObject) LEFT),
            new Edit.MergePatch(nulls),
            new Edit.JsonPatch(removals),
            new Edit.Operations(operations))) {
      assertThat(write(edit)).isInstanceOf(Accepted.class);
      assertThat(data()).as("%s", edit).isEqualTo(LEFT);
      put(FULL);
      assertThat(data()).isEqualTo(FULL);
    }
    node.write(WriteRequest.rollback(KEY, LEFT, List.of(), "op", "undo")).join();
    assertThat(data()).isEqualTo(LEFT);
    node.write(WriteRequest.rollback(KEY, FULL, List.of(), "op", "redo")).join();
    assertThat(data()).isEqualTo(FULL);
    node.writeTogether(
            List.of(
                WriteRequest.of(KEY, new Edit.MergePatch(nulls), read(), "w"),
                WriteRequest.of(KEY, new Edit.Delete(), new Seen.Everything(), "w"),
                WriteRequest.of(KEY, new Edit.Put((JsonObject) LEFT), new Seen.Everything(), "w")))
        .join();
    assertThat(data()).isEqualTo(LEFT);
  }

  @Test
  void growOnlyCellsAreRefusedAndForgottenWithTheRecord() {
    Json grown = Json.of(Map.of("visits", 3, "seen", List.of("a")));
    put(grown);
    for (String cell : List.of("visits", "seen")) {
      Outcome outcome = write(new Edit.Put(((JsonObject) grown).with(cell, Json.of(List.of()))));
      assertThat(outcome).isInstanceOf(Rejected.class);
      outcome = write(new Edit.Put(((JsonObject) grown).with(cell, JsonAbsent.ABSENT)));
      assertThat(((Rejected) outcome).code()).isEqualTo(Code.INVALID);
      assertThat(((Rejected) outcome).message()).contains(cell).contains("grow-only");
    }
    write(new Edit.Delete());
    put(Json.of(Map.of("visits", 1, "seen", List.of("b"))));
    assertThat(data()).isEqualTo(Json.of(Map.of("visits", 1, "seen", List.of("b"))));
  }

  @Test
  void writeThatChangesNothingOfAnOldReadingIsNotAppliedToTheNewRecord() {
    Seen then = read();
    put(LEFT);
    Accepted again = (Accepted) write(new Edit.Put((JsonObject) FULL), then);
    assertThat(again.kind()).isEqualTo(Outcome.Kind.MERGED);
    assertThat(again.note()).contains("changed since");
    assertThat(data()).isEqualTo(LEFT);
    Accepted same = (Accepted) put(LEFT);
    assertThat(same.kind()).isEqualTo(Outcome.Kind.APPLIED);
  }

  @Test
  void lateRemovalLeavesWhatItsAuthorHadNotSeen() {
    Seen then = read();
    put(
        Json.of(
            Map.of(
                "n",
                7,
                "b",
                3,
                "s",
                List.of("a", "b"),
                "l",
                List.of("x", "y"),
                "t",
                "text!",
                "k",
                1)));
    write(new Edit.Put((JsonObject) LEFT), then);
    assertThat(data())
        .isEqualTo(
            Json.of(
                Map.of("n", 2, "b", 1, "s", List.of("b"), "l", List.of("y"), "t", "!", "k", 1)));
  }
}
