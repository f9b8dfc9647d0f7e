// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What was last agreed is what everybody had read, wherever it is shown or built upon. */
class LastAgreedTest {
  private final Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("here"));
  private RecordKey key = new RecordKey("main", "t", "r");

  @AfterEach
  void close() {
    node.close();
  }

  private void policy(String text) throws PolicyException {
    node.putPolicy("main", "type: t\n" + text, "op").join();
  }

  private Seen now() {
    return new Seen.Context(node.read(key).state().context());
  }

  private Outcome put(Json document, Seen seen, String author) {
    Edit edit = document instanceof JsonObject object ? new Edit.Put(object) : new Edit.Delete();
    return node.write(WriteRequest.of(key, edit, seen, author)).join();
  }

  private void both(Json left, Json right) {
    Seen seen = now();
    assertThat(put(left, seen, "ann")).isInstanceOf(Accepted.class);
    assertThat(put(right, seen, "bob")).isInstanceOf(Accepted.class);
  }

  private void conflict(String id, Json base, Json left, Json right) {
    key = new RecordKey("main", "t", id);
    assertThat(put(base, new Seen.Everything(), "op")).isInstanceOf(Accepted.class);
    both(left, right);
  }

  private Json data() {
    return node.read(key).view().data();
  }

  private List<Resolution> pending() {
    return node.read(key).view().resolutions().stream().filter(Resolution::isPending).toList();
  }

  private static Json v(Object value) {
    return value instanceof Json json
        ? JsonObject.EMPTY.with("v", json)
        : Json.of(Map.of("v", value));
  }

  @Test
  void sumsGoOnFromTheSumThatWasRead() throws PolicyException {
    policy("default: last-writer-wins\nfields: {v: sum-of-changes}\n");
    conflict("sum", v(1), v(2), v(11));
    assertThat(data()).isEqualTo(v(12));
    both(v(19), v(17));
    assertThat(data()).isEqualTo(v(24));
    both(v(20), v(20));
    assertThat(data()).as("two equal values are no conflict").isEqualTo(v(20));
    both(v(21), v(23));
    assertThat(data()).isEqualTo(v(24));
  }

  @Test
  void sumsOfBranchesThatHadReadDifferentSumsCountEachChangeOnce() throws PolicyException {
    policy("default: last-writer-wins\nfields: {v: sum-of-changes}\n");
    key = new RecordKey("main", "t", "three");
    put(v(100), new Seen.Everything(), "op");
    Seen base = now();
    put(v(105), base, "ann");
    Seen one = now();
    put(v(120), base, "bob");
    assertThat(data()).isEqualTo(v(125));
    put(v(128), now(), "dora");
    put(v(106), one, "emil"); // had read 105
    assertThat(data()).as("5 + 20 + 3 + 1").isEqualTo(v(129));
  }

  @Test
  void settledFieldFallsBackToWhatItWasSettledAs() throws PolicyException {
    policy("default: last-writer-wins\n");
    conflict("settled", v("o"), v("a"), v("b"));
    assertThat(data()).isEqualTo(v("b"));
    policy("default: manual-review\n");
    // The policy changed; under it the same values compete, and those who read "b" go on from it.
    policy("default: last-writer-wins\n");
    Seen read = now();
    put(v("c"), read, "ann");
    put(v("d"), read, "bob");
    policy("default: manual-review\n");
    assertThat(data()).isEqualTo(v("b"));
    policy("default: {strategy: rollback, to: last-agreed, otherwise: manual-review}\n");
    assertThat(data()).isEqualTo(v("b"));
  }

  @Test
  void lastAgreedOfAnObjectIsItsContent() throws PolicyException {
    Json address = Json.of(Map.of("street", "Main 1", "zip", "1"));
    Json deep = Json.of(Map.of("a", Map.of("b", Map.of("c", List.of(1, 2)))));
    List<List<Object>> cases =
        List.of(
            List.of(v(address), v("x"), v("y")),
            List.of(v(address), Json.of(Map.of()), v("y")),
            List.of(v(address), v(List.of(1)), v("y")),
            List.of(v(5), v(Map.of("x", 1)), v(Map.of("x", 2))),
            List.of(v("s"), v(Map.of("x", 1, "y", 1)), v(Map.of("x", 2))),
            List.of(v(deep), v("x"), Json.of(Map.of())),
            List.of(v(deep), v(Json.of(Map.of("a", "x"))), v(Json.of(Map.of("a", List.of("y"))))),
            List.of(v(address), Json.of(Map.of()), v(Map.of("street", "Main 2", "zip", "1"))),
            List.of(v(Map.of()), Json.of(Map.of()), v(Map.of("zip", "1"))));
    for (String rest :
        List.of(
            "default: manual-review\n",
            """
            default: {strategy: rollback, to: last-agreed, otherwise: manual-review}
            deletes: manual-review
            """)) {
      policy(rest);
      int n = 0;
      for (List<Object> one : cases) {
        String id = (rest.contains("rollback") ? "b" : "a") + n++;
        conflict(id, (Json) one.get(0), (Json) one.get(1), (Json) one.get(2));
        assertThat(data()).as("%s %s", id, one).isEqualTo(one.get(0));
        for (Resolution resolution : pending()) {
          assertThat(resolution.conflict().lastAgreed()).isPresent();
        }
      }
    }
  }

  @Test
  void lastAgreedOfADeletedRecordIsWhatBothHadRead() throws PolicyException {
    policy("default: manual-review\n");
    Json base = Json.of(Map.of("a", 1, "o", Map.of("x", 1)));
    key = new RecordKey("main", "t", "gone");
    put(base, new Seen.Everything(), "op");
    Seen first = now();
    Json later = Json.of(Map.of("a", 2, "o", Map.of("x", 2)));
    put(later, first, "ann");
    put(JsonAbsent.ABSENT, now(), "bob");
    put(Json.of(Map.of("a", 1, "o", Map.of("x", 1, "y", 3))), first, "carl");
    assertThat(pending()).hasSize(1);
    assertThat(data()).as("carl had not read what ann wrote").isEqualTo(base);
  }

  @Test
  void writeThatLeavesAPendingUnitAloneDoesNotSettleIt() throws PolicyException {
    policy("default: manual-review\n");
    conflict("alone", Json.of(Map.of("v", 1)), Json.of(Map.of("v", 2)), Json.of(Map.of("v", 3)));
    Json read = data();
    assertThat(put(((JsonObject) read).with("k", Json.of(9)), now(), "carl"))
        .isInstanceOf(Accepted.class);
    assertThat(pending()).hasSize(1);
    assertThat(data()).isEqualTo(Json.of(Map.of("v", 1, "k", 9)));
    // Who says that they know replaces what competes.
    put(Json.of(Map.of("v", 4, "k", 9)), now(), "carl");
    assertThat(pending()).isEmpty();
    assertThat(data()).isEqualTo(Json.of(Map.of("v", 4, "k", 9)));
  }

  @Test
  void writeWithoutContextDoesNotSettleAPendingUnit() throws PolicyException {
    policy("default: manual-review\n");
    conflict("blind", v(1), v(2), v(3));
    Outcome blind = put(v(4), new Seen.Everything(), "site");
    assertThat(((Rejected) blind).code()).isEqualTo(Code.PRECONDITION_REQUIRED);
    assertThat(((Rejected) blind).current()).isPresent();
    blind =
        node.write(WriteRequest.of(key, new Edit.MergePatch(v(4)), new Seen.Existing(), "site"))
            .join();
    assertThat(((Rejected) blind).code()).isEqualTo(Code.PRECONDITION_REQUIRED);
    assertThat(pending()).hasSize(1);
    assertThat(put(Json.of(Map.of("v", 1, "k", 2)), new Seen.Everything(), "site"))
        .isInstanceOf(Accepted.class);
    assertThat(pending()).hasSize(1);
    assertThat(put(v(5), new Seen.Nothing(), "device")).isInstanceOf(Accepted.class);
    assertThat(pending().getFirst().conflict().competing()).hasSize(3);
  }

  @Test
  void editOfADeletedRecordUnderReviewDoesNotBringItBack() throws PolicyException {
    policy("default: manual-review\n");
    conflict("review", Json.of(Map.of("a", 1)), JsonAbsent.ABSENT, Json.of(Map.of("a", 2)));
    assertThat(pending()).hasSize(1);
    for (Seen seen : List.of(now(), new Seen.Everything())) {
      Outcome outcome = put(Json.of(Map.of("a", 1, "b", 3)), seen, "carl");
      assertThat(((Rejected) outcome).message()).contains("decide");
    }
    assertThat(pending()).hasSize(1);
  }

  @Test
  void invariantsAreCheckedOnWhatSomebodyMeant() throws PolicyException {
    policy(
        """
        default: last-writer-wins
        fields: {host: {strategy: manual-review, severity: critical}}
        invariants:
          - {name: hosted, check: 'data.state != "on" || has(data.host)', severity: critical}
        """);
    conflict(
        "host",
        Json.of(Map.of("state", "off")),
        Json.of(Map.of("state", "on", "host", "h1")),
        Json.of(Map.of("state", "on", "host", "h2")));
    assertThat(data()).isEqualTo(Json.of(Map.of("state", "on")));
    assertThat(pending()).extracting(r -> r.conflict().label()).containsExactly("host");
    assertThat(put(Json.of(Map.of("state", "on", "k", 1)), now(), "carl"))
        .as("an edit of something else")
        .isInstanceOf(Accepted.class);
    assertThat(pending()).hasSize(1);
  }

  @Test
  void criticalConflictOfAGroupRollsTheGroupBackTogether() throws PolicyException {
    policy(
        """
        default: last-writer-wins
        groups: {placement: {fields: [state, host], severity: critical}}
        """);
    conflict(
        "group",
        Json.of(Map.of("state", "off", "host", "h0", "k", 1)),
        Json.of(Map.of("state", "on", "host", "h1", "k", 2)),
        Json.of(Map.of("state", "on", "host", "h2", "k", 1)));
    assertThat(data()).isEqualTo(Json.of(Map.of("state", "off", "host", "h0", "k", 2)));
    assertThat(new ArrayList<>(pending())).hasSize(1);
  }
}
