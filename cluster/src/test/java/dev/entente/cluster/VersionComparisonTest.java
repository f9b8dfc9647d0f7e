// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.VersionComparison.Mismatch;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Shipment;
import dev.entente.engine.VersionIndex;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Nodes find, by themselves, that they hold different versions under the same numbers. */
class VersionComparisonTest {
  private final Node a = open(new MemoryStore(), "a");
  private final Node b = open(new MemoryStore(), "b");

  private static Node open(MemoryStore store, String name) {
    return Node.open(store, NodeConfig.DEFAULT.withName(name).onCallersThread());
  }

  /** A node's versions, through the bytes that travel. */
  private record Bytes(VersionSource source) implements VersionSource {
    static Bytes of(Node node) {
      return new Bytes(VersionSource.of(node));
    }

    @Override
    public VersionVector known() throws IOException, InterruptedException {
      return Wire.vector(Wire.toBytes(source.known()));
    }

    @Override
    public List<Long> sums(NodeId author, long after, long upTo)
        throws IOException, InterruptedException {
      return Wire.sums(Wire.sumsToBytes(source.sums(author, after, upTo)));
    }

    @Override
    public VersionIndex.Entries entries(NodeId author, long after, long upTo)
        throws IOException, InterruptedException {
      return Wire.entries(Wire.toBytes(source.entries(author, after, upTo)));
    }

    @Override
    public List<byte[]> versions(NodeId author, long after, long upTo)
        throws IOException, InterruptedException {
      return Wire.versions(Wire.versionsToBytes(source.versions(author, after, upTo)));
    }
  }

  private static void put(Node node, String id, String value) {
    node.write(
            WriteRequest.of(
                new RecordKey("main", "t", id),
                new Edit.Put(JsonObject.of("v", Json.of(value))),
                new Seen.Everything(),
                "ann"))
        .join();
  }

