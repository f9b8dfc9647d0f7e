// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Kind;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a policy accepts has effect, on fields, whole records and limits alike. */
class PolicyEffectTest {
  private static final String LIMITED =
      """
      type: t
      default: last-writer-wins
      fields: {used: sum-of-changes}
      invariants:
        - {name: fits, check: 'data.used <= 8', severity: high}
      """;

  private final MemoryStore store = new MemoryStore();
  private long now = 1_800_000_000_000L;
  private final Node node =
      Node.open(store, NodeConfig.DEFAULT.withName("solo").withClock(() -> now));

  @AfterEach
  void close() {
    node.close();
  }

  private List<PolicyProblem> policy(String text) throws Exception {
    return node.putPolicy("main", text, "admin").join();
  }

  private Outcome write(String id, Edit edit, Seen seen, String author) {
    now += 1_000;
    return node.write(WriteRequest.of(key(id), edit, seen, author)).join();
  }

  private static RecordKey key(String id) {
    return new RecordKey("main", "t", id);
  }

  private Accepted put(String id, Map<String, ?> document, Seen seen, String author) {
    return (Accepted) write(id, new Edit.Put((JsonObject) Json.of(document)), seen, author);
  }

  private static Seen after(Accepted accepted) {
    return new Seen.Context(accepted.after().state().context());
  }

  private Accepted both(String id, Map<String, ?> base, Map<String, ?> left, Map<String, ?> right) {
    Accepted first = put(id, base, new Seen.Nothing(), "ann");
    put(id, left, after(first), "bob");
    return put(id, right, after(first), "eve");
  }

  private Json data(String id) {
    return node.read(key(id)).view().data();
  }

