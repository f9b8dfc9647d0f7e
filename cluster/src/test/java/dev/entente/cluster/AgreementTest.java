// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.Agreement.Kind;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Digest;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Sender;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Table;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What two nodes hold is compared while they write; damage is told from what is on its way. */
class AgreementTest {
  private final MemoryStore leftStore = new MemoryStore();
  private final MemoryStore rightStore = new MemoryStore();
  private Node left = open(leftStore, "left");
  private Node right = open(rightStore, "right");

  private static Node open(MemoryStore store, String name) {
    return Node.open(store, NodeConfig.DEFAULT.withName(name).onCallersThread());
  }

  /** The other node, through the bytes that travel. */
  private record Bytes(Node node) implements Replica {
    @Override
    public Sender sender() {
      return Sender.at(node.id(), "");
    }

    @Override
    public Digest digest() {
      return Wire.digest(Wire.toBytes(node.digest()));
    }

    @Override
    public List<Digest.Entry> bucket(int bucket) {
      return Wire.bucket(Wire.bucketToBytes(node.digest(bucket, Integer.MAX_VALUE)));
    }

    @Override
    public List<byte[]> versions(RecordKey key) {
      return Wire.versions(Wire.versionsToBytes(node.versions(key)));
    }
  }

  private static RecordKey key(int i) {
    return new RecordKey(i % 2 == 0 ? "main" : "other", "t", "r" + i);
  }

  private static void put(Node node, int i, String value) {
    node.write(
            WriteRequest.of(
                key(i),
                new Edit.Put(JsonObject.of("v", Json.of(value))),
                new Seen.Everything(),
                "ann"))
        .join();
  }

  private void exchange() {
    right.take(left.ship(right.cursor(left.id()), right.known(), 1 << 20)).join();
    left.take(right.ship(left.cursor(right.id()), left.known(), 1 << 20)).join();
    right.take(left.ship(right.cursor(left.id()), right.known(), 1 << 20)).join();
  }

  private void fill() {
    for (int i = 0; i < 100; i++) {
      put(i % 3 == 0 ? left : right, i, "first");
    }
    exchange();
  }

  /** Puts other bytes where a state was, and starts the node again. */
  private void damage(int i, byte @Nullable [] state) {
    Batch batch = new Batch();
    if (state == null) {
      batch.delete(Table.RECORDS, Keys.of(key(i)));
    } else {
      batch.put(Table.RECORDS, Keys.of(key(i)), state);
    }
    left.close();
    leftStore.commit(batch);
    left = open(leftStore, "left");
  }

  private Agreement compare(boolean mend) throws IOException, InterruptedException {
    return Agreement.of(left, new Bytes(right), mend);
  }

  @Test
  void nodesThatHoldTheSameAgreeAndWhatIsOnItsWayIsNoFinding()
      throws IOException, InterruptedException {
    fill();
    assertThat(compare(false)).isEqualTo(new Agreement(100, 0, List.of()));
    put(left, 1, "newer here");
    put(right, 2, "newer there");
    put(right, 200, "new there");
    Agreement agreement = compare(false);
    assertThat(agreement.buckets()).isBetween(1, 3);
    assertThat(agreement.findings()).isEmpty();
  }

  @Test
  void aLostStateIsWorkedOutAnewFromTheLog() throws IOException, InterruptedException {
    fill();
    for (int lost : List.of(3, 4)) {
      damage(lost, null);
      assertThat(compare(false).findings())
          .containsExactly(new Agreement.Finding(key(lost), Kind.MISSING_HERE, false));
      assertThat(Agreement.of(right, new Bytes(left), true).findings())
          .as("the other node sees it, and cannot mend it")
          .containsExactly(new Agreement.Finding(key(lost), Kind.MISSING_THERE, false));
      assertThat(compare(true).findings())
          .containsExactly(new Agreement.Finding(key(lost), Kind.MISSING_HERE, true));
      assertThat(compare(false).buckets()).isZero();
    }
    assertThat(left.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void aStateThatIsNotWhatItsVersionsSayIsFoundAndMended()
      throws IOException, InterruptedException {
    fill();
    put(right, 6, "second");
    exchange();
    byte[] other = StateCodec.toBytes(left.read(key(6)).state());
    for (int i = 0; i + 5 < other.length; i++) {
      if (other[i] == 's' && other[i + 1] == 'e' && other[i + 2] == 'c') {
        other[i] = 'S';
      }
    }
    damage(6, other);
    assertThat(compare(true).findings())
        .containsExactly(new Agreement.Finding(key(6), Kind.OTHER_STATE, true));
    assertThat(compare(false).findings()).isEmpty();
    assertThat(left.read(key(6)).view().data().toString()).contains("second");
  }

  @Test
  void aVersionThatTheLogHasLostComesBackFromTheOther() throws IOException, InterruptedException {
    fill();
    long position = left.history(key(8), Long.MAX_VALUE, 1).getFirst().position();
    Batch lost = new Batch();
    lost.delete(Table.LOG, Keys.with(Keys.of(key(8).tenant()), position));
    lost.delete(Table.DOTS, Keys.with(Keys.of("main", right.id().value()), 0));
    leftStore.scan(
        Table.DOTS,
        new byte[0],
        (at, value) -> {
          if (Keys.lastNumber(value) == position) {
            lost.delete(Table.DOTS, at);
          }
          return true;
        });
    leftStore.commit(lost);
    damage(8, null);
    assertThat(compare(true).findings())
        .containsExactly(new Agreement.Finding(key(8), Kind.MISSING_HERE, true));
    assertThat(compare(false).buckets()).isZero();
  }
}
