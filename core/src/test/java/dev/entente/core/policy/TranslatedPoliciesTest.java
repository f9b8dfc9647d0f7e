// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import static dev.entente.core.policy.When.and;
import static dev.entente.core.policy.When.complexityBelow;
import static dev.entente.core.policy.When.isSeverity;
import static dev.entente.core.policy.When.isType;
import static dev.entente.core.policy.When.or;
import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.library.Replica;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.StrategySpec.PriorityOf;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.Resolution.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * The production and development policies of docs/policies.md: as files and built in code they are
 * the same, and they do what is said there.
 */
class TranslatedPoliciesTest {
  private static final RecordKey KEY = new RecordKey("main", "vm", "vm-123");

  static Policy production() {
    return Policy.builder("vm")
        .defaultStrategy("last-writer-wins")
        .field(
            "power_state",
            FieldRule.of(
                StrategySpec.priority(
                    PriorityOf.VALUES,
                    List.of(
                        Json.of("running"),
                        Json.of("migrating"),
                        Json.of("paused"),
                        Json.of("stopped")))))
        .rule(
            "concurrent_safe",
            and(isType("concurrent-update"), complexityBelow(0.5)),
            "multi-value",
            50)
        .escalation(
            "critical_conflicts",
            or(isSeverity(Severity.CRITICAL), isType("invariant-violation")),
            "manual-review",
            100)
        .maxRetries(5)
        .manualThreshold(0.7)
        .timeout(Duration.ofSeconds(30))
        .onFailure("last-writer-wins")
        .build();
  }

  static Policy development() {
    return Policy.builder("vm")
        .defaultStrategy("multi-value")
        .maxRetries(3)
        .manualThreshold(0.9)
        .timeout(Duration.ofSeconds(60))
        .build();
  }

  /** The policy of a code block of the documentation, with more at its end. */
  private static Policy documented(String heading, String more)
      throws IOException, PolicyException {
    String text = Files.readString(Path.of("../docs/policies.md"));
    String from = text.substring(text.indexOf(heading));
    String block = from.substring(from.indexOf("```yaml\n") + 8);
    return PolicyLoader.load(block.substring(0, block.indexOf("```")) + more).policy();
  }

  @Test
  void builtInCodeTheyAreWhatTheFilesSay() throws Exception {
    assertThat(production()).isEqualTo(documented("### Production", "").withVersion(""));
    assertThat(development()).isEqualTo(documented("### Development", "").withVersion(""));
  }

  @Test
  void powerStateGoesByPriorityThoughTheRuleHolds() throws EditProblem {
    for (boolean swapped : List.of(false, true)) {
      Resolution resolution =
          only(
              conflict(
                  production(),
                  Map.of("power_state", "paused"),
                  Map.of("power_state", swapped ? "stopped" : "running"),
                  Map.of("power_state", swapped ? "running" : "stopped")));
      assertThat(resolution.status()).isEqualTo(Status.RESOLVED);
      assertThat(resolution.strategy()).isEqualTo("priority");
      assertThat(resolution.value()).isEqualTo(Json.of("running"));
    }
  }

  @Test
  void aSimpleConcurrentUpdateIsKeptSideBySide() throws EditProblem {
    Resolution resolution =
        only(
            conflict(
                production(),
                Map.of("snapshot_id", "s1"),
                Map.of("snapshot_id", "s2"),
                Map.of("snapshot_id", "s3")));
    assertThat(resolution.status()).isEqualTo(Status.SIBLINGS);
    assertThat(resolution.explanation()).contains("rule concurrent_safe");
  }

  @Test
  void aComplexOneGoesToTheLastWriterAndAVeryComplexOneToAPerson() throws EditProblem {
    Resolution complex = only(conflict(production(), Map.of("host", "h"), hosts(7)));
    assertThat(complex.conflict().complexity()).isBetween(0.5, 0.7);
    assertThat(complex.status()).isEqualTo(Status.RESOLVED);
    assertThat(complex.strategy()).isEqualTo("last-writer-wins");
    assertThat(complex.value()).isEqualTo(Json.of("h-6"));
    Resolution veryComplex = only(conflict(production(), Map.of("host", "h"), hosts(13)));
    assertThat(veryComplex.conflict().complexity()).isGreaterThan(0.7);
    assertThat(veryComplex.status()).isEqualTo(Status.PENDING);
    assertThat(only(conflict(development(), Map.of("host", "h"), hosts(13))).status())
        .isEqualTo(Status.SIBLINGS);
  }

  private static Map<?, ?>[] hosts(int count) {
    List<Map<?, ?>> writes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      writes.add(Map.of("host", "h-" + i));
    }
    return writes.toArray(Map<?, ?>[]::new);
  }

  @Test
  void whatIsCriticalOrBreaksAnInvariantWaitsForAPersonAndTheFallbackDoesNotDecide()
      throws Exception {
    Policy policy =
        documented(
            "### Production",
            """
            invariants: [{name: capacity, check: 'data.cpu + data.reserved <= 10', severity: high}]
            """);
    Map<String, Object> both = new HashMap<>(Map.of("cpu", 2, "reserved", 2));
    Resolution broken =
        last(
            conflict(
                policy, both, Map.of("cpu", 8, "reserved", 2), Map.of("cpu", 2, "reserved", 8)));
    assertThat(broken.status()).isEqualTo(Status.PENDING);
    assertThat(broken.strategy()).isEqualTo("manual-review");
    assertThat(broken.explanation()).contains("escalation critical_conflicts");

    Policy critical =
        Policy.builder("vm")
            .defaultStrategy("last-writer-wins")
            .onFailure("last-writer-wins")
            .field(
                "owner",
                new FieldRule(
                    CellKind.REGISTER,
                    java.util.Optional.empty(),
                    java.util.Optional.of(Severity.CRITICAL)))
            .escalation("critical", isSeverity(Severity.CRITICAL), "manual-review", 100)
            .build();
    Resolution waiting =
        only(conflict(critical, Map.of("owner", "a"), Map.of("owner", "b"), Map.of("owner", "c")));
    assertThat(waiting.status()).isEqualTo(Status.PENDING);
    assertThat(waiting.strategy()).isEqualTo("manual-review");
  }

  /** What becomes of writes by as many replicas, each of which has seen the first only. */
  private static List<Resolution> conflict(Policy policy, Map<?, ?> first, Map<?, ?>... writes)
      throws EditProblem {
    AtomicLong clock = new AtomicLong(1_763_802_000_000L);
    Replica reader = new Replica("reader", KEY, policy, () -> clock.addAndGet(1_000));
    reader.put("setup", first);
    List<Replica> replicas = new ArrayList<>();
    for (int i = 0; i < writes.length; i++) {
      Replica replica = new Replica("n" + i, KEY, policy, () -> clock.addAndGet(1_000));
      replica.join(reader);
      replica.put("author-" + i, writes[i]);
      replicas.add(replica);
    }
    replicas.reversed().forEach(reader::join);
    return reader.view().resolutions();
  }

  private static Resolution only(List<Resolution> resolutions) {
    assertThat(resolutions).hasSize(1);
    return resolutions.getFirst();
  }

  private static Resolution last(List<Resolution> resolutions) {
    assertThat(resolutions).isNotEmpty();
    return resolutions.getLast();
  }
}
