// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A draft is judged, and advice given, by what was recorded; nothing is put in force by it. */
class JudgementTest {
  private final Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n"));

  @AfterEach
  void close() {
    node.close();
  }

  private static RecordKey cart(String id) {
    return new RecordKey("main", "cart", id);
  }

  private Accepted put(String id, Map<String, ?> document, Seen seen) {
    Edit edit = new Edit.Put((JsonObject) Json.of(document));
    return (Accepted) node.write(WriteRequest.of(cart(id), edit, seen, "w")).join();
  }

  /** Two write from the same reading. */
  private Accepted clash(String id, String field, Object base, Object left, Object right) {
    VersionVector seen =
        put(id, Map.of(field, base), new Seen.Everything()).after().state().context();
    put(id, Map.of(field, left), new Seen.Context(seen));
    return put(id, Map.of(field, right), new Seen.Context(seen));
  }

  private void decide(Accepted pending, Object value) {
    Decision.Result result =
        node.decide(
                "main",
                pending.conflictId().orElseThrow(),
                new Decision.Value(Json.of(value)),
                "ann",
                "because")
            .join();
    assertThat(result).isInstanceOf(Decision.Result.Decided.class);
  }

  private List<RecordedConflict> recorded() {
    return node.recordedConflicts("main", "cart", 100);
  }

  @Test
  void aDraftIsComparedWithWhatHappenedAndWithWhatPeopleDecided() throws PolicyException {
    decide(clash("a", "size", 1, 5, 3), 5);
    decide(clash("b", "size", 1, 2, 8), 2);
    clash("c", "name", "x", "y", "z");
    assertThat(recorded()).hasSize(3);
    Judgement.Preview preview =
        Judgement.preview(
            recorded(), PolicyLoader.load("type: cart\nfields: {size: highest-value}").policy());
    assertThat(preview.units()).isEqualTo(3);
    assertThat(preview.settledNow()).isZero();
    assertThat(preview.settledThen()).isEqualTo(2);
    assertThat(preview.decided()).isEqualTo(2);
    assertThat(preview.alike()).isEqualTo(1);
    assertThat(preview.changes())
        .extracting(change -> change.conflict().version().key().id() + " " + change.unit())
        .containsExactly("b size", "a size");
    assertThat(node.policyTypes("main")).isEmpty();
  }

  @Test
  void advisesWhatReviewersKeepDeciding() {
    for (int i = 0; i < 4; i++) {
      decide(clash("r" + i, "size", 1, 5 + i, 3), 5 + i);
    }
    assertThat(Judgement.advise(recorded(), node.policy("main", "cart")))
        .singleElement()
        .satisfies(advice -> {
          assertThat(advice.unit()).isEqualTo("size");
          assertThat(advice.proposal()).isEqualTo("highest-value");
          assertThat(advice.why()).contains("4 of 4");
          assertThat(advice.effect()).contains("4 of 4");
        });
  }

  @Test
  void advisesACounterForWhatIsCountedAndNothingFromTooLittle() {
    clash("a", "stock", 100, 98, 99);
    clash("b", "stock", 50, 49, 53);
    assertThat(Judgement.advise(recorded(), node.policy("main", "cart"))).isEmpty();
    clash("c", "stock", 10, 9, 8);
    assertThat(Judgement.advise(recorded(), node.policy("main", "cart")))
        .singleElement()
        .satisfies(advice -> assertThat(advice.proposal()).isEqualTo("{cell: counter}"));
  }

  @Test
  void neverAdvisesToAutomateWhatIsNeverAutomatic() throws PolicyException {
    node.putPolicy("main", "type: cart\nnever-automatic: [size]", "op").join();
    for (int i = 0; i < 4; i++) {
      decide(clash("r" + i, "size", 1, 5 + i, 3), 5 + i);
    }
    assertThat(Judgement.advise(recorded(), node.policy("main", "cart"))).isEmpty();
  }
}
