// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.merge.SemanticMerge;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.DeleteRule;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Moment;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyBuilder;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.record.CausalInbox;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.View;
import dev.entente.core.resolve.strategy.Strategies;
import dev.entente.core.vote.Electorate;
import dev.entente.core.vote.Voter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The laws of the lattice over seeded random histories: commutative, associative, idempotent,
 * growing; every order of arrival gives byte-equal states and equal views, under the policies of
 * all scenarios and random ones.
 */
class LawsTest {
  private static final int STATES_MIN = Integer.getInteger("entente.laws.states", 10_000);
  private static final RecordState EMPTY = RecordState.EMPTY;

  private static final Policy MIXED =
      Policy.builder("t")
          .field("count", CellKind.COUNTER)
          .field("tags", CellKind.SET)
          .field("body", CellKind.TEXT)
          .field("steps", CellKind.LIST)
          .field("volume", "highest-value")
          .fallback("manual-review")
          .build();

  private static byte[] bytes(RecordState state) {
    return StateCodec.toBytes(state);
  }

  @Test
  void joiningIsCommutativeAssociativeIdempotentAndGrows() {
    int states = 0;
    for (long seed = 0; states < STATES_MIN; seed++) {
      RandomHistory history = new RandomHistory(seed, policy(new Random(seed)), 3, 30);
      states += history.reached.size();
      Random random = new Random(seed);
      for (int i = 0; i < 12; i++) {
        RecordState a = pick(history, random);
        RecordState b = pick(history, random);
        RecordState c = pick(history, random);
        RecordState ab = a.join(b, () -> Past.of(history.versions));
        assertThat(bytes(ab))
            .as("commutative, seed %d", seed)
            .isEqualTo(bytes(b.join(a, () -> Past.of(history.versions))));
        assertThat(bytes(ab.join(c, () -> Past.of(history.versions))))
            .as("associative, seed %d", seed)
            .isEqualTo(
                bytes(
                    a.join(
                        b.join(c, () -> Past.of(history.versions)),
                        () -> Past.of(history.versions))));
        assertThat(ab.join(b, () -> Past.of(history.versions)))
            .as("idempotent, seed %d", seed)
            .isEqualTo(ab);
        assertThat(ab.context().dominates(a.context())).as("grows, seed %d", seed).isTrue();
        assertThat(EMPTY.join(a, () -> Past.of(history.versions))).isEqualTo(a);
        assertThat(StateCodec.fromBytes(bytes(ab))).as("codec, seed %d", seed).isEqualTo(ab);
      }
    }
  }

  private static RecordState pick(RandomHistory history, Random random) {
    return history.reached.get(random.nextInt(history.reached.size()));
  }

  @Test
  void anyOrderOfArrivalGivesTheSameBytesAndTheSameView() throws PolicyException {
    List<Policy> policies = new ArrayList<>(scenarioPolicies());
    for (int i = 0; i < 40; i++) {
      policies.add(policy(new Random(i)));
    }
    for (int p = 0; p < policies.size(); p++) {
      for (int seed = 0; seed < 12; seed++) {
        check(policies.get(p), p * 1_000L + seed);
      }
    }
  }

  private static void check(Policy policy, long seed) {
    RandomHistory history = new RandomHistory(seed, policy, 3, 25);
    RecordState all = EMPTY;
    for (RecordState state : history.states) {
      all = all.join(state, () -> Past.of(history.versions));
    }
    View view = Deriver.derive(RandomHistory.KEY, all, policy);
    Random random = new Random(seed);
    for (int round = 0; round < 4; round++) {
      List<Version> arriving = new ArrayList<>(history.versions);
      for (int i = random.nextInt(5); i > 0 && !arriving.isEmpty(); i--) {
        arriving.add(arriving.get(random.nextInt(arriving.size())));
      }
      Collections.shuffle(arriving, random);
      CausalInbox inbox = new CausalInbox(EMPTY, 1_000, () -> Past.of(history.versions));
      for (Version version : arriving) {
        inbox.offer(VersionCodec.fromBytes(VersionCodec.toBytes(version)));
      }
      assertThat(inbox.held()).as("seed %d", seed).isEmpty();
      assertThat(bytes(inbox.state())).as("seed %d", seed).isEqualTo(bytes(all));
      assertThat(Deriver.derive(RandomHistory.KEY, inbox.state(), policy))
          .as("seed %d", seed)
          .isEqualTo(view);
    }
  }

