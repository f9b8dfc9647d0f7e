// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A record that is only ever added to ends at a bound, not with the node's memory. */
class RecordSizeTest {
  private static final RecordKey PILE = new RecordKey("main", "pile", "p");

  private static Json brick(int number) {
    return Json.of(number + "x".repeat(1 << 20));
  }

  private static Outcome change(Node node, List<Json> add, List<Json> remove) {
    Edit edit = new Edit.Operations(List.of(new Operation.EditSet(Path.of("bricks"), add, remove)));
    return node.write(WriteRequest.of(PILE, edit, new Seen.Everything(), "mason")).join();
  }

  @Test
  void whatWouldMakeARecordTooLargeIsRefusedAndTheRecordStaysOfUse() throws PolicyException {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n"))) {
      node.putPolicy("main", "type: pile\nfields: {bricks: {cell: set}}", "op").join();
      int bricks = 0;
      Outcome outcome = change(node, List.of(brick(0)), List.of());
      while (outcome instanceof Accepted && bricks < 40) {
        outcome = change(node, List.of(brick(++bricks)), List.of());
      }
      assertThat(outcome)
          .isInstanceOfSatisfying(
              Rejected.class,
              refused -> {
                assertThat(refused.code()).isEqualTo(Code.TOO_LARGE);
                assertThat(refused.message()).contains("spread it over several records");
              });
      assertThat(node.audit(entry -> entry.action().equals("rejected"), Long.MAX_VALUE, 1))
          .as("nothing is lost without a trace")
          .hasSize(1);
      assertThat(change(node, List.of(), List.of(brick(0), brick(1))))
          .as("made smaller")
          .isInstanceOf(Accepted.class);
      assertThat(change(node, List.of(brick(99)), List.of()))
          .as("and room for another")
          .isInstanceOf(Accepted.class);
    }
  }
}
