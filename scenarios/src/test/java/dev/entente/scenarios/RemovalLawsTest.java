// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.CausalInbox;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Removing a cell of any kind, and making a record anew, under every order of delivery. */
class RemovalLawsTest {
  private static final Path FIELD = Path.of("f");
  private final List<Version> versions = new ArrayList<>();

  private static Policy policy(CellKind kind) {
    return Policy.builder("t").field("f", kind).fallback("last-writer-wins").build();
  }

  /** Two contents for each kind, the second reached by adding to nothing. */
  private static Json content(CellKind kind, boolean other) {
    return switch (kind) {
      case COUNTER, GROW_ONLY_COUNTER, BOUNDED_COUNTER -> Json.of(other ? 3 : 5);
      case SET, GROW_ONLY_SET, REMOVE_WINS_SET, LIST -> Json.of(List.of(other ? "z" : "a"));
      case TEXT -> Json.of(other ? "zzz" : "abc");
      case MAP -> Json.of(Map.of(other ? "z" : "a", 1));
      case REGISTER -> Json.of(other ? "z" : "a");
    };
  }

  private static Json empty(CellKind kind) {
    return switch (kind) {
      case COUNTER, GROW_ONLY_COUNTER, BOUNDED_COUNTER -> Json.of(0);
      case SET, GROW_ONLY_SET, REMOVE_WINS_SET, LIST -> JsonArray.EMPTY;
      case TEXT, REGISTER -> Json.of("");
      case MAP -> JsonObject.EMPTY;
    };
  }

  private static boolean growsOnly(CellKind kind) {
    return kind == CellKind.GROW_ONLY_COUNTER || kind == CellKind.GROW_ONLY_SET;
  }

  /** An addition to what is there. */
  private static Operation addition(CellKind kind) {
    return switch (kind) {
      case COUNTER, GROW_ONLY_COUNTER, BOUNDED_COUNTER -> new Operation.Increment(FIELD, 3);
      case SET, GROW_ONLY_SET, REMOVE_WINS_SET ->
          new Operation.EditSet(FIELD, List.of(Json.of("z")), List.of());
      case LIST -> new Operation.Splice(FIELD, new Splice(0, 0, Json.of(List.of("z"))));
      case TEXT -> new Operation.Splice(FIELD, new Splice(0, 0, Json.of("zzz")));
      case MAP -> new Operation.Set(FIELD.child("z"), Json.of(1));
      case REGISTER -> new Operation.Set(FIELD, Json.of("z"));
    };
  }

  private Json data(RecordState state, CellKind kind) {
    return Deriver.derive(RandomHistory.KEY, state, policy(kind)).data();
  }

  private RecordState write(RecordState at, String node, CellKind kind, Edit edit)
      throws EditProblem {
    NodeId self = new NodeId(node);
    HybridTime time = HybridTime.ofMillis(1_000 + versions.size());
    List<dev.entente.core.record.Change> changes =
        Authoring.changes(at, policy(kind), node, data(at, kind), edit);
    assertThat(changes).isNotEmpty();
    Version version =
        Version.builder(new Dot(self, versions.size() + 1L), RandomHistory.KEY)
            .previous(at.context().get(self))
            .context(CausalContext.of(at.context()))
            .acceptedAt(time)
            .author(node)
            .changes(changes)
            .build();
    versions.add(version);
    RecordState.Applied applied = at.apply(version, () -> Past.of(versions));
    return ((RecordState.Applied.Joined) applied).state();
  }

  /** Delivers all versions in random orders, some twice, through the codec. */
  private RecordState delivered() {
    byte[] expected = null;
    RecordState last = RecordState.EMPTY;
    for (int seed = 0; seed < 10; seed++) {
      Random random = new Random(seed);
      List<Version> arriving = new ArrayList<>(versions);
      arriving.add(versions.get(random.nextInt(versions.size())));
      Collections.shuffle(arriving, random);
      CausalInbox inbox = new CausalInbox(RecordState.EMPTY, 100, () -> Past.of(versions));
      for (Version version : arriving) {
        inbox.offer(VersionCodec.fromBytes(VersionCodec.toBytes(version)));
      }
      last = inbox.state();
      byte[] bytes = StateCodec.toBytes(last);
      assertThat(StateCodec.fromBytes(bytes)).isEqualTo(last);
      if (expected != null) {
        assertThat(bytes).isEqualTo(expected);
      }
      expected = bytes;
    }
    return last;
  }

  private static Edit put(Json field) {
    return new Edit.Put(JsonObject.of("k", Json.of(1)).with("f", field));
  }

  private static Edit putOther(Json field) {
    return new Edit.Put(JsonObject.of("k", Json.of(2)).with("f", field));
  }

  @ParameterizedTest
  @EnumSource(CellKind.class)
  void removedFieldIsGoneUntilItIsWrittenAgain(CellKind kind) throws EditProblem {
    RecordState state = write(RecordState.EMPTY, "n1", kind, put(content(kind, false)));
    if (growsOnly(kind)) {
      assertThatThrownBy(() -> write(state, "n1", kind, put(JsonAbsent.ABSENT)))
          .isInstanceOf(EditProblem.class);
      return;
    }
    RecordState gone = write(state, "n1", kind, put(JsonAbsent.ABSENT));
    assertThat(data(gone, kind)).isEqualTo(Json.of(Map.of("k", 1)));
    for (Json next : List.of(content(kind, true), content(kind, false), empty(kind))) {
      RecordState back = write(gone, "n2", kind, put(next));
      assertThat(data(back, kind)).isEqualTo(((Edit.Put) put(next)).document());
      gone = write(back, "n1", kind, put(JsonAbsent.ABSENT));
      assertThat(data(gone, kind)).isEqualTo(Json.of(Map.of("k", 1)));
    }
    RecordState added = write(gone, "n1", kind, new Edit.Operations(List.of(addition(kind))));
    assertThat(data(added, kind)).isEqualTo(((Edit.Put) put(content(kind, true))).document());
    assertThat(delivered()).isEqualTo(added);
  }

