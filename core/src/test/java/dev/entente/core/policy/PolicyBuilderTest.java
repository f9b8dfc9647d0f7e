// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.StrategySpec.Patience;
import dev.entente.core.vote.Electorate;
import dev.entente.core.vote.Voter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Policies built in code, names that others use, and what holds for all strategies. */
class PolicyBuilderTest {
  private static final Electorate VOTERS =
      Electorate.of(
          List.of(new Voter("ann", 1, Optional.empty()), new Voter("bob", 1, Optional.empty())), 0);

  @ParameterizedTest
  @CsvSource({
    "LWW, last-writer-wins",
    "Last Write Wins, last-writer-wins",
    "StrategyLastWriteWins, last-writer-wins",
    "NEWEST_WINS, last-writer-wins",
    "last_writer_wins, last-writer-wins",
    "HIGHEST_VALUE, highest-value",
    "Maximum Value, highest-value",
    "KEEP_BOTH, keep-both",
    "MANUAL_REVIEW, manual-review",
    "ManualReview, manual-review",
    "Manual Intervention, manual-review",
    "EscalationActionManual, manual-review",
    "EscalationActionRollback, rollback",
    "Automatic Rollback, rollback",
    "StrategyMultiValueRegister, multi-value",
    "Union Merge, union",
    "FIELD_MERGE, merge",
    "StrategyConsensusVote, vote",
  })
  void namesThatOthersUseAreRefusedWithTheRightOne(String written, String strategy) {
    assertThatThrownBy(() -> PolicyLoader.load("type: t\ndefault: " + written + "\n"))
        .isInstanceOf(PolicyException.class)
        .hasMessageContaining("line 2")
        .hasMessageContaining("did you mean " + strategy + "?");
    assertThatThrownBy(() -> Policy.builder("t").defaultStrategy(written).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("did you mean " + strategy + "?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "StrategyOperationalTransform | {cell: text}",
        "semantic_merge | semantic:NAME",
        "PN-Counter | {cell: counter}",
        "OR-Set | {cell: set}",
        "MERGE | append",
        "optimistic locking | reject",
        "last-writer-win | did you mean last-writer-wins?",
        "paxos | known are",
      })
  void namesOfOtherThingsAreRefusedWithWhatToWrite(String written, String said) {
    assertThatThrownBy(() -> PolicyLoader.load("type: t\nfields: {a: '" + written + "'}\n"))
        .isInstanceOf(PolicyException.class)
        .hasMessageContaining("line 2")
        .hasMessageContaining(said);
  }

  @Test
  void unknownStrategiesAreRefusedWhereverTheyStand() {
    StrategySpec unknown = StrategySpec.of("flip-a-coin");
    Condition always = When.complexityBelow(1);
    for (PolicyBuilder policy :
        List.of(
            Policy.builder("t").defaultStrategy(unknown),
            Policy.builder("t").defaultStrategy(StrategySpec.of("reject").otherwise(unknown)),
            Policy.builder("t").onFailure(unknown).defaultStrategy("merge"),
            Policy.builder("t").field("a", "flip-a-coin"),
            Policy.builder("t").rule("r", always, unknown, 1),
            Policy.builder("t").escalation("e", always, unknown, 1),
            Policy.builder("t").defaultStrategy("semantic:nowhere"))) {
      assertThatThrownBy(policy::build)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("which there is not");
    }
    assertThatThrownBy(() -> Policy.builder("t").escalation("e", always, "priority", 1).build())
        .hasMessageContaining("priority without an order");
  }

  @Test
  void predicatesAreTheExpressionsOfFiles() {
    Condition condition =
        When.or(
            When.and(When.isType("semantic"), When.not(When.complexityAbove(0.25))),
            When.isAtLeast(Severity.HIGH),
            When.isUnit("a \"b\""),
            When.involvesNode("eu"));
    assertThat(condition.source())
        .isEqualTo(
            "((conflict.type == \"semantic\") && (!(conflict.complexity > 0.25)))"
                + " || (conflict.severity >= severity.HIGH)"
                + " || (conflict.unit == \"a \\\"b\\\"\") || (\"eu\" in conflict.nodes)");
    assertThatThrownBy(() -> When.isType("concurent-update"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("concurrent-update");
    assertThatThrownBy(() -> When.complexityBelow(5)).hasMessageContaining("between 0 and 1");
    assertThatThrownBy(When::and).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theFallbackIsAskedAfterEachStrategyThatNamesNoOther() throws PolicyException {
    Policy policy =
        PolicyLoader.load(
                """
                type: t
                default: merge
                fallback: last-writer-wins
                fields:
                  a: highest-value
                  b: {strategy: append, otherwise: keep-both}
                  c: {strategy: merge, otherwise: manual-review}
                  d: manual-review
                  e: reject
                  f: last-writer-wins
                rules: [{name: r, when: 'conflict.count > 2', then: union}]
                """)
            .policy();
    assertThat(chain(policy.fallback())).containsExactly("merge", "last-writer-wins");
    assertThat(field(policy, "a")).containsExactly("highest-value", "last-writer-wins");
    assertThat(field(policy, "b")).containsExactly("append", "keep-both", "last-writer-wins");
    assertThat(field(policy, "c")).containsExactly("merge", "manual-review");
    assertThat(field(policy, "d")).containsExactly("manual-review");
    assertThat(field(policy, "e")).containsExactly("reject");
    assertThat(field(policy, "f")).containsExactly("last-writer-wins");
    assertThat(chain(policy.rules().getFirst().then()))
        .containsExactly("union", "last-writer-wins");
  }

  @Test
  void votesWaitAsLongAsThePolicySays() {
    PolicyBuilder builder =
        Policy.builder("t")
            .timeout(Duration.ofSeconds(30))
            .maxRetries(5)
            .field("own", FieldRule.of(StrategySpec.vote(VOTERS)))
            .field(
                "other",
                FieldRule.of(
                    StrategySpec.vote(VOTERS)
                        .patience(new Patience(Duration.ofHours(1), 0))
                        .otherwise(StrategySpec.of("rollback"))))
            .field("safe", FieldRule.of(StrategySpec.vote(VOTERS)))
            .neverAutomatic("safe");
    Policy policy = builder.build();
    assertThat(strategy(policy, "own").patience())
        .contains(new Patience(Duration.ofSeconds(30), 5));
    assertThat(field(policy, "own")).containsExactly("vote", "manual-review");
    assertThat(strategy(policy, "other").patience()).contains(new Patience(Duration.ofHours(1), 0));
    assertThat(strategy(policy, "safe").patience()).isEmpty();
    Policy decided = builder.onFailure("last-writer-wins").build();
    assertThat(field(decided, "own")).containsExactly("vote", "last-writer-wins");
    assertThat(field(decided, "other")).containsExactly("vote", "rollback", "last-writer-wins");
    assertThat(field(decided, "safe")).containsExactly("vote");
  }

  @Test
  void whatHasNoEffectIsSaidAndWhatIsOutOfRangeIsRefused() throws PolicyException {
    assertThat(PolicyLoader.load("type: t\ndefault: merge\ntimeout: 30s\n").warnings())
        .singleElement()
        .asString()
        .contains("line 3", "this policy has none");
    assertThat(PolicyLoader.load("type: t\nmax-retries: 3\n").warnings())
        .singleElement()
        .asString()
        .contains("no effect without a timeout");
    for (String wrong :
        List.of("max-retries: 11", "max-retries: x", "timeout: 30", "fallback: x")) {
      assertThatThrownBy(() -> PolicyLoader.load("type: t\n" + wrong + "\n"))
          .as(wrong)
          .isInstanceOf(PolicyException.class)
          .hasMessageContaining("line 2");
    }
    assertThatThrownBy(() -> Policy.builder("t").timeout(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Policy.builder("t").maxRetries(-1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static StrategySpec strategy(Policy policy, String field) {
    return policy
        .fields()
        .getOrDefault(Path.of(field), FieldRule.of(CellKind.MAP))
        .strategy()
        .orElseThrow();
  }

  private static List<String> field(Policy policy, String name) {
    return chain(strategy(policy, name));
  }

  private static List<String> chain(StrategySpec spec) {
    return spec.chain().stream().map(StrategySpec::name).toList();
  }
}
