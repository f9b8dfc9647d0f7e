// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Duplicate;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.WriteRequest.Sender;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A request that an earlier release accepted is known again, and looked for only where needed. */
class EarlierAnswersTest {
  private static final long NOW = 1_763_802_000_000L;

  private static Node open(Store store) {
    return Node.open(store, NodeConfig.DEFAULT.withName("here").withClock(() -> NOW));
  }

  private static RecordKey key(String tenant) {
    return new RecordKey(tenant, "doc", "r");
  }

  private static Outcome send(Node node, String tenant, String kindAndId) {
    return node.write(
            new WriteRequest(
                key(tenant),
                new Edit.Put(JsonObject.of("v", Json.of(1))),
                new Seen.Nothing(),
                "ann",
                Optional.empty(),
                Optional.of(kindAndId),
                Sender.of("ann"),
                Optional.empty(),
                Optional.empty(),
                ""))
        .join();
  }

  /** What an earlier release kept of a request. */
  private static void putEarlier(Store store, String tenant, String kindAndId) {
    ByteWriter answer = new ByteWriter().u64(4711);
    JsonCodec.write(answer, Json.of(Map.of("outcome", "applied", "recordId", "r")));
    Batch batch = new Batch();
    batch.put(Table.ANSWERS, Keys.of(tenant, kindAndId), answer.toBytes());
    store.commit(batch);
  }

  @Test
  void answersOfAnEarlierReleaseAreFoundInWhicheverTenantTheyAre() {
    for (String tenant : List.of("a", "main", "main2", "z")) {
      Store store = new MemoryStore();
      putEarlier(store, tenant, "eold");
      putEarlier(store, tenant, "ikey");
      try (Node node = open(store)) {
        assertThat(send(node, tenant, "eold")).isInstanceOf(Duplicate.class);
        assertThat(send(node, tenant, "ikey")).isInstanceOf(Duplicate.class);
        assertThat(send(node, tenant, "enew")).isInstanceOf(Accepted.class);
        assertThat(send(node, "other", "eold")).isInstanceOf(Accepted.class);
      }
    }
  }

  @Test
  void oneAmongManyTenantsOfThisReleaseIsEnoughToLookForThem() {
    Store store = new MemoryStore();
    try (Node node = open(store)) {
      for (String tenant : List.of("a", "main", "z")) {
        send(node, tenant, "e1");
        send(node, tenant, "i1");
      }
      assertThat(Answers.holdsEarlier(store)).isFalse();
      putEarlier(store, "main", "eold");
      assertThat(Answers.holdsEarlier(store)).isTrue();
    }
    assertThat(Answers.holdsEarlier(new MemoryStore())).isFalse();
  }

  /** A version of a node of an earlier release says its event's id, and not whose it is. */
  @Test
  void anEventThatANodeOfAnEarlierReleaseAcceptedIsKnownOnceItsVersionCame() {
    try (Node node = open(new MemoryStore())) {
      NodeId there = new NodeId("there.1");
      Version version =
          Version.builder(new Dot(there, 1), key("main"))
              .acceptedAt(HybridTime.ofMillis(NOW))
              .time(HybridTime.ofMillis(NOW))
              .author("ann")
              .eventId(Optional.of("old"))
              .changes(
                  List.of(
                      new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(Ancestor.NOTHING))))
              .build();
      node.take(
              new Shipment(
                  there,
                  0,
                  List.of(new Shipment.Entry(1, VersionCodec.toBytes(version))),
                  1,
                  true,
                  VersionVector.EMPTY.with(new Dot(there, 1))))
          .join();
      assertThat(send(node, "main", "iold")).isInstanceOf(Duplicate.class);
      assertThat(send(node, "main", "inew")).isInstanceOf(Accepted.class);
    }
  }
}
