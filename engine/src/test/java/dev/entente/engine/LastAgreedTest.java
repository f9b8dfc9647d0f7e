// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
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
    assertThat(data()).as("two equal changes are two changes").isEqualTo(v(16));
    both(v(21), v(23));
    assertThat(data()).isEqualTo(v(28));
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

  private static final String SUMS =
      """
      default: last-writer-wins
      fields: {used: sum-of-changes, tags: {cell: set}, n: {cell: counter}}
      invariants: [{name: fits, check: 'data.used <= 8', severity: high}]
      """;
  private static final String SIMPLE =
      "default: last-writer-wins\nmanual-threshold: 0.05\nfields: {tags: {cell: set}, n: {cell:"
          + " counter}}\n";

  private Json base(int used, String a, String b, String note) {
    return Json.of(
        Map.of("used", used, "a", a, "b", b, "note", note, "tags", List.of("t"), "n", 1));
  }

  /** A conflict of the whole record: a broken invariant, or more changes than may merge unseen. */
  private void recordConflict(String policy) throws PolicyException {
    policy(policy);
    conflict(
        policy.equals(SUMS) ? "sums" : "simple",
        base(4, "", "", "x"),
        base(8, "left", "", "x"),
        base(7, "", "right", "x"));
    assertThat(pending()).extracting(r -> r.conflict().label()).containsExactly("record");
    assertThat(data()).isEqualTo(base(4, "", "", "x"));
  }

  @Test
  void editOfOneFieldDoesNotEndAConflictOfTheRecord() throws PolicyException {
    for (String policy : List.of(SUMS, SIMPLE)) {
      recordConflict(policy);
      RecordState before = node.read(key).state();
      List<Edit> edits =
          List.of(
              new Edit.MergePatch(Json.of(Map.of("note", "y"))),
              new Edit.JsonPatch(
                  List.of(Json.of(Map.of("op", "replace", "path", "/note", "value", "y")))),
              new Edit.Operations(List.of(new Edit.Operation.Increment(Path.of("n"), 1))),
              new Edit.Operations(
                  List.of(
                      new Edit.Operation.EditSet(
                          Path.of("tags"), List.of(Json.of("u")), List.of()))));
      for (Edit edit : edits) {
        for (Seen seen : List.of(now(), new Seen.Everything())) {
          Outcome outcome = node.write(WriteRequest.of(key, edit, seen, "carl")).join();
          assertThat(outcome).as("%s", edit).isInstanceOf(Rejected.class);
          assertThat(((Rejected) outcome).code()).isIn(Code.CONFLICT, Code.PRECONDITION_REQUIRED);
        }
      }
      assertThat(node.read(key).state()).isEqualTo(before);
      assertThat(pending()).hasSize(1);
    }
  }

  @Test
  void whoPutsTheWholeRecordWithItsContextEndsItsConflict() throws PolicyException {
    for (String policy : List.of(SUMS, SIMPLE)) {
      recordConflict(policy);
      Json written = base(5, "left", "right", "y");
      assertThat(put(written, now(), "carl")).isInstanceOf(Accepted.class);
      assertThat(pending()).isEmpty();
      assertThat(data()).as("what its author wrote, and no mixture").isEqualTo(written);
      recordConflict(policy);
      put(base(4, "", "", "z"), now(), "carl");
      assertThat(data()).isEqualTo(base(4, "", "", "z"));
      recordConflict(policy);
      put(JsonAbsent.ABSENT, now(), "carl");
      assertThat(pending()).isEmpty();
      assertThat(data().isAbsent()).isTrue();
    }
  }

  @Test
  void oneSideOfARecordConflictGoesOnWritingByItself() throws PolicyException {
    policy(SIMPLE);
    key = new RecordKey("main", "t", "side");
    put(base(4, "", "", "x"), new Seen.Everything(), "op");
    Seen first = now();
    Accepted left = (Accepted) put(base(8, "left", "", "x"), first, "ann");
    Seen ofLeft = new Seen.Context(left.after().state().context());
    put(base(7, "", "right", "x"), first, "bob");
    Edit edit = new Edit.MergePatch(Json.of(Map.of("note", "ann's")));
    assertThat(node.write(WriteRequest.of(key, edit, ofLeft, "ann")).join())
        .isInstanceOf(Accepted.class);
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
