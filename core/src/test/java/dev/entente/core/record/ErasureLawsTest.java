// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.resolve.Deriver;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A version that erases joins like any other: order, repetition and the way do not matter. */
class ErasureLawsTest {
  private static final RecordKey KEY = new RecordKey("main", "t", "r");
  private static final String POLICY =
      """
      type: t
      default: last-writer-wins
      fields:
        tags: {cell: set}
        gone: {cell: remove-wins-set}
        body: {cell: text}
        n: {cell: counter}
      groups:
        address: {fields: [street, town]}
      """;
  private final List<Version> versions = new ArrayList<>();

  private @Nullable Version write(RecordState at, String node, Edit edit) throws Exception {
    Policy policy = PolicyLoader.load(POLICY).policy();
    List<Change> changes =
        Authoring.changes(at, policy, "ann", Deriver.derive(KEY, at, policy).data(), edit);
    if (changes.isEmpty()) {
      return null;
    }
    NodeId self = new NodeId(node + ".1");
    HybridTime time = HybridTime.ofMillis(1_763_802_000_000L + versions.size());
    Version version =
        Version.builder(new Dot(self, 1L + versions.size()), KEY)
            .previous(at.context().get(self))
            .context(CausalContext.of(at.context()))
            .acceptedAt(time)
            .author("ann")
            .changes(changes)
            .build();
    versions.add(version);
    return version;
  }

  private RecordState with(RecordState state, @Nullable Version version) {
    return version != null
            && state.apply(version, () -> Past.of(versions))
                instanceof RecordState.Applied.Joined(RecordState joined)
        ? joined
        : state;
  }

  private static Edit edit(Random chance) {
    return switch (chance.nextInt(7)) {
      case 0, 1 -> new Edit.Erase();
      case 2 -> new Edit.MergePatch(Json.of(Map.of("a", chance.nextInt(9), "street", "s")));
      case 3 ->
          new Edit.Operations(
              List.of(new Operation.Increment(Path.of("n"), chance.nextInt(5) + 1)));
      case 4 ->
          new Edit.Operations(
              List.of(
                  new Operation.EditSet(
                      Path.of(chance.nextBoolean() ? "tags" : "gone"),
                      List.of(Json.of(chance.nextInt(4))),
                      List.of(Json.of(chance.nextInt(4) + 4)))));
      case 5 -> new Edit.Delete();
      default ->
          new Edit.Operations(
              List.of(new Operation.Splice(Path.of("body"), new Splice(0, 0, Json.of("xyz")))));
    };
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void statesThatHaveSeenTheSameAreEqual(long seed) throws Exception {
    Random chance = new Random(seed);
    List<RecordState> states =
        new ArrayList<>(List.of(RecordState.EMPTY, RecordState.EMPTY, RecordState.EMPTY));
    for (int i = 0; i < 60; i++) {
      int at = chance.nextInt(3);
      RecordState mine = states.get(at);
      states.set(
          at,
          chance.nextInt(4) == 0
              ? mine.join(states.get(chance.nextInt(3)), () -> Past.of(versions))
              : with(mine, write(mine, "abc".substring(at, at + 1), edit(chance))));
    }
    RecordState replayed = Past.of(versions).replay();
    List<RecordState> order = new ArrayList<>(states);
    for (int round = 0; round < 4; round++) {
      Collections.shuffle(order, chance);
      RecordState joined = RecordState.EMPTY;
      for (RecordState state : order) {
        joined = joined.join(state, () -> Past.of(versions));
        joined = joined.join(state, () -> Past.of(versions));
      }
      assertThat(joined).isEqualTo(replayed);
    }
    RecordState applied = RecordState.EMPTY;
    for (Version version : List.copyOf(versions)) {
      applied = with(with(applied, version), version);
    }
    assertThat(applied).isEqualTo(replayed);
  }

  @Test
  void whatItsAuthorHadNotSeenStays() throws Exception {
    RecordState begun = with(RecordState.EMPTY, write(RecordState.EMPTY, "a", put("old")));
    Version meanwhile = write(begun, "b", put("new"));
    Version erasing = write(begun, "a", new Edit.Erase());
    RecordState erased = with(begun, erasing);
    assertThat(erased.toString()).doesNotContain("old");
    RecordState both = with(erased, meanwhile);
    assertThat(both.register(Unit.field(Path.of("v"))).values())
        .extracting(assignment -> assignment.value())
        .containsExactly(Json.of("new"));
    assertThat(both).isEqualTo(with(with(begun, meanwhile), erasing));
  }

  private static Edit put(String value) {
    return new Edit.MergePatch(Json.of(Map.of("v", value)));
  }
}
