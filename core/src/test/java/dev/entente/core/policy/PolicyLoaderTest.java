// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.Unit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Policy files: what they say, and what is wrong with them, with the line and what was meant. */
class PolicyLoaderTest {
  private static List<PolicyProblem> problems(String text) {
    try {
      PolicyLoader.load(text);
      return List.of();
    } catch (PolicyException e) {
      return e.problems();
    }
  }

  @Test
  void aQuorumThatMayMissAWriteIsRefused() throws PolicyException {
    assertThat(problems("type: t\nconsistency: {quorum: {n: 5, r: 2, w: 3}}\n"))
        .singleElement()
        .satisfies(problem -> assertThat(problem.message()).contains("2 + 3 is not larger than 5"));
    assertThat(problems("type: t\nconsistency: {quorum: {n: 3, r: 4, w: 1}}\n")).isNotEmpty();
    assertThat(problems("type: t\nconsistency: {quorum: {n: 3}}\n")).isNotEmpty();
    assertThat(problems("type: t\nconsistency: {primary: [eu, eu]}\n")).isNotEmpty();
    assertThat(problems("type: t\nconsistency: {}\n")).isNotEmpty();
    Policy quorum =
        PolicyLoader.load("type: t\nconsistency: {quorum: {n: 3, r: 2, w: 2}}\n").policy();
    assertThat(quorum.consistency()).isEqualTo(Consistency.QUORUM);
    assertThat(quorum.replicas()).isEqualTo(new ReplicaTerms(3, 2, 2, List.of()));
    assertThat(ReplicaTerms.DEFAULT.writtenOf(5) + ReplicaTerms.DEFAULT.readOf(5)).isEqualTo(6);
    Policy primary = PolicyLoader.load("type: t\nconsistency: {primary: [eu, us]}\n").policy();
    assertThat(primary.consistency()).isEqualTo(Consistency.PRIMARY);
    assertThat(primary.replicas().primaries()).containsExactly("eu", "us");
  }

  @Test
  void aFieldOrGroupNamesAnAlertInSmallLettersDigitsAndHyphens() throws PolicyException {
    String text =
        """
        type: t
        fields:
          h: {alert: two-hosts}
        groups:
          g: {fields: [a, b], alert: x2}
        """;
    Policy policy = PolicyLoader.load(text).policy();
    assertThat(policy.alertOf("h")).contains("two-hosts");
    assertThat(policy.alertOf("g")).contains("x2");
    assertThat(policy.alertOf("a")).isEmpty();
    assertThat(policy.alertOf("record")).isEmpty();
    for (String name : List.of("Two hosts", "2x", "a_b", "x".repeat(41))) {
      assertThat(problems("type: t\nfields:\n  h: {alert: " + name + "}\n"))
          .as(name)
          .anySatisfy(problem -> assertThat(problem.message()).contains("an alert is named by"));
    }
  }

  @Test
  void aNeverAutomaticUnitThatIsDeclaredCriticalIsCritical() throws PolicyException {
    String text =
        """
        type: t
        fields:
          h: {strategy: manual-review, severity: critical}
          i: {severity: low, strategy: manual-review}
        never-automatic: [h, i]
        """;
    Policy policy = PolicyLoader.load(text).policy();
    assertThat(policy.severityOf(Unit.field(Path.of("h")))).isEqualTo(Severity.CRITICAL);
    assertThat(policy.severityOf(Unit.field(Path.of("i")))).isEqualTo(Severity.HIGH);
  }

  @Test
  void aWholePolicyLoads() throws PolicyException {
    PolicyLoader.Loaded loaded =
        PolicyLoader.load(
            """
            type: hold
            consistency: causal
            writes: [conditional, merge]
            identity: null
            default: manual-review
            fields:
              note:      last-writer-wins
              agencies:  {cell: set}
              volume:    {strategy: highest-value, otherwise: last-writer-wins}
            groups:
              lifecycle:
                fields: [status, expires_at, booking_id]
                strategy: state-machine
                states: {active: [active, released, confirmed], released: [], confirmed: []}
                absorbing: [confirmed]
                same-state: {active: {by: expires_at, take: highest-value}}
                otherwise: reject
            rules:
              - {name: small, when: 'conflict.type == "concurrent-update" && conflict.complexity < 0.5', then: multi-value, priority: 50}
            escalations:
              - {name: high, when: 'conflict.severity >= severity.HIGH', action: manual-review, priority: 90}
            invariants:
              - {name: booked, check: 'data.status != "confirmed" || has(data.booking_id)', severity: critical}
            unique: [cabin]
            never-automatic: [payment]
            review: {sla: 2h, escalate-after: 4h, while-pending: last-agreed}
            clock: {tolerance: 100ms, uncertain: review}
            deletes: edit-wins
            """);
    Policy policy = loaded.policy();
    assertThat(policy.type()).isEqualTo("hold");
    assertThat(policy.writes()).containsExactlyInAnyOrder(WriteStyle.CONDITIONAL, WriteStyle.MERGE);
    assertThat(policy.clock().reviewUncertain()).isTrue();
    assertThat(
            policy
                .strategyOf(Unit.group("lifecycle"))
                .orElseThrow()
                .otherwise()
                .orElseThrow()
                .name())
        .isEqualTo("reject");
    assertThat(policy.isNeverAutomatic(Unit.field(Path.parse("payment/card")))).isTrue();
    assertThat(policy.deletes()).isEqualTo(DeleteRule.EDIT_WINS);
  }

