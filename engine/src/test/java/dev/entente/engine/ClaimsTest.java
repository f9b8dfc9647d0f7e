// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Table;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two live records never come to hold one unique value; who holds it is named. */
class ClaimsTest {
  private static final String POLICY = "type: hold\nunique: [cabin]\ndefault: manual-review";
  private final MemoryStore store = new MemoryStore();
  private Node node = Node.open(store, NodeConfig.DEFAULT.withName("n"));

  @AfterEach
  void close() {
    node.close();
  }

  private List<PolicyProblem> policy(String text) throws PolicyException {
    return node.putPolicy("main", text, "op").join();
  }

  private static RecordKey hold(String id) {
    return new RecordKey("main", "hold", id);
  }

  private Outcome put(String id, Map<String, ?> document) {
    return put(id, document, new Seen.Everything());
  }

  private Outcome put(String id, Map<String, ?> document, Seen seen) {
    Edit edit = new Edit.Put((JsonObject) Json.of(document));
    return node.write(WriteRequest.of(hold(id), edit, seen, "w")).join();
  }

  private Outcome delete(String id) {
    return node.write(WriteRequest.of(hold(id), new Edit.Delete(), new Seen.Everything(), "w"))
        .join();
  }

  private static void refused(Outcome outcome, String holder) {
    assertThat(outcome).isInstanceOf(Rejected.class);
    Rejected rejected = (Rejected) outcome;
    assertThat(rejected.code()).isEqualTo(Code.CONFLICT);
    assertThat(rejected.message()).contains(holder);
  }

  @Test
  void theSecondToClaimAValueIsToldWhoHoldsItAndItsPayloadIsKept() throws PolicyException {
    policy(POLICY);
    assertThat(put("a", Map.of("cabin", 12))).isInstanceOf(Accepted.class);
    refused(put("b", Map.of("cabin", 12, "guest", "eve")), "hold/a");
    assertThat(node.read(hold("b")).view().exists()).isFalse();
    assertThat(node.audit("main", Long.MAX_VALUE, 1).getFirst().detail().toString())
        .contains("eve");
  }

  @Test
  void aClaimEndsWithItsRecordOrItsValue() throws PolicyException {
    policy(POLICY);
    put("a", Map.of("cabin", 12));
    put("a", Map.of("cabin", 13));
    assertThat(put("b", Map.of("cabin", 12))).isInstanceOf(Accepted.class);
    refused(put("c", Map.of("cabin", 13)), "hold/a");
    delete("a");
    assertThat(put("c", Map.of("cabin", 13))).isInstanceOf(Accepted.class);
  }

  @Test
  void nothingAndNullClaimNothing() throws PolicyException {
    policy(POLICY);
    Map<String, Object> nothing = new HashMap<>();
    nothing.put("cabin", null);
    assertThat(put("a", nothing)).isInstanceOf(Accepted.class);
    assertThat(put("b", nothing)).isInstanceOf(Accepted.class);
    assertThat(put("c", Map.of())).isInstanceOf(Accepted.class);
    assertThat(put("d", Map.of())).isInstanceOf(Accepted.class);
  }

  @Test
  void ofOneBatchTheFirstClaims() throws PolicyException {
    policy(POLICY);
    Edit edit = new Edit.Put((JsonObject) Json.of(Map.of("cabin", 1)));
    List<Outcome> outcomes =
        node.writeAll(
                List.of(
                    WriteRequest.of(hold("a"), edit, new Seen.Nothing(), "w"),
                    WriteRequest.of(hold("b"), edit, new Seen.Nothing(), "w")))
            .join();
    assertThat(outcomes.getFirst()).isInstanceOf(Accepted.class);
    refused(outcomes.getLast(), "hold/a");
  }

  @Test
  void aMergeMayNotTakeWhatAnotherHolds() throws PolicyException {
    policy("type: hold\nunique: [cabin]\ndefault: highest-value");
    put("a", Map.of("cabin", 12));
    Accepted base = (Accepted) put("b", Map.of("cabin", 1));
    put("b", Map.of("cabin", 5), new Seen.Context(base.after().state().context()));
    refused(
        put("b", Map.of("cabin", 12), new Seen.Context(base.after().state().context())), "hold/a");
    assertThat(node.read(hold("b")).view().data()).isEqualTo(Json.of(Map.of("cabin", 5)));
  }

