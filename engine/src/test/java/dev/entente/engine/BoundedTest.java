// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A bounded counter never falls below zero, and says who has rights where this node has none. */
class BoundedTest {
  private static final RecordKey CONCERT = new RecordKey("main", "concert", "c");
  private static final Path TICKETS = Path.of("tickets");
  private final MemoryStore store = new MemoryStore();
  private final Node node = Node.open(store, NodeConfig.DEFAULT.withName("here"));

  @BeforeEach
  void twoTickets() throws PolicyException {
    node.putPolicy("main", "type: concert\nfields: {tickets: {cell: bounded-counter}}", "op")
        .join();
    write(new Edit.Put((JsonObject) Json.of(Map.of("tickets", 2))));
  }

  @AfterEach
  void close() {
    node.close();
  }

  private Outcome write(Edit edit) {
    return node.write(WriteRequest.of(CONCERT, edit, new Seen.Everything(), "w")).join();
  }

  private Outcome sell(int tickets) {
    return write(new Edit.Operations(List.of(new Edit.Operation.Increment(TICKETS, -tickets))));
  }

  private Outcome give(String to, int tickets) {
    return write(
        new Edit.Operations(List.of(new Edit.Operation.Give(TICKETS, new NodeId(to), tickets))));
  }

  private static String refused(Outcome outcome) {
    assertThat(outcome).isInstanceOf(Rejected.class);
    assertThat(((Rejected) outcome).code()).isEqualTo(Code.CONFLICT);
    return ((Rejected) outcome).message();
  }

  private Json left() {
    return TICKETS.in(node.read(CONCERT).view().data());
  }

  @Test
  void whatIsNotThereIsNotSold() {
    assertThat(sell(2)).isInstanceOf(Accepted.class);
    assertThat(refused(sell(1))).contains("no rights to more anywhere");
    assertThat(refused(write(new Edit.Put((JsonObject) Json.of(Map.of("tickets", -1))))))
        .contains("may take 0");
    assertThat(left()).isEqualTo(Json.of(0));
  }

  @Test
  void whoGaveRightsAwaySaysWhoHasThem() {
    assertThat(give("there", 2)).isInstanceOf(Accepted.class);
    assertThat(left()).isEqualTo(Json.of(2));
    assertThat(refused(sell(1))).contains("2 at there").contains("given to this node (here.1)");
    assertThat(refused(give("there", 1))).contains("may take 0");
    assertThat(Counters.rights(node.read(CONCERT).state(), node.policy("main", "concert")))
        .isEqualTo(Json.of(Map.of("tickets", Map.of("here.1", 0, "there", 2))));
  }

  @Test
  void aSaleThatHadNotSeenAnotherIsHeldToTheRightsThatAreLeft() {
    var seen = new Seen.Context(node.read(CONCERT).state().context());
    assertThat(sell(2)).isInstanceOf(Accepted.class);
    Edit sale = new Edit.Operations(List.of(new Edit.Operation.Increment(TICKETS, -1)));
    refused(node.write(WriteRequest.of(CONCERT, sale, seen, "late")).join());
  }
}