  @ParameterizedTest
  @EnumSource(CellKind.class)
  void emptyFieldIsThere(CellKind kind) throws EditProblem {
    RecordState created = write(RecordState.EMPTY, "n1", kind, put(empty(kind)));
    assertThat(data(created, kind)).isEqualTo(((Edit.Put) put(empty(kind))).document());
    RecordState filled = write(created, "n1", kind, put(content(kind, false)));
    if (!growsOnly(kind)) {
      RecordState emptied = write(filled, "n1", kind, put(empty(kind)));
      assertThat(data(emptied, kind)).isEqualTo(((Edit.Put) put(empty(kind))).document());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = CellKind.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"GROW_ONLY_COUNTER", "GROW_ONLY_SET", "REGISTER", "MAP"})
  void concurrentAdditionBringsBackWhatItAdded(CellKind kind) throws EditProblem {
    RecordState state = write(RecordState.EMPTY, "n1", kind, put(content(kind, false)));
    RecordState first = write(state, "n1", kind, put(JsonAbsent.ABSENT));
    RecordState second = write(state, "n2", kind, put(JsonAbsent.ABSENT));
    RecordState added = write(state, "n3", kind, new Edit.Operations(List.of(addition(kind))));
    RecordState all =
        first.join(second, () -> Past.of(versions)).join(added, () -> Past.of(versions));
    assertThat(data(all, kind)).isEqualTo(((Edit.Put) put(content(kind, true))).document());
    assertThat(delivered()).isEqualTo(all);
    RecordState gone = write(all, "n1", kind, put(JsonAbsent.ABSENT));
    assertThat(data(gone, kind)).isEqualTo(Json.of(Map.of("k", 1)));
    assertThat(delivered()).isEqualTo(gone);
  }

  @ParameterizedTest
  @EnumSource(CellKind.class)
  void recordMadeAnewHoldsNothingOfItsFormerLife(CellKind kind) throws EditProblem {
    RecordState state = write(RecordState.EMPTY, "n1", kind, put(content(kind, false)));
    RecordState deleted = write(state, "n2", kind, new Edit.Delete());
    RecordState erased = write(state, "n2", kind, new Edit.Erase());
    for (RecordState gone : List.of(deleted, erased)) {
      for (Json field :
          List.of(JsonAbsent.ABSENT, content(kind, true), content(kind, false), empty(kind))) {
        RecordState anew = write(gone, "n1", kind, putOther(field));
        assertThat(data(anew, kind)).isEqualTo(((Edit.Put) putOther(field)).document());
        versions.removeLast();
      }
      RecordState operated = write(gone, "n3", kind, new Edit.Operations(List.of(addition(kind))));
      assertThat(data(operated, kind)).isEqualTo(JsonObject.of("f", content(kind, true)));
      versions.removeLast();
      RecordState plain =
          write(
              gone,
              "n3",
              kind,
              new Edit.Operations(List.of(new Operation.Set(Path.of("k"), Json.of(9)))));
      assertThat(data(plain, kind)).isEqualTo(Json.of(Map.of("k", 9)));
      versions.removeLast();
    }
  }

  @ParameterizedTest
  @EnumSource(CellKind.class)
  void objectMadeAnewHoldsNothingOfItsFormerLife(CellKind kind) throws EditProblem {
    Policy policy =
        Policy.builder("t")
            .field(Path.of("o").child("f").toString(), kind)
            .fallback("last-writer-wins")
            .build();
    assertThat(policy.field(Path.of("o").child("f"))).isNotNull();
    RecordState state = RecordState.EMPTY;
    for (Json document :
        List.of(
            Json.of(Map.of("o", JsonObject.of("f", content(kind, false)))),
            Json.of(Map.of("k", 1)),
            Json.of(Map.of("o", Map.of("k", 1))),
            Json.of(Map.of("o", "plain")),
            Json.of(Map.of("o", JsonObject.of("f", content(kind, true)))))) {
      Json base = Deriver.derive(RandomHistory.KEY, state, policy).data();
      List<dev.entente.core.record.Change> changes =
          Authoring.changes(state, policy, "a", base, new Edit.Put((JsonObject) document));
      HybridTime time = HybridTime.ofMillis(1_000 + versions.size());
      NodeId self = new NodeId("n1");
      Version version =
          Version.builder(new Dot(self, versions.size() + 1L), RandomHistory.KEY)
              .previous(state.context().get(self))
              .context(CausalContext.of(state.context()))
              .acceptedAt(time)
              .author("a")
              .changes(changes)
              .build();
      versions.add(version);
      state = ((RecordState.Applied.Joined) state.apply(version)).state();
      assertThat(Deriver.derive(RandomHistory.KEY, state, policy).data()).isEqualTo(document);
    }
    assertThat(delivered()).isEqualTo(state);
  }

  @Test
  void removedBoundedCounterNeverShowsLessThanNothing() throws EditProblem {
    CellKind kind = CellKind.BOUNDED_COUNTER;
    RecordState state = write(RecordState.EMPTY, "n1", kind, put(Json.of(5)));
    RecordState gone = write(state, "n1", kind, put(JsonAbsent.ABSENT));
    RecordState sold =
        write(state, "n2", kind, new Edit.Operations(List.of(new Operation.Increment(FIELD, -2))));
    assertThat(data(gone.join(sold), kind)).isEqualTo(Json.of(Map.of("k", 1, "f", 0)));
    assertThat(delivered()).isEqualTo(gone.join(sold));
  }
}