  @Test
  void aDecisionMayNotTakeWhatAnotherHolds() throws PolicyException {
    policy(POLICY);
    Accepted base = (Accepted) put("b", Map.of("cabin", 1));
    Seen seen = new Seen.Context(base.after().state().context());
    put("b", Map.of("cabin", 2), seen);
    Accepted pending = (Accepted) put("b", Map.of("cabin", 3), seen);
    String review = pending.conflictId().orElseThrow();
    assertThat(pending.resolutions()).anyMatch(Resolution::isPending);
    put("a", Map.of("cabin", 3));
    Decision.Result result = node.decide("main", review, new Decision.Choose(1), "eve", "").join();
    assertThat(result).isInstanceOf(Decision.Result.Refused.class);
    assertThat(node.decide("main", review, new Decision.Choose(0), "eve", "").join())
        .isInstanceOf(Decision.Result.Decided.class);
    refused(put("c", Map.of("cabin", 2)), "hold/b");
  }

  @Test
  void aPolicyThatComesLaterCountsWhatIsThereAndNamesWhatIsShared() throws PolicyException {
    put("a", Map.of("cabin", 7));
    put("b", Map.of("cabin", 7));
    put("c", Map.of("cabin", 8));
    assertThat(policy(POLICY)).hasSize(1).first().asString().contains("hold/b").contains("hold/a");
    refused(put("d", Map.of("cabin", 7)), "hold/a, hold/b");
    refused(put("d", Map.of("cabin", 8)), "hold/c");
    delete("a");
    refused(put("d", Map.of("cabin", 7)), "hold/b");
    delete("b");
    assertThat(put("d", Map.of("cabin", 7))).isInstanceOf(Accepted.class);
  }

  @Test
  void aStopBeforeTheClaimsAreWorkedOutLosesNone() throws PolicyException {
    policy(POLICY);
    put("a", Map.of("cabin", 7));
    node.close();
    Batch asIfStoppedBefore = new Batch();
    store.scan(
        Table.CLAIMS,
        new byte[0],
        null,
        false,
        (key, _) -> {
          asIfStoppedBefore.delete(Table.CLAIMS, key);
          return true;
        });
    asIfStoppedBefore.put(Table.META, Keys.of("claims-due", "main", "hold"), new byte[0]);
    store.commit(asIfStoppedBefore);
    node = Node.open(store, NodeConfig.DEFAULT.withName("n"));
    refused(put("b", Map.of("cabin", 7)), "hold/a");
    node.close();
    node = Node.open(store, NodeConfig.DEFAULT.withName("n"));
    refused(put("b", Map.of("cabin", 7)), "hold/a");
  }

  @Test
  void whatIsHeldIsWhatAScanOfTheRecordsShows() throws PolicyException {
    policy(POLICY);
    Random random = new Random(20261122);
    Map<String, Integer> model = new HashMap<>();
    for (int i = 0; i < 3_000; i++) {
      String id = "r" + random.nextInt(12);
      if (random.nextInt(5) == 0) {
        delete(id);
        model.remove(id);
      } else {
        int cabin = random.nextInt(10);
        boolean free =
            model.entrySet().stream()
                .noneMatch(e -> e.getValue() == cabin && !e.getKey().equals(id));
        Outcome outcome = put(id, Map.of("cabin", cabin, "n", i));
        assertThat(outcome instanceof Accepted).as("step %d", i).isEqualTo(free);
        if (free) {
          model.put(id, cabin);
        }
      }
    }
    Set<Json> seen = new HashSet<>();
    for (String id : model.keySet()) {
      Json cabin = ((JsonObject) node.read(hold(id)).view().data()).get("cabin");
      assertThat(seen.add(cabin)).as(id).isTrue();
    }
  }
}