  @Test
  void aVersionWhosePredecessorNeverComesIsHeldAndNamed() {
    RandomHistory history = new RandomHistory(5, MIXED, 1, 10);
    CausalInbox inbox = new CausalInbox(EMPTY, 100, () -> Past.EMPTY);
    history.versions.stream().skip(1).forEach(inbox::offer);
    assertThat(inbox.state()).isEqualTo(EMPTY);
    assertThat(inbox.held()).hasSize(history.versions.size() - 1);
    assertThat(EMPTY.apply(history.versions.get(1)))
        .isInstanceOf(RecordState.Applied.Missing.class);
  }

  private static List<Policy> scenarioPolicies() throws PolicyException {
    List<Policy> policies = new ArrayList<>();
    for (Scenario scenario : Scenario.all()) {
      for (String text : scenario.policies()) {
        policies.add(PolicyLoader.load(text).policy());
      }
    }
    return policies;
  }

  /** Every strategy, with settings where it needs some. */
  private static List<StrategySpec> strategies() {
    List<StrategySpec> specs = new ArrayList<>();
    for (Strategy strategy : Strategies.all()) {
      if (!List.of("state-machine", "semantic", "vote", "priority").contains(strategy.name())) {
        specs.add(StrategySpec.of(strategy.name()));
      }
    }
    specs.add(
        StrategySpec.vote(
            Electorate.of(List.of(new Voter("author-1", 1, java.util.Optional.empty())), 0)));
    specs.add(
        StrategySpec.priority(
            StrategySpec.PriorityOf.AUTHORS, List.of(Json.of("author-1"), Json.of("author-2"))));
    specs.add(
        StrategySpec.of(
            "rollback",
            new StrategySpec.Settings.Back(new Moment.Earlier(java.time.Duration.ofSeconds(1)))));
    specs.add(
        StrategySpec.of(
            "merge", new StrategySpec.Settings.Merging(StrategySpec.of("last-writer-wins"))));
    specs.add(StrategySpec.semantic(new Larger()).otherwise(StrategySpec.of("union")));
    return specs;
  }

  /** The larger of two values of one kind. */
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

  private static Policy policy(Random random) {
    List<StrategySpec> strategies = strategies();
    PolicyBuilder policy =
        Policy.builder("t").fallback(strategies.get(random.nextInt(strategies.size())));
    if (random.nextInt(8) == 0) {
      return policy.wholeRecord().build();
    }
    policy.field(
        "count",
        List.of(CellKind.COUNTER, CellKind.GROW_ONLY_COUNTER, CellKind.BOUNDED_COUNTER)
            .get(random.nextInt(3)));
    policy.field(
        "tags",
        List.of(CellKind.SET, CellKind.GROW_ONLY_SET, CellKind.REMOVE_WINS_SET)
            .get(random.nextInt(3)));
    policy.field("body", CellKind.TEXT).field("steps", CellKind.LIST);
    policy.field("note", FieldRule.of(strategies.get(random.nextInt(strategies.size()))));
    if (random.nextBoolean()) {
      policy.field("list", FieldRule.of(strategies.get(random.nextInt(strategies.size()))));
    }
    if (random.nextInt(3) == 0) {
      policy.manualThreshold(0.2);
    }
    if (random.nextInt(3) == 0) {
      policy.group(
          new dev.entente.core.policy.Group(
              "lifecycle",
              List.of("status", "expires_at"),
              java.util.Optional.empty(),
              java.util.Optional.empty()));
    }
    return policy.deletes(List.of(DeleteRule.values()).get(random.nextInt(3))).build();
  }
}
