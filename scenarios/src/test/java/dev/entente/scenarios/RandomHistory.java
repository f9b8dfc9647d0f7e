// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Change;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Random writes of one record at several nodes that now and then tell each other; all from one
 * seed.
 */
final class RandomHistory {
  static final RecordKey KEY = new RecordKey("main", "t", "r");
  private final Random random;
  private final Policy policy;
  final List<RecordState> states = new ArrayList<>();
  final List<Version> versions = new ArrayList<>();

  /** Every state that any node was ever in. */
  final List<RecordState> reached = new ArrayList<>();

  RandomHistory(long seed, Policy policy, int nodes, int steps) {
    this.random = new Random(seed);
    this.policy = policy;
    for (int i = 0; i < nodes; i++) {
      states.add(RecordState.EMPTY);
    }
    long[] numbers = new long[nodes];
    for (int step = 0; step < steps; step++) {
      int node = random.nextInt(nodes);
      if (random.nextInt(4) == 0) {
        states.set(
            node,
            states.get(node).join(states.get(random.nextInt(nodes)), () -> Past.of(versions)));
      } else {
        numbers[node] += 1 + random.nextInt(3);
        write(node, numbers[node], step);
      }
      reached.add(states.get(node));
    }
  }

  private void write(int node, long number, int step) {
    RecordState state = states.get(node);
    boolean blind = random.nextInt(6) == 0;
    RecordState seen = blind ? RecordState.EMPTY : state;
    Json base = Deriver.derive(KEY, seen, policy).data();
    NodeId id = new NodeId("n" + node);
    try {
      List<Change> changes =
          Authoring.changes(seen, policy, "author-" + random.nextInt(4), base, edit(base));
      if (changes.isEmpty()) {
        return;
      }
      HybridTime time = HybridTime.ofMillis(1_000 + step * 40L);
      Version version =
          Version.builder(new Dot(id, number), KEY)
              .previous(state.context().get(id))
              .context(CausalContext.of(seen.context()))
              .acceptedAt(time)
              .time(HybridTime.ofMillis(1_000 + random.nextInt(4_000)))
              .author("author-" + random.nextInt(4))
              .changes(changes)
              .build();
      if (!(state.apply(version, () -> Past.of(versions))
          instanceof RecordState.Applied.Joined(RecordState next))) {
        throw new AssertionError("a node's own version follows its own state");
      }
      states.set(node, next);
      versions.add(version);
    } catch (EditProblem e) {
      // A random edit may be impossible on a declared cell; the next one may not be.
      return;
    }
  }

  private Edit edit(Json base) {
    if (random.nextInt(12) == 0 && !base.isAbsent()) {
      return new Edit.Delete();
    }
    FieldRule count = policy.field(Path.of("count"));
    if (count != null && count.cell() == CellKind.BOUNDED_COUNTER && random.nextInt(6) == 0) {
      NodeId to = new NodeId("n" + random.nextInt(3));
      return new Edit.Operations(
          List.of(new Edit.Operation.Give(Path.of("count"), to, 1 + random.nextInt(5))));
    }
    JsonObject document = base instanceof JsonObject object ? object : JsonObject.EMPTY;
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      String name = FIELDS.get(random.nextInt(FIELDS.size()));
      document =
          document.with(
              name,
              policy.recordUnit() || random.nextInt(5) > 0
                  ? value(name, document)
                  : JsonAbsent.ABSENT);
    }
    return new Edit.Put(document);
  }

  private static final List<String> FIELDS =
      List.of(
          "count",
          "tags",
          "status",
          "note",
          "list",
          "nested",
          "volume",
          "expires_at",
          "body",
          "steps");

  private Json value(String name, JsonObject document) {
    return switch (name) {
      case "count" -> Json.of(random.nextInt(100));
      case "tags" ->
          Json.of(random.ints(random.nextInt(4), 0, 6).distinct().mapToObj(i -> "t" + i).toList());
      case "status" ->
          Json.of(List.of("active", "released", "confirmed", "odd").get(random.nextInt(4)));
      case "body", "steps" -> sequence(name, document);
      case "list" -> Json.of(random.ints(random.nextInt(5), 0, 9).boxed().toList());
      case "nested" ->
          (document.get("nested") instanceof JsonObject object ? object : JsonObject.EMPTY)
              .with(
                  "k" + random.nextInt(3),
                  random.nextInt(4) == 0
                      ? Json.of(java.util.Map.of("deep", random.nextInt(3)))
                      : Json.of(random.nextInt(5)));
      default ->
          Json.of(
              random.nextInt(3) == 0
                  ? (Object) ("v" + random.nextInt(4))
                  : (Object) random.nextInt(9));
    };
  }

  /** Changes a few places of what is there. */
  private Json sequence(String name, JsonObject document) {
    List<Json> items = new ArrayList<>();
    if (document.get(name) instanceof JsonArray array) {
      items.addAll(array.items());
    } else if (document.get(name) instanceof JsonString(String text)) {
      text.codePoints().forEach(c -> items.add(Json.of(Character.toString(c))));
    }
    for (int i = random.nextInt(4); i > 0; i--) {
      if (!items.isEmpty() && random.nextInt(3) == 0) {
        items.remove(random.nextInt(items.size()));
      } else {
        items.add(
            random.nextInt(items.size() + 1), Json.of(Character.toString('a' + random.nextInt(9))));
      }
    }
    if (name.equals("steps")) {
      return new JsonArray(items);
    }
    StringBuilder text = new StringBuilder();
    items.forEach(item -> text.append(((JsonString) item).value()));
    return Json.of(text.toString());
  }
}
