// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Register;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.Severity;
import dev.entente.core.record.CellId;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import dev.entente.engine.Describe;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Large records and crowds of writers: what they cost, and where rules end and people begin. */
class ComplexityTest {
  private static final RecordKey KEY = new RecordKey("main", "t", "r");
  private static final Unit HOT = Unit.field(Path.of("hot"));

  private static Version version(int node, List<Change> changes) {
    HybridTime time = HybridTime.ofMillis(1_763_802_000_000L + node);
    return Version.builder(new Dot(new NodeId("node-" + node + ".1"), 1), KEY)
        .context(CausalContext.EMPTY)
        .acceptedAt(time)
        .author("author-" + node)
        .changes(changes)
        .build();
  }

  private static Change assign(Unit unit, int value) {
    return new Change.Assign(unit, Json.of(value), List.of(Ancestor.NOTHING));
  }

  /** A hundred nodes that each wrote ten units of their own and one that all wrote. */
  private static List<Version> crowd(int nodes) {
    List<Version> versions = new ArrayList<>();
    for (int node = 0; node < nodes; node++) {
      List<Change> changes = new ArrayList<>();
      changes.add(new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(Ancestor.NOTHING)));
      changes.add(assign(HOT, node));
      for (int i = 0; i < 10; i++) {
        changes.add(assign(Unit.field(Path.of("unit-" + (node * 10 + i))), i));
      }
      versions.add(version(node, changes));
    }
    return versions;
  }

  private static RecordState applied(List<Version> versions) {
    RecordState state = RecordState.EMPTY;
    for (Version version : versions) {
      state = ((RecordState.Applied.Joined) state.apply(version)).state();
    }
    return state;
  }

  @Test
  void aThousandUnitsOfAHundredNodesWithAHundredSiblingsAreSettledAndStaySmall() {
    List<Version> versions = crowd(100);
    RecordState state = applied(versions);
    Policy policy = Policy.builder("t").fallback("highest-value").manualThreshold(0.99).build();
    View view = Deriver.derive(KEY, state, policy);
    assertThat(((JsonObject) view.data()).members().size()).isEqualTo(1_001);
    assertThat(Path.of("hot").in(view.data())).isEqualTo(Json.of(99));
    byte[] bytes = StateCodec.toBytes(state);
    assertThat(bytes.length).as("as docs/library.md says").isLessThan(64 << 10);
    assertThat(StateCodec.fromBytes(bytes)).isEqualTo(state);
    RecordState left = applied(versions.subList(0, 50));
    RecordState right = applied(versions.subList(50, 100));
    assertThat(StateCodec.toBytes(left.join(right))).isEqualTo(bytes);
  }

  @Test
  void tenThousandSiblingsAreLeftToAPersonWithTheReason() {
    RecordState state = siblings(10_000);
    Policy policy =
        Policy.builder("t")
            .fallback("union")
            .manualThreshold(0.5)
            .invariant("small", "!has(data.hot) || data.hot < 5", Severity.HIGH)
            .build();
    View view = Deriver.derive(KEY, state, policy);
    Resolution hot =
        view.resolutions().stream()
            .filter(r -> r.conflict().label().equals("hot"))
            .findFirst()
            .orElseThrow();
    assertThat(hot.isPending()).isTrue();
    assertThat(hot.explanation())
        .startsWith("10000 values compete, more than the 100 that rules are asked about")
        .contains("and 9995 others")
        .hasSizeLessThan(1_000);
    assertThat(hot.value()).isEqualTo(Json.of("agreed"));
    assertThat(Describe.conflict(KEY, hot).get("competingInAll")).isEqualTo(Json.of(10_000));
    assertThat(Describe.conflict(KEY, hot).toString().length()).isLessThan(100_000);
  }

  /** Made at once: a crowd does not come one by one through a door that stops at 64. */
  private static RecordState siblings(int count) {
    List<Dot> dots = new ArrayList<>();
    List<Assignment> heads = new ArrayList<>();
    List<Assignment> values = new ArrayList<>();
    Dot base = new Dot(new NodeId("base.1"), 1);
    CausalContext context = CausalContext.of(VersionVector.of(base));
    Ancestor agreed = new Ancestor(List.of(base), "op", Json.of("agreed"));
    Map<NodeId, Long> numbers = new TreeMap<>();
    numbers.put(base.node(), 1L);
    for (int i = 0; i < count; i++) {
      NodeId node = new NodeId(String.format("n-%03d.1", i / 100));
      Dot dot = new Dot(node, i % 100 + 1);
      numbers.merge(node, dot.number(), Math::max);
      HybridTime time = HybridTime.ofMillis(1_763_802_000_000L + i);
      dots.add(dot);
      heads.add(new Assignment(dot, context, time, time, "a" + i, JsonObject.EMPTY, List.of()));
      values.add(new Assignment(dot, context, time, time, "a" + i, Json.of(i), List.of(agreed)));
    }
    Map<CellId, Cell> cells = new TreeMap<>();
    cells.put(CellId.register(Unit.ALIVE), new Register(SortedArrayMap.ofSorted(dots, heads)));
    cells.put(CellId.register(HOT), new Register(SortedArrayMap.ofSorted(dots, values)));
    return new RecordState(VersionVector.of(numbers), SortedArrayMap.copyOf(cells));
  }
}
