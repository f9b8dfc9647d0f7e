// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Json;
import dev.entente.core.merge.SemanticMerge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A policy is written as a file that says the same. */
class PolicyWriterTest {
  private static final String EVERYTHING =
      """
      type: "yes"
      consistency: {quorum: {n: 3, r: 2, w: 2}}
      writes: [conditional, merge]
      identity: 'event.id + "/" + day(event.at, "UTC")'
      default: {strategy: merge, clashes: last-writer-wins, otherwise: keep-both}
      fallback: last-writer-wins
      timeout: 30s
      max-retries: 5
      roles: {supervisor: [eve], surveyor: [ann, bob]}
      semantics:
        widest: {merge: 'left > right ? left : right', examples: [1, 2.5]}
        odd: {merge: 'left', unchecked: "the left side is always newer"}
      fields:
        a/b: {strategy: priority, of: roles, order: [supervisor, surveyor], severity: high, alert: looked-at}
        c: {cell: counter, writes: [overwrite, conditional, merge]}
        d: {strategy: vote, voters: {ann: 2, bob: 1}, time-out: 1h, retries: 1, otherwise: {strategy: rollback, to: 15m}}
        e: {strategy: "semantic:widest", clock: {tolerance: 2s, uncertain: review}}
        f: "semantic:odd"
        g: {strategy: rollback, to: 2026-11-22T10:00:00Z}
        h: {strategy: rollback, to: checkpoint}
        "true": {strategy: priority, order: [1, null, "1", {x: [2.50]}, 1e3]}
        "m~1n": {cell: map}
        v: {strategy: vote, voters: [ann, bob]}
        w: vote
      groups:
        zeta: {fields: [status, until], strategy: state-machine, states: {on: ["off", on], "off": []}, absorbing: ["off"],
               same-state: {on: {by: until, take: highest-value}}, otherwise: manual-review, severity: medium}
        alpha: {fields: [p, q], writes: [merge]}
      rules:
        - {name: r, when: 'conflict.complexity < 0.5 && conflict.type == "concurrent-update"', then: multi-value, priority: 5, overrides-fields: true}
      escalations:
        - {name: e, when: 'conflict.severity == severity.CRITICAL', action: manual-review, priority: 9}
      invariants: [{name: i, check: 'data.x < "é\\\\"', severity: critical}]
      unique: [serial, {fields: [k, l], keep: first, loser: {k: null}}]
      limits:
        - {name: cap, sum: amount, by: account, at-most: {x: 5, y: 7.5}, when: 'data.live', keep: last, severity: low}
        - {name: held, by: [room], at-most: hotel/rooms}
      never-automatic: [v, alpha]
      manual-threshold: 0.7
      review: {sla: 90m, escalate-after: 3h, escalate-to: [eve], two-persons: ["*"]}
      clock: {tolerance: 250ms, uncertain: review}
      deletes: edit-wins
      """;

  static Stream<String> files() throws IOException {
    try (Stream<Path> found = Files.walk(Path.of("../policies"))) {
      List<Path> policies =
          found
              .filter(path -> path.toString().endsWith(".yaml"))
              .filter(path -> !path.toString().contains("cases"))
              .toList();
      Stream.Builder<String> texts = Stream.builder();
      texts.add(EVERYTHING);
      for (Path path : policies) {
        texts.add(Files.readString(path));
      }
      return texts.build();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void aFileWrittenAgainSaysTheSame(String text) throws Exception {
    Policy policy = PolicyLoader.load(text).policy();
    String written = PolicyWriter.write(policy);
    Policy read = PolicyLoader.load(written).policy();
    assertThat(read.withVersion("")).isEqualTo(policy.withVersion(""));
    assertThat(PolicyWriter.write(read)).isEqualTo(written);
  }

  @Test
  void builtPoliciesAreWritten() {
    assertThat(PolicyWriter.write(TranslatedPoliciesTest.production()))
        .isEqualTo(
            """
            type: vm
            default: last-writer-wins
            fields:
              power_state: {"of":"values","order":["running","migrating","paused","stopped"],"otherwise":"last-writer-wins","strategy":"priority"}
            rules:
              - {"name":"concurrent_safe","priority":50,"then":{"otherwise":"last-writer-wins","strategy":"multi-value"},"when":"(conflict.type == \\"concurrent-update\\") && (conflict.complexity < 0.5)"}
            escalations:
              - {"action":"manual-review","name":"critical_conflicts","priority":100,"when":"(conflict.severity == severity.CRITICAL) || (conflict.type == \\"invariant-violation\\")"}
            manual-threshold: 0.7
            """);
  }

  @Test
  void whatNoFileSaysIsRefused() {
    SemanticMerge here =
        new SemanticMerge() {
          @Override
          public String name() {
            return "only-here";
          }

          @Override
          public Json merge(Json base, Json left, Json right) {
            return left.compareTo(right) > 0 ? left : right;
          }
        };
    Policy semantic = Policy.builder("t").defaultStrategy(StrategySpec.semantic(here)).build();
    assertThatThrownBy(() -> PolicyWriter.write(semantic))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("only-here");
    Policy precise =
        Policy.builder("t").clock(new ClockTerms(Duration.ofNanos(1_500_001), false)).build();
    assertThatThrownBy(() -> PolicyWriter.write(precise))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("PT0.001500001S");
  }
}
