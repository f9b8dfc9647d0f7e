// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyWriter;
import dev.entente.core.policy.When;
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

  private static final String PROFILE =
      """
      type: t
      default: last-writer-wins
      fields: {views: {cell: counter}, tags: {cell: set}}
      groups:
        life:
          fields: [state]
          strategy: state-machine
          states: {open: [open, closed], closed: []}
      never-automatic: [email]
      """;

  private Rejected refused(Edit edit, Seen seen) {
    return (Rejected) write("r", edit, seen, "eve");
  }

  private static Edit patch(Map<String, ?> members) {
    return new Edit.MergePatch(Json.of(members));
  }

  @Test
  void whoHasNotSeenARecordReplacesNothingThatMatters() throws Exception {
    policy(PROFILE);
    put(
        "r",
        Map.of("email", "a", "views", 3, "tags", List.of("x", "y"), "state", "open", "note", "n"),
        new Seen.Everything(),
        "ann");
    for (Seen blind : List.of(new Seen.Everything(), new Seen.Existing())) {
      for (Map<String, ?> change :
          List.of(
              Map.of("email", "b"),
              Map.of("views", 1),
              Map.of("tags", List.of("x")),
              Map.of("state", "closed"))) {
        Rejected rejected = refused(patch(change), blind);
        assertThat(rejected.code()).as("%s", change).isEqualTo(Code.PRECONDITION_REQUIRED);
        assertThat(rejected.current()).isPresent();
      }
    }
    assertThat(write("r", patch(Map.of("note", "m")), new Seen.Everything(), "eve"))
        .isInstanceOf(Accepted.class);
    assertThat(
            write("r", patch(Map.of("tags", List.of("x", "y", "z"))), new Seen.Everything(), "e"))
        .isInstanceOf(Accepted.class);
    Accepted seen = (Accepted) write("r", patch(Map.of("email", "a")), new Seen.Everything(), "e");
    assertThat(write("r", patch(Map.of("email", "c", "views", 9)), after(seen), "eve"))
        .isInstanceOf(Accepted.class);
  }

  @Test
  void aUnitMaySayHowItIsWritten() throws Exception {
    policy(
        """
        type: t
        default: last-writer-wins
        fields:
          views: {cell: counter, writes: [overwrite, conditional, merge]}
          balance: {strategy: last-writer-wins, writes: [conditional]}
        """);
    Accepted first = put("r", Map.of("views", 3, "balance", 1), new Seen.Everything(), "ann");
    assertThat(write("r", patch(Map.of("views", 1)), new Seen.Everything(), "eve"))
        .isInstanceOf(Accepted.class);
    assertThat(refused(patch(Map.of("balance", 2)), after(first)).message()).contains("balance");
    assertThat(refused(patch(Map.of("balance", 2)), new Seen.Everything()).code())
        .isEqualTo(Code.PRECONDITION_REQUIRED);
    Accepted now = (Accepted) write("r", patch(Map.of("n", 1)), after(first), "ann");
    assertThat(
            write(
                "r",
                patch(Map.of("balance", 2)),
                new Seen.Exactly(now.after().state().context()),
                "eve"))
        .isInstanceOf(Accepted.class);
  }

  @Test
  void aUnitMaySayHowFarClocksMayBeApart() throws Exception {
    policy(
        """
        type: t
        default: last-writer-wins
        fields: {exact: {strategy: last-writer-wins, clock: {tolerance: 1h, uncertain: review}}}
        """);
    both("r", Map.of("exact", 1, "v", 1), Map.of("exact", 2, "v", 2), Map.of("exact", 3, "v", 3));
    assertThat(node.read(key("r")).view().resolutions())
        .filteredOn(Resolution::isPending)
        .extracting(resolution -> resolution.conflict().label())
        .containsExactly("exact");
  }

  private static final String STRICT =
      """
      type: t
      default: last-writer-wins
      invariants:
        - {name: positive, check: 'data.v >= 0', severity: high}
      """;

  @Test
  void aStricterPolicySaysWhatItHitsAndLeavesTheRestWritable() throws Exception {
    policy("type: t\ndefault: last-writer-wins\n");
    put("r", Map.of("v", -1, "note", "a"), new Seen.Everything(), "ann");
    put("none", Map.of("note", "a"), new Seen.Everything(), "ann");
    put("good", Map.of("v", 1, "note", "a"), new Seen.Everything(), "ann");
    PolicyImpact impact = PolicyImpact.of(node, "main", PolicyLoader.load(STRICT).policy());
    assertThat(impact.records()).isEqualTo(3);
    assertThat(impact.hits()).extracting(PolicyImpact.Hit::count).containsExactlyInAnyOrder(1, 1);
    assertThat(impact.hits()).extracting(PolicyImpact.Hit::example).contains("r", "none");
    policy(STRICT);
    assertThat(write("r", patch(Map.of("note", "b")), new Seen.Everything(), "eve"))
        .isInstanceOf(Accepted.class);
    assertThat(refused(patch(Map.of("v", -2)), new Seen.Everything()).code())
        .isEqualTo(Code.INVALID);
    assertThat(write("r", patch(Map.of("v", 2)), new Seen.Everything(), "eve"))
        .isInstanceOf(Accepted.class);
    assertThat(refused(patch(Map.of("v", -2)), new Seen.Everything()).code())
        .isEqualTo(Code.INVALID);
  }

  @Test
  void anInvariantIsOnlyAboutThePathsThatItReads() throws Exception {
    policy("type: t\ndefault: last-writer-wins\n");
    put(
        "r",
        Map.of(
            "a",
            Map.of("n", -1, "note", "x"),
            "b",
            Map.of("n", -1),
            "list",
            List.of(Map.of("q", 0))),
        new Seen.Everything(),
        "ann");
    policy(
        """
        type: t
        default: last-writer-wins
        invariants:
          - {name: a, check: 'data.a.n >= 0', severity: high}
          - {name: b, check: 'data["b"]["n"] >= 0', severity: high}
          - {name: l, check: 'data.list.all(x, x.q > 0)', severity: high}
        """);
    for (Map<String, ?> fine :
        List.of(
            Map.of("a", Map.of("note", "y")),
            Map.of("b", Map.of("m", 1)),
            Map.of("a", Map.of("n", 1)))) {
      assertThat(write("r", patch(fine), new Seen.Everything(), "eve"))
          .as("%s", fine)
          .isInstanceOf(Accepted.class);
    }
    for (Map<String, ?> wrong :
        List.of(
            Map.of("a", Map.of("n", -2)),
            Map.of("b", Map.of("n", -2)),
            Map.of("list", List.of(Map.of("q", 0), Map.of("q", 1))))) {
      assertThat(refused(patch(wrong), new Seen.Everything()).code())
          .as("%s", wrong)
          .isEqualTo(Code.INVALID);
    }
  }

  @Test
  void aStricterPolicyCountsStatesLimitsAndFieldsOfGroups() throws Exception {
    policy("type: t\ndefault: last-writer-wins\n");
    put(
        "one",
        Map.of("state", "odd", "ip", "1.1", "cpu", 3, "host", "h"),
        new Seen.Everything(),
        "x");
    put(
        "two",
        Map.of("state", "open", "ip", "1.1", "cpu", 4, "host", "h"),
        new Seen.Everything(),
        "x");
    put(
        "three",
        Map.of("state", "open", "ip", "1.2", "cpu", 9, "host", "g"),
        new Seen.Everything(),
        "x");
    String strict =
        """
        type: t
        default: last-writer-wins
        groups:
          life: {fields: [state], strategy: state-machine, states: {open: [shut], shut: []}}
        unique:
          - {name: address, field: ip}
        limits:
          - {name: cpus, sum: cpu, by: host, at-most: 8}
          - {name: held, sum: cpu, by: host, at-most: host/capacity}
        """;
    Accepted host =
        (Accepted)
            node.write(
                    WriteRequest.of(
                        new RecordKey("main", "host", "h"),
                        new Edit.Put((JsonObject) Json.of(Map.of("capacity", 5))),
                        new Seen.Everything(),
                        "x"))
                .join();
    assertThat(host.created()).isTrue();
    PolicyImpact impact = PolicyImpact.of(node, "main", PolicyLoader.load(strict).policy());
    assertThat(impact.isComplete()).isTrue();
    assertThat(impact.hits())
        .extracting(hit -> hit.sentence(true))
        .satisfiesExactlyInAnyOrder(
            s ->
                assertThat(s)
                    .contains("does not know the state odd")
                    .endsWith(": 1 record, for example one"),
            s ->
                assertThat(s)
                    .startsWith("state becomes a part of the group")
                    .contains(": 3 records"),
            s -> assertThat(s).startsWith("the limit address is exceeded").contains(": 2 records"),
            s -> assertThat(s).startsWith("the limit cpus is exceeded").endsWith("three"),
            s -> assertThat(s).startsWith("the limit held is exceeded").contains(": 2 records"));
    policy(strict);
    assertThat(PolicyImpact.of(node, "main", node.policy("main", "t")).hits())
        .as("what is left of it afterwards")
        .hasSize(4);
    assertThat(write("one", patch(Map.of("note", "n")), new Seen.Everything(), "x"))
        .isInstanceOf(Accepted.class);
  }

  @Test
  void concurrentEditsOfARecordThatBrokeAnInvariantBeforeAreMerged() throws Exception {
    policy("type: t\ndefault: last-writer-wins\n");
    Accepted base = put("r", Map.of("v", -1, "a", 0, "b", 0), new Seen.Everything(), "ann");
    policy(STRICT);
    put("r", Map.of("v", -1, "a", 1, "b", 0), after(base), "bob");
    put("r", Map.of("v", -1, "a", 0, "b", 1), after(base), "eve");
    assertThat(data("r")).isEqualTo(Json.of(Map.of("v", -1, "a", 1, "b", 1)));
    assertThat(node.read(key("r")).view().hasPending()).isFalse();
  }

  @Test
  void aListThatBecomesASetLosesNothingAtTheFirstWrite() throws Exception {
    for (String cell : List.of("set", "remove-wins-set", "grow-only-set")) {
      policy("type: t\ndefault: last-writer-wins\n");
      put(cell, Map.of("tags", List.of("a", "b")), new Seen.Everything(), "ann");
      put(cell + "2", Map.of("tags", List.of("a", "b")), new Seen.Everything(), "ann");
      String stricter =
          "type: t\ndefault: last-writer-wins\nfields: {tags: {cell: " + cell + "}}\n";
      PolicyImpact impact = PolicyImpact.of(node, "main", PolicyLoader.load(stricter).policy());
      assertThat(impact.hits().toString()).contains("tags").contains(cell);
      policy(stricter);
      write(cell, patch(Map.of("tags", List.of("a", "b", "c"))), new Seen.Everything(), "eve");
      assertThat(data(cell)).isEqualTo(Json.of(Map.of("tags", List.of("a", "b", "c"))));
      write(
          cell + "2",
          new Edit.Operations(
              List.of(
                  new Edit.Operation.EditSet(
                      dev.entente.core.json.Path.of("tags"), List.of(Json.of("c")), List.of()))),
          new Seen.Everything(),
          "eve");
      assertThat(data(cell + "2")).isEqualTo(Json.of(Map.of("tags", List.of("a", "b", "c"))));
    }
  }

  @Test
  void policiesBuiltInCodeArePutInForce() throws Exception {
    Policy built =
        Policy.builder("vm")
            .defaultStrategy("last-writer-wins")
            .rule("r", When.complexityBelow(0.5), "multi-value", 50)
            .onFailure("manual-review")
            .build();
    node.putPolicy("main", built, "admin").join();
    assertThat(node.policy("main", "vm").withVersion("")).isEqualTo(built);
    assertThat(node.policyText("main", "vm")).contains(PolicyWriter.write(built));
  }
}
