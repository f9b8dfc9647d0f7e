// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.Path;
import dev.entente.core.merge.SemanticMerge;
import dev.entente.core.policy.Moment;
import dev.entente.core.policy.StateMachine;
import dev.entente.core.policy.StateMachine.SameState;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.StrategySpec.PriorityOf;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.strategy.Strategies;
import dev.entente.core.vote.Electorate;
import dev.entente.core.vote.Voter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * One contract for every strategy: it answers every dispute, alike every time, whatever the order,
 * and says why.
 */
class StrategyLawTest {
  private static final int DISPUTES = 10_000;
  private static final StateMachine MACHINE =
      new StateMachine(
          "status",
          Map.of(
              "active", Set.of("active", "released"), "released", Set.of(), "confirmed", Set.of()),
          Set.of("confirmed"),
          Map.of("active", new SameState("n", true)));

  @TestFactory
  Stream<DynamicTest> everyStrategyKeepsTheContract() {
    return Strategies.all().stream().map(s -> DynamicTest.dynamicTest(s.name(), () -> check(s)));
  }

  private static void check(Strategy strategy) {
    assertThat(strategy.tieBreak()).isNotBlank();
    Random random = new Random(strategy.name().hashCode());
    for (int i = 0; i < DISPUTES; i++) {
      StrategySpec spec = StrategySpec.of(strategy.name(), settings(strategy.name(), random));
      Dispute dispute = dispute(random, spec);
      Verdict verdict = strategy.decide(dispute);
      assertThat(verdict.why()).isNotBlank();
      List<Assignment> shuffled = new ArrayList<>(dispute.competing());
      Collections.shuffle(shuffled, random);
      Dispute again =
          new Dispute(
              dispute.unit(), shuffled, dispute.lastAgreed(), dispute.spec(), dispute.tolerance());
      assertThat(strategy.decide(again)).isEqualTo(verdict);
    }
  }

  private static Settings settings(String name, Random random) {
    return switch (name) {
      case "priority" ->
          new Settings.Ranking(
              List.of(PriorityOf.values()).get(random.nextInt(4)),
              List.of(Json.of(2), Json.of("b"), Json.of("x")),
              SortedArrayMap.of("x", List.of("author-1")));
      case "state-machine" -> new Settings.States(MACHINE);
      case "vote" ->
          new Settings.Voting(
              Electorate.of(List.of(new Voter("author-1", 2, Optional.empty())), 0));
      case "rollback" ->
          random.nextBoolean()
              ? new Settings.None()
              : new Settings.Back(new Moment.Earlier(Duration.ofMinutes(1)));
      case "merge" ->
          random.nextBoolean()
              ? new Settings.None()
              : new Settings.Merging(
                  StrategySpec.of("highest-value").otherwise(StrategySpec.of("last-writer-wins")));
      case "semantic" -> new Settings.Custom(new Larger(), false);
      default -> new Settings.None();
    };
  }

  /** The larger in the order of values; numbers only of numbers. */
  private record Larger() implements SemanticMerge {
    @Override
    public String name() {
      return "larger";
    }

    @Override
    public Json merge(Json base, Json left, Json right) {
      if (left.rank() != right.rank()) {
        throw new CannotMergeException("they are of different kinds");
      }
      return left.compareTo(right) >= 0 ? left : right;
    }
  }

  @Test
  void oneClashInsideAListDoesNotCostWhatElseASideDid() {
    Json base =
        Json.of(List.of(Map.of("id", 1, "v", "a"), Map.of("id", 2, "v", "a"), Map.of("id", 3)));
    Json left = Json.of(List.of(Map.of("id", 1, "v", "b"), Map.of("id", 2, "v", "left")));
    Json right =
        Json.of(
            List.of(
                Map.of("id", 1, "v", "a"),
                Map.of("id", 2, "v", "right"),
                Map.of("id", 3),
                Map.of("id", 4)));
    Random random = new Random(1);
    Dispute dispute =
        new Dispute(
            Unit.field(Path.of("list")),
            List.of(assignment(random, 0, left), assignment(random, 1, right)),
            Optional.of(base),
            StrategySpec.of("merge", new Settings.Merging(StrategySpec.of("last-writer-wins"))),
            Duration.ZERO);
    Verdict verdict =
        Strategies.all().stream()
            .filter(s -> s.name().equals("merge"))
            .findFirst()
            .orElseThrow()
            .decide(dispute);
    Json later =
        dispute.presentByTime().getLast().value().equals(left) ? Json.of("left") : Json.of("right");
    assertThat(verdict)
        .isInstanceOfSatisfying(
            Verdict.Settled.class,
            settled -> {
              assertThat(settled.value())
                  .isEqualTo(
                      Json.of(
                          List.of(
                              Map.of("id", 1, "v", "b"),
                              Map.of("id", 2, "v", later),
                              Map.of("id", 4))));
              assertThat(settled.why()).contains("Changed by both: 2/v: Took ");
            });
    assertThat(
            Strategies.all().stream()
                .filter(s -> s.name().equals("merge"))
                .findFirst()
                .orElseThrow()
                .decide(dispute.with(StrategySpec.of("merge"))))
        .isInstanceOf(Verdict.Unable.class);
  }

  private static Dispute dispute(Random random, StrategySpec spec) {
    List<Assignment> competing = new ArrayList<>();
    int size = 2 + random.nextInt(3);
    for (int i = 0; i < size; i++) {
      competing.add(assignment(random, i, value(random, 2)));
    }
    if (competing.stream().map(Assignment::value).distinct().count() == 1) {
      competing.set(0, assignment(random, 0, Json.of("another " + random.nextInt())));
    }
    Optional<Json> agreed =
        random.nextInt(4) == 0 ? Optional.empty() : Optional.of(value(random, 2));
    return new Dispute(
        Unit.field(Path.of("f")), competing, agreed, spec, Duration.ofMillis(random.nextInt(200)));
  }

  private static Assignment assignment(Random random, int number, Json value) {
    HybridTime time = HybridTime.ofMillis(1_000 + random.nextInt(300));
    return new Assignment(
        new Dot(new NodeId("n" + random.nextInt(3)), number + 1),
        CausalContext.EMPTY,
        HybridTime.ofMillis(2_000 + number),
        time,
        "author-" + random.nextInt(3),
        value,
        List.of());
  }

  private static Json value(Random random, int depth) {
    return switch (random.nextInt(depth > 0 ? 12 : 8)) {
      case 0 -> depth == 2 ? JsonAbsent.ABSENT : Json.of(0);
      case 1 -> Json.of((Object) null);
      case 2 -> Json.of(random.nextBoolean());
      case 3, 4 -> Json.of(random.nextInt(5));
      case 5 -> Json.of("abxé\n\n".substring(0, random.nextInt(7)));
      case 6 -> Json.of("1." + random.nextInt(12) + "." + random.nextInt(3));
      case 7 -> Json.of("2026-11-0" + (1 + random.nextInt(9)));
      case 8, 9 -> {
        List<Json> items = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          items.add(value(random, depth - 1));
        }
        yield Json.of(items);
      }
      case 10 ->
          Json.of(
              Map.of(
                  "status",
                  List.of("active", "released", "confirmed", "odd").get(random.nextInt(4)),
                  "n",
                  random.nextInt(3)));
      default -> Json.of(Map.of("id", random.nextInt(2), "v", value(random, depth - 1)));
    };
  }
}