  @Test
  void whatHoldsOrLiesInWhatIsNeverAutomaticIsNotEither() throws PolicyException {
    Policy policy =
        PolicyLoader.load(
                """
                type: order
                groups: {delivery: {fields: [address, slot]}}
                never-automatic: [payment/card, address/street]
                """)
            .policy();
    for (String unit : List.of("payment", "payment/card", "payment/card/number")) {
      assertThat(policy.isNeverAutomatic(Unit.field(Path.parse(unit)))).as(unit).isTrue();
    }
    assertThat(policy.isNeverAutomatic(Unit.group("delivery"))).isTrue();
    assertThat(policy.isNeverAutomatic(Unit.field(Path.parse("payment/iban")))).isFalse();
    assertThat(policy.isNeverAutomatic(Unit.ALIVE))
        .as("deletes have a rule of their own")
        .isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          type: t¶default: last-write-wins                         | 2 | did you mean last-writer-wins?
          type: t¶field: {}                                        | 2 | did you mean fields?
          type: t¶fields: {a: {cell: counte}}                      | 2 | did you mean counter?
          type: t¶deletes: edit-win                                | 2 | did you mean edit-wins?
          type: t¶review: {sla: soon}                              | 2 | takes a duration
          type: t¶rules:¶  - {name: a, when: 'now() > 1', then: merge} | 3 | never a clock
          type: t¶rules:¶  - {name: a, when: 'conflict.x(', then: merge} | 3 | not a CEL expression
          type: t¶invariants: [{name: a, check: '1 + 1'}]          | 2 | expected type 'bool'
          default: merge                                             | 1 | a policy names its type
          type: t¶type: u                                          | 2 | stands twice
          type: [                                                    | 1 | expected
          """)
  void everyErrorNamesItsLineAndWhatWasMeant(String text, int line, String message) {
    assertThat(problems(text.replace('¶', '\n')))
        .anySatisfy(problem -> {
          assertThat(problem.line()).isEqualTo(line);
          assertThat(problem.message()).contains(message);
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          rules: [{name: a, when: 'true', then: merge, priority: 1}, {name: b, when: 'true', then: union, priority: 1}] | share the priority 1
          fields: {a: highest-value}¶never-automatic: [a]                                                        | would settle it automatically
          groups: {g: {fields: [a]}, h: {fields: [a]}}                                                             | a field has one unit
          fields: {a: merge}¶groups: {g: {fields: [a]}}                                                          | declared by itself and in the group
          fields: {a: {cell: counter, strategy: merge}}                                                            | has nothing to decide there
          fields: {a: priority}                                                                                    | without an order
          groups: {g: {fields: [s], strategy: state-machine, states: {x: [y]}}}                                    | which is no state
          groups: {g: {fields: [s], strategy: state-machine, states: {x: [y], y: []}, absorbing: [x]}}             | is absorbing, yet it may change
          review: {sla: 4h, escalate-after: 2h}                                                                    | before it is due
          unit: record¶fields: {a: merge}                                                                        | makes the whole record one unit
          manual-threshold: 2                                                                                      | between 0 and 1
          default: {strategy: merge, otherwise: merge}                                                             | twice
          """)
  void contradictionsAreRefused(String text, String message) {
    assertThat(problems("type: t\n" + text.replace('¶', '\n')))
        .anySatisfy(problem -> assertThat(problem.message()).contains(message));
  }

  @Test
  void theBuilderRefusesContradictionsToo() {
    assertThatThrownBy(
            () -> Policy.builder("t").field("a", "highest-value").neverAutomatic("a").build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("never-automatic");
  }

  @Test
  void strategiesTakeTheirSettings() throws PolicyException {
    Policy policy =
        PolicyLoader.load(
                """
                type: t
                roles: {supervisor: [eve], surveyor: [ann, bob]}
                semantics:
                  newest: {merge: 'left.at > right.at ? left : right.at > left.at ? right : left == right ? left : dyn(1/0)', examples: [{at: 1, v: a}, {at: 2, v: b}]}
                fields:
                  depth: {strategy: priority, of: roles, order: [supervisor, surveyor]}
                  reading: semantic:newest
                  host: {strategy: vote, voters: {ann: 2, bob: 1}, time-out: 1h, retries: 2, otherwise: rollback}
                  plan: {strategy: rollback, to: 15m, otherwise: manual-review}
                  zone: {strategy: rollback, to: checkpoint}
                """)
            .policy();
    assertThat(settings(policy, "depth")).isInstanceOf(StrategySpec.Settings.Ranking.class);
    assertThat(settings(policy, "reading")).isInstanceOf(StrategySpec.Settings.Custom.class);
    assertThat(settings(policy, "host")).isInstanceOf(StrategySpec.Settings.Voting.class);
    assertThat(spec(policy, "host").patience())
        .contains(new StrategySpec.Patience(java.time.Duration.ofHours(1), 2));
    assertThat(settings(policy, "plan"))
        .isEqualTo(
            new StrategySpec.Settings.Back(new Moment.Earlier(java.time.Duration.ofMinutes(15))));
    assertThat(settings(policy, "zone"))
        .isEqualTo(new StrategySpec.Settings.Back(new Moment.Checkpoint()));
  }

  private static StrategySpec spec(Policy policy, String field) {
    return policy.strategyOf(Unit.field(Path.of(field))).orElseThrow();
  }

  private static StrategySpec.Settings settings(Policy policy, String field) {
    return spec(policy, field).settings();
  }

  @Test
  void aMergeFunctionThatPrefersASideIsRefusedWithTheCounterexample() throws PolicyException {
    String declared =
        "type: t\nsemantics: {mine: {merge: 'left > right ? left : left', examples: [1, 2]%s}}\n";
    assertThat(problems(declared.formatted("")))
        .singleElement()
        .satisfies(problem ->
            assertThat(problem.message())
                .contains("semantic:mine cannot settle conflicts: not commutative: merge("));
    assertThat(PolicyLoader.load(declared.formatted(", unchecked: the order is ours")).warnings())
        .singleElement()
        .satisfies(
            warning -> assertThat(warning.message()).contains("used unchecked: the order is ours"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fields: {a: 'semantic:none'}|there is no merge function none",
        "fields: {a: {strategy: highest-value, voters: [ann]}}|voters belongs to vote, not to"
            + " highest-value",
        "fields: {a: {strategy: vote, voters: [ann, bob], faulty: 1}}|at least 4 voters",
        "fields: {a: {strategy: vote, voters: {ann: {key: nonsense}}}}|no Ed25519 public key",
        "fields: {a: {strategy: vote, voters: [ann], time-out: 1h}}|a time-out needs otherwise",
        "fields: {a: {strategy: vote, voters: [ann], retries: 2}}|need a time-out",
        "fields: {a: {strategy: rollback, to: yesterday}}|to takes last-agreed",
        "fields: {a: {strategy: priority, of: roles, order: [boss]}}|boss is not a role",
        "fields: {a: {order: [x]}}|order belongs to a strategy; name it",
        "fields: {a: {strategy: manual-review, time-out: 1h, otherwise: merge}}¶never-automatic:"
            + " [a]|a time-out would settle it"
      })
  void settingsThatCannotBeMeantAreNamed(String text, String message) {
    assertThat(problems("type: t\n" + text.replace('¶', '\n')))
        .anySatisfy(problem -> assertThat(problem.message()).contains(message));
  }

  @Test
  void aVoteWithoutVotersIsAPersonsDecision() throws PolicyException {
    assertThat(PolicyLoader.load("type: t\ndefault: vote").warnings())
        .singleElement()
        .satisfies(warning -> assertThat(warning.message()).contains("so a person decides"));
  }

  @Test
  void anExpressionOverTooManyItemsFailsInsteadOfRunning() throws PolicyException {
    Policy policy =
        PolicyLoader.load(
                "type: t\n"
                    + "invariants: [{name: all, check: 'data.items.all(x, data.items.all(y, x =="
                    + " y))'}]")
            .policy();
    List<Long> items = java.util.stream.LongStream.range(0, 20_000).map(_ -> 1).boxed().toList();
    assertThatThrownBy(() ->
            policy
                .invariants()
                .getFirst()
                .check()
                .holds(java.util.Map.of("data", java.util.Map.of("items", items))))
        .isInstanceOf(Condition.ConditionException.class);
  }
}
