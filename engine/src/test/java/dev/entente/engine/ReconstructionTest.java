// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** States are derived: what is damaged is worked out again from the log. */
class ReconstructionTest {
  private static final int RECORDS = 30;
  private final Store store = new MemoryStore();
  private Map<String, String> before = Map.of();

  @BeforeEach
  void write() throws PolicyException {
    Random chance = new Random(7);
    Node node = Node.open(store, NodeConfig.DEFAULT.withName("n"));
    node.putPolicy(
            "main",
            """
            type: t
            default: last-writer-wins
            fields: {tags: {cell: set}, body: {cell: text}, n: {cell: counter}}
            """,
            "op")
        .join();
    List<WriteRequest> requests = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      RecordKey key =
          new RecordKey(i % 3 == 0 ? "other" : "main", "t", "r" + chance.nextInt(RECORDS));
      Edit edit =
          switch (chance.nextInt(4)) {
            case 0 -> new Edit.Put((JsonObject) Json.of(Map.of("plain", i)));
            case 1 -> new Edit.Operations(List.of(new Operation.Increment(Path.of("n"), i)));
            case 2 ->
                new Edit.Operations(
                    List.of(
                        new Operation.EditSet(
                            Path.of("tags"), List.of(Json.of("t" + i)), List.of())));
            default -> new Edit.MergePatch(Json.of(Map.of("body", "text " + i)));
          };
      Seen seen = chance.nextBoolean() ? new Seen.Everything() : new Seen.Nothing();
      requests.add(WriteRequest.of(key, edit, seen, "a" + chance.nextInt(3)));
    }
    node.writeAll(requests).join();
    node.write(
            WriteRequest.of(
                new RecordKey("main", "t", "r1"), new Edit.Delete(), new Seen.Everything(), "a"))
        .join();
    before = states();
    // The store outlives the node: what closes here is only what runs.
  }

  private Map<String, String> states() {
    Map<String, String> states = new TreeMap<>();
    store.scan(
        Table.RECORDS,
        new byte[0],
        (key, value) -> {
          states.put(HexFormat.of().formatHex(key), HexFormat.of().formatHex(value));
          return true;
        });
    return states;
  }

  private static byte[] place(String id) {
    return Keys.of(new RecordKey("main", "t", id));
  }

  @Test
  void aSoundStoreIsFoundSound() {
    Reconstruction.Found found = new Reconstruction(store, 50, _ -> {}).check();
    assertThat(found.wrong()).isZero();
    assertThat(found.records()).isEqualTo(before.size());
    assertThat(states()).isEqualTo(before);
  }

  @Test
  void whatIsDamagedIsFoundAndWorkedOutAgain() {
    byte[] another = store.get(Table.RECORDS, place("r3"));
    Batch damage = new Batch();
    damage.put(Table.RECORDS, place("r2"), another);
    damage.put(Table.RECORDS, place("r4"), new byte[] {1, 2, 3});
    damage.delete(Table.RECORDS, place("r5"));
    store.commit(damage);
    assertThat(Reconstruction.check(store, _ -> {}).wrong()).isEqualTo(3);
    // Few at a time, so that the log is gone through more than once.
    Reconstruction.Found rebuilt = new Reconstruction(store, 50, _ -> {}).rebuild();
    assertThat(rebuilt.records()).isEqualTo(before.size());
    assertThat(states()).isEqualTo(before);
    assertThat(Reconstruction.check(store, _ -> {}).wrong()).isZero();
  }

  @Test
  void aDamagedRecordIsRebuiltWhileTheNodeServes() {
    byte[] another = store.get(Table.RECORDS, place("r3"));
    RecordKey key = new RecordKey("main", "t", "r2");
    for (byte[] wrong : List.of(another, new byte[] {1, 2, 3}, new byte[0])) {
      Batch damage = new Batch();
      if (wrong.length == 0) {
        damage.delete(Table.RECORDS, place("r2"));
      } else {
        damage.put(Table.RECORDS, place("r2"), wrong);
      }
      store.commit(damage);
      try (Node node = Node.open(store, NodeConfig.DEFAULT.withName("n"))) {
        assertThat(node.rebuild(key).join()).isTrue();
        assertThat(states()).isEqualTo(before);
        assertThat(node.rebuild(key).join()).isFalse();
        assertThat(node.rebuild(new RecordKey("main", "t", "none")).join()).isFalse();
      }
    }
  }

  @Test
  void aRecordThatIsDamagedInTheStoreOnlyIsRebuilt() {
    RecordKey key = new RecordKey("main", "t", "r2");
    try (Node node = Node.open(store, NodeConfig.DEFAULT.withName("n"))) {
      Edit put = new Edit.Put(JsonObject.of("v", Json.of(7)));
      node.write(WriteRequest.of(key, put, new Seen.Everything(), "ann")).join();
      byte[] right = store.get(Table.RECORDS, place("r2"));
      Batch damage = new Batch();
      damage.put(Table.RECORDS, place("r2"), new byte[] {1, 2, 3});
      store.commit(damage);
      assertThat(node.rebuild(key).join()).isTrue();
      assertThat(store.get(Table.RECORDS, place("r2"))).isEqualTo(right);
    }
  }

  @Test
  void aNodeGoesOnWithWhatWasRebuilt() {
    store.clear(Table.RECORDS);
    Reconstruction.rebuild(store, _ -> {});
    try (Node node = Node.open(store, NodeConfig.DEFAULT.withName("n"))) {
      assertThat(node.read(new RecordKey("main", "t", "r1")).view().exists()).isFalse();
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
    }
  }
}