  private static void pull(Node to, Node from) {
    to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 24)).join();
  }

  private static List<Mismatch> compare(Node here, Node there)
      throws IOException, InterruptedException {
    return new VersionComparison(here).compare(there.id(), Bytes.of(there));
  }

  private static MemoryStore copy(MemoryStore store) {
    MemoryStore copy = new MemoryStore();
    Batch batch = new Batch();
    for (Table table : Table.values()) {
      store.scan(
          table,
          new byte[0],
          (key, value) -> {
            batch.put(table, key, value);
            return true;
          });
    }
    copy.commit(batch);
    return copy;
  }

  @Test
  void nodesThatExchangedAllAgreeAndGoOnAgreeingWhileTheyWrite()
      throws IOException, InterruptedException {
    VersionComparison comparison = new VersionComparison(a);
    for (int i = 0; i < 2_500; i++) {
      put(i % 3 == 0 ? b : a, "r" + i % 50, "v" + i);
      if (i % 700 == 0) {
        pull(a, b);
        assertThat(comparison.compare(b.id(), Bytes.of(b))).isEmpty();
      }
    }
    pull(b, a);
    pull(a, b);
    assertThat(comparison.compare(b.id(), Bytes.of(b))).isEmpty();
    assertThat(compare(b, a)).isEmpty();
  }

  /** What one node refused for good is missing nowhere, seen from whichever side. */
  @Test
  void versionsThatWereRefusedForGoodAreNotMissing() throws IOException, InterruptedException {
    AccessKeys keys = AccessKeys.of("the administrator's token", Set.of());
    a.demandProofs(keys);
    for (String type : List.of("account", "token", "webhook")) {
      b.write(
              WriteRequest.of(
                  new RecordKey("_entente", type, "mallory"),
                  new Edit.Put(JsonObject.of("status", Json.of("active"))),
                  new Seen.Everything(),
                  "mallory"))
          .join();
    }
    put(b, "x", "1");
    pull(a, b);
    Node c = open(new MemoryStore(), "c");
    c.demandProofs(keys);
    pull(c, a);
    assertThat(compare(a, b)).isEmpty();
    assertThat(compare(b, a)).isEmpty();
    assertThat(compare(a, c)).isEmpty();
    assertThat(compare(c, a)).isEmpty();
  }

  /** A number that is only claimed does not keep the comparison busy for ever. */
  @Test
  void aClaimOfManyNumbersIsComparedInBoundedSteps() throws IOException, InterruptedException {
    put(b, "x", "1");
    a.take(
            new Shipment(
                b.id(), 0, List.of(), 1L << 60, true, b.known().with(new Dot(b.id(), 1L << 60))))
        .join();
    assertThat(a.known().get(b.id())).isEqualTo(1L << 60);
    VersionSource endless =
        new VersionSource() {
          @Override
          public VersionVector known() {
            return VersionVector.EMPTY.with(new Dot(b.id(), 1L << 60));
          }

          @Override
          public List<Long> sums(NodeId author, long after, long upTo) {
            return a.versionIndex().sums(author, after, upTo);
          }

          @Override
          public VersionIndex.Entries entries(NodeId author, long after, long upTo) {
            return a.versionIndex().entries(author, after, upTo);
          }

          @Override
          public List<byte[]> versions(NodeId author, long after, long upTo) {
            return List.of();
          }
        };
    assertThat(new VersionComparison(a).compare(b.id(), endless)).isEmpty();
    assertThat(new VersionMending(a, Map.of(b.id(), endless)).disputed()).isEmpty();
  }

  @Test
  void aDirectoryThatWasPutBackIsFoundByTheOthersAndByItself()
      throws IOException, InterruptedException {
    MemoryStore store = new MemoryStore();
    Node c = open(store, "c");
    put(c, "old", "1");
    MemoryStore earlier = copy(store);
    put(c, "first life", "2");
    pull(a, c);
    // In its second life it is ahead of what the others have, so that nobody sees it by numbers.
    Node again = open(earlier, "c");
    put(again, "second life", "3");
    put(again, "second life", "4");
    pull(a, again);
    assertThat(compare(a, again)).containsExactly(new Mismatch(again.id(), again.id(), 2, 1, 0, 0));
    assertThat(compare(again, a)).containsExactly(new Mismatch(a.id(), again.id(), 2, 1, 0, 0));
  }

  @Test
  void nodesThatEachTookOneLifeOfAThirdFindThatOfEachOther()
      throws IOException, InterruptedException {
    MemoryStore store = new MemoryStore();
    Node c = open(store, "c");
    for (int i = 0; i < 1_500; i++) {
      put(c, "r" + i, "1");
    }
    MemoryStore earlier = copy(store);
    put(c, "first life", "2");
    pull(a, c);
    Node again = open(earlier, "c");
    put(again, "second life", "3");
    pull(b, again);
    assertThat(compare(a, b)).containsExactly(new Mismatch(b.id(), c.id(), 1_501, 1, 0, 0));
    assertThat(compare(b, a)).containsExactly(new Mismatch(a.id(), c.id(), 1_501, 1, 0, 0));
  }

  @Test
  void aVersionThatWasChangedOnTheWayIsFoundByWhoeverComparesWithTheAuthorOrAnother()
      throws IOException, InterruptedException {
    Node c = open(new MemoryStore(), "c");
    put(c, "x", "honest");
    put(c, "x", "honest too");
    pull(a, c);
    List<byte[]> forged = new ArrayList<>();
    for (byte[] bytes : c.versions(new RecordKey("main", "t", "x"))) {
      Version version = VersionCodec.fromBytes(bytes);
      forged.add(VersionCodec.toBytes(version.toBuilder().author("mallory").build()));
    }
    b.receive(forged).join();
    pull(b, c);
    assertThat(compare(b, c)).containsExactly(new Mismatch(c.id(), c.id(), 1, 2, 0, 0));
    assertThat(compare(b, a)).containsExactly(new Mismatch(a.id(), c.id(), 1, 2, 0, 0));
    assertThat(compare(a, c)).isEmpty();
  }

  @Test
  void aStoreOfAnEarlierReleaseIsIndexedWhenItIsOpened() throws IOException, InterruptedException {
    MemoryStore store = new MemoryStore();
    Node c = open(store, "c");
    put(a, "theirs", "1");
    pull(c, a);
    put(c, "mine", "1");
    pull(a, c);
    Batch none = new Batch();
    store.scan(
        Table.VERSION_INDEX,
        new byte[0],
        (key, _) -> {
          none.delete(Table.VERSION_INDEX, key);
          return true;
        });
    none.delete(Table.META, Keys.of("version-index-complete"));
    store.commit(none);
    Node again = open(store, "c");
    assertThat(compare(again, a)).isEmpty();
    assertThat(again.versionIndex().entries(a.id(), 0, 9).entries()).hasSize(1);
  }

  @Test
  void aFindingEndsWhenTheDifferenceDoes() throws IOException, InterruptedException {
    MemoryStore store = new MemoryStore();
    Node c = open(store, "c");
    put(c, "x", "1");
    pull(a, c);
    byte[] key = Keys.with(Keys.of("c.1"), 1);
    byte[] value = store.get(Table.VERSION_INDEX, key);
    Batch lost = new Batch();
    lost.delete(Table.VERSION_INDEX, key);
    store.commit(lost);
    VersionComparison comparison = new VersionComparison(a);
    assertThat(comparison.compare(c.id(), Bytes.of(c)))
        .containsExactly(new Mismatch(c.id(), c.id(), 1, 0, 0, 1));
    assertThat(comparison.found()).hasSize(1);
    Batch back = new Batch();
    back.put(Table.VERSION_INDEX, key, value);
    store.commit(back);
    assertThat(comparison.compare(c.id(), Bytes.of(c))).isEmpty();
    assertThat(comparison.found()).isEmpty();
  }
}