  private Resolution only(String id) {
    return node.read(key(id)).view().resolutions().stream()
        .filter(resolution -> resolution.conflict().recordLevel())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void anEscalationRollsBackARecordThatAMergeBroke() throws Exception {
    policy(
        LIMITED
            + "escalations:\n"
            + "  - {name: back, when: 'conflict.type == \"invariant-violation\"', action:"
            + " rollback}\n");
    Accepted merged = both("r", Map.of("used", 4), Map.of("used", 7), Map.of("used", 8));
    assertThat(merged.kind()).isEqualTo(Kind.MERGED);
    assertThat(data("r")).isEqualTo(Json.of(Map.of("used", 4)));
    assertThat(only("r").isPending()).isFalse();
    assertThat(only("r").explanation()).contains("fits").contains("escalation back");
  }

  @Test
  void whatIsWrittenAfterwardsGoesOnFromWhatWasSettled() throws Exception {
    policy(
        LIMITED
            + "escalations:\n"
            + "  - {name: back, when: 'conflict.type == \"invariant-violation\"', action:"
            + " rollback}\n");
    Accepted merged = both("r", Map.of("used", 4), Map.of("used", 7), Map.of("used", 8));
    Accepted next = put("r", Map.of("used", 4, "note", "x"), after(merged), "ann");
    assertThat(data("r")).isEqualTo(Json.of(Map.of("used", 4, "note", "x")));
    put("r", Map.of("used", 6, "note", "x"), after(next), "ann");
    assertThat(data("r")).isEqualTo(Json.of(Map.of("used", 6, "note", "x")));
    assertThat(node.read(key("r")).view().resolutions()).isEmpty();
  }

  @Test
  void aRuleSettlesARecordThatAMergeBroke() throws Exception {
    policy(
        LIMITED
            + "rules:\n"
            + "  - {name: last, when: 'conflict.type == \"invariant-violation\"', then:"
            + " last-writer-wins}\n");
    Accepted merged = both("r", Map.of("used", 4), Map.of("used", 7), Map.of("used", 8));
    assertThat(merged.kind()).isEqualTo(Kind.MERGED);
    assertThat(data("r")).isEqualTo(Json.of(Map.of("used", 8)));
  }

  @Test
  void aResultThatBreaksAnInvariantIsLeftToAPerson() throws Exception {
    policy(
        LIMITED
            + "rules:\n"
            + "  - {name: both, when: 'conflict.type == \"invariant-violation\"', then: {strategy:"
            + " merge, clashes: highest-value}}\n");
    both("r", Map.of("used", 4, "a", 1), Map.of("used", 7, "a", 1), Map.of("used", 8, "a", 1));
    assertThat(data("r")).isEqualTo(Json.of(Map.of("used", 8, "a", 1)));
    policy(LIMITED + "rules:\n  - {name: both, when: 'true', then: keep-both}\n");
    both("r2", Map.of("used", 4), Map.of("used", 7), Map.of("used", 8));
    assertThat(only("r2").isPending()).isTrue();
    assertThat(only("r2").explanation()).contains("the result would be no record");
    assertThat(data("r2")).isEqualTo(Json.of(Map.of("used", 4)));
  }

  @Test
  void whatIsNeverAutomaticIsNotSettledWithTheRecordEither() throws Exception {
    policy(
        LIMITED
            + "never-automatic: [payment]\n"
            + "escalations:\n"
            + "  - {name: back, when: 'conflict.type == \"invariant-violation\"', action:"
            + " rollback}\n");
    both(
        "r",
        Map.of("used", 4, "payment", 1),
        Map.of("used", 7, "payment", 2),
        Map.of("used", 8, "payment", 1));
    assertThat(only("r").isPending()).isTrue();
    assertThat(only("r").explanation()).contains("payment").contains("never settled automatically");
  }

  @Test
  void aConditionThatFailsLeavesABrokenRecordToAPerson() throws Exception {
    policy(
        LIMITED
            + "escalations:\n"
            + "  - {name: odd, when: 'conflict.type == \"invariant-violation\" &&"
            + " conflict.base.nope == 1', action: rollback}\n");
    both("r", Map.of("used", 4), Map.of("used", 7), Map.of("used", 8));
    assertThat(only("r").isPending()).isTrue();
    assertThat(only("r").explanation()).contains("odd").contains("conflict.base.nope");
  }

  @Test
  void anEscalationAndARuleSettleWhoKeepsAClaim() throws Exception {
    for (String kind : List.of("escalations", "rules")) {
      policy(
          "type: t\ndefault: last-writer-wins\nunique: [seat]\n"
              + kind
              + ":\n  - {name: first, when: 'conflict.type == \"resource-contention\"', "
              + (kind.equals("rules") ? "then" : "action")
              + ": first-writer-wins}\n");
      String a = kind + "-a";
      String b = kind + "-b";
      put(a, Map.of("seat", kind), new Seen.Nothing(), "ann");
      Map<String, ?> other = Map.of("seat", kind + "x");
      put(b, other, new Seen.Nothing(), "bob");
      policy("type: t\ndefault: last-writer-wins\n");
      put(b, Map.of("seat", kind), new Seen.Everything(), "bob");
      policy(
          "type: t\ndefault: last-writer-wins\nunique: [seat]\n"
              + kind
              + ":\n  - {name: first, when: 'conflict.type == \"resource-contention\"', "
              + (kind.equals("rules") ? "then" : "action")
              + ": first-writer-wins}\n");
      while (node.proceed().join() > 0) {
        // Until nothing is due any more.
      }
      assertThat(data(a)).as(kind).isEqualTo(Json.of(Map.of("seat", kind)));
      assertThat(data(b)).as(kind).isEqualTo(JsonObject.EMPTY);
    }
  }

  @Test
  void nodesHaveTheNamesThatPeopleGaveThem() throws Exception {
    policy(
        """
        type: t
        default: {strategy: priority, of: nodes, order: [solo, other], otherwise: manual-review}
        """);
    assertThat(both("r", Map.of("v", 1), Map.of("v", 2), Map.of("v", 3)).kind())
        .isEqualTo(Kind.MERGED);
    policy(
        """
        type: t
        rules:
          - {name: here, when: 'conflict.nodes.all(x, x == "solo")', then: last-writer-wins}
        """);
    assertThat(both("r2", Map.of("v", 1), Map.of("v", 2), Map.of("v", 3)).kind())
        .isEqualTo(Kind.MERGED);
  }

  @Test
  void aRuleDoesNotOutrankAFieldsOwnStrategyUnlessItSaysSo() throws Exception {
    String rule =
        """
        type: t
        fields: {v: highest-value}
        rules:
          - {name: all, when: 'true', then: last-writer-wins\
        """;
    policy(rule + "}\n");
    both("r", Map.of("v", 1, "w", 1), Map.of("v", 3, "w", 3), Map.of("v", 2, "w", 2));
    assertThat(data("r")).isEqualTo(Json.of(Map.of("v", 3, "w", 2)));
    policy(rule + ", overrides-fields: true}\n");
    assertThat(data("r")).isEqualTo(Json.of(Map.of("v", 2, "w", 2)));
  }

  @Test
  void anInvariantThatCannotBeEvaluatedIsNotKept() throws Exception {
    policy(
        """
        type: t
        default: last-writer-wins
        invariants:
          - {name: both, check: '(data.a > 0 && data.b > 0) != true', severity: high}
        """);
    Rejected rejected =
        (Rejected)
            write("r", new Edit.Put((JsonObject) Json.of(Map.of("a", 1))), new Seen.Nothing(), "x");
    assertThat(rejected.code()).isEqualTo(Code.INVALID);
    assertThat(rejected.message()).contains("both").contains("data.b");
  }

  @Test
  void anExpensiveInvariantEndsSoonAndSaysWhichItWas() throws Exception {
    policy(
        """
        type: t
        invariants:
          - {name: heavy, check: 'data.l.all(x, size(data.s+data.s+data.s+data.s) > 0)', severity: high}
        """);
    List<Integer> many = java.util.stream.IntStream.range(0, 4_000).boxed().toList();
    long began = System.nanoTime();
    Rejected rejected =
        (Rejected)
            write(
                "r",
                new Edit.Put((JsonObject) Json.of(Map.of("s", "x".repeat(150_000), "l", many))),
                new Seen.Nothing(),
                "x");
    assertThat(rejected.message()).contains("heavy").contains("units of work");
    assertThat(java.time.Duration.ofNanos(System.nanoTime() - began).toMillis()).isLessThan(1_000);
  }
}
