// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.StoreException;
import dev.entente.engine.store.Table;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A node that ends between any two commits of its long work loses nothing that it had acknowledged,
 * and brings back nothing that it had erased; the work is then done as if nothing had happened. Of
 * many rounds with {@code -Dentente.cut.rounds=100}.
 */
class CutOffTest {
  private static final int ROUNDS = Integer.getInteger("entente.cut.rounds", 12);
  private static final String SECRET = "Rosalind Sharp-Quillon";
  private static final RecordKey ERASED = new RecordKey("main", "t", "erased");
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final Map<RecordKey, Json> acknowledged = new TreeMap<>();
  private int cutDuringWork;
  private int done;

  @AfterEach
  void bothHappened() {
    assertThat(cutDuringWork).as("rounds that ended in the middle").isPositive();
    assertThat(done).as("rounds that were done").isPositive();
  }

  /** A store whose process ends after some more commits. */
  private static final class Cut implements Store {
    private final Store to;
    private int left;

    Cut(Store to, int commits) {
      this.to = to;
      this.left = commits;
    }

    @Override
    public byte @Nullable [] get(Table table, byte[] key) {
      return to.get(table, key);
    }

    @Override
    public void scan(
        Table table, byte[] from, byte @Nullable [] until, boolean reverse, Visitor visitor) {
      to.scan(table, from, until, reverse, visitor);
    }

    @Override
    public void copy(Copier copier) {
      to.copy(copier);
    }

    @Override
    public void commit(Batch batch) {
      if (left <= 0) {
        throw new StoreException("the process has ended", new IOException("cut"));
      }
      left--;
      to.commit(batch);
    }

    @Override
    public void close() {}
  }

  private Node open(Store store) {
    return Node.open(store, NodeConfig.DEFAULT.withName("n").withClock(now::get).onCallersThread());
  }

  private void put(Node node, RecordKey key, String value) {
    now.addAndGet(1_000);
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(value)));
    Outcome outcome = node.write(WriteRequest.of(key, edit, new Seen.Everything(), "ann")).join();
    if (outcome instanceof Outcome.Accepted && !key.equals(ERASED)) {
      acknowledged.put(key, JsonObject.of("v", Json.of(value)));
    }
  }

  private void fill(Node node, Random random) {
    acknowledged.clear();
    for (int i = 0; i < 6 + random.nextInt(12); i++) {
      put(node, new RecordKey("main", "t", "r" + random.nextInt(4)), "value " + random.nextInt());
      put(node, ERASED, SECRET + " " + i);
    }
  }

  private void check(Node node) {
    acknowledged.forEach(
        (key, value) -> assertThat(node.read(key).view().data()).as("%s", key).isEqualTo(value));
    assertThat(node.verify(_ -> {}).broken()).isEmpty();
  }

  private static boolean holdsSecret(Store store) {
    boolean[] found = {false};
    for (Table table : Table.values()) {
      store.scan(
          table,
          new byte[0],
          (key, value) -> {
            found[0] |= new String(value, StandardCharsets.ISO_8859_1).contains(SECRET);
            return !found[0];
          });
    }
    return found[0];
  }

  /** Long work of a node. */
  @FunctionalInterface
  private interface Work {
    void on(Node node);
  }

  /** Does it, with writes before and behind, until the process ends. */
  private void until(Store store, int commits, Work work) {
    Cut cut = new Cut(store, commits);
    boolean began = false;
    try {
      Node node = open(cut);
      put(node, new RecordKey("main", "t", "before"), "b" + commits);
      began = true;
      work.on(node);
      done++;
      began = false;
      put(node, new RecordKey("main", "t", "behind"), "b" + commits);
    } catch (CompletionException | StoreException | IllegalStateException e) {
      assertThat(cut.left).as("it ended because it was cut: %s", e).isZero();
      cutDuringWork += began ? 1 : 0;
    }
  }

  private static void carryOut(Node node) {
    List<NodeId> members = List.of(node.id());
    Retention retention = new Retention(node, 30);
    retention.tell(members);
    node.erasures().carryOut(retention.stable(members), members);
  }

  @Test
  void erasing() {
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(round);
      MemoryStore store = new MemoryStore();
      fill(open(store), random);
      boolean[] erased = {false};
      until(
          store,
          random.nextInt(16),
          node -> {
            for (WriteRequest request : node.erasures().requests(ERASED, "officer", "why")) {
              node.write(request).join();
              erased[0] |= request.key().equals(ERASED);
            }
            carryOut(node);
          });
      Node again = open(store);
      check(again);
      if (erased[0]) {
        assertThat(again.read(ERASED).view().exists()).as("round %s", round).isFalse();
        carryOut(again);
        assertThat(holdsSecret(store)).as("round %s", round).isFalse();
        check(open(store));
      } else {
        assertThat(holdsSecret(store)).as("round %s", round).isTrue();
      }
    }
  }

  @Test
  void retention() {
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(round);
      MemoryStore store = new MemoryStore();
      fill(open(store), random);
      now.addAndGet(Duration.ofDays(31).toMillis());
      until(store, random.nextInt(12), CutOffTest::prune);
      Node again = open(store);
      check(again);
      prune(again);
      check(again);
      check(open(store));
      assertThat(again.read(ERASED).view().exists()).isTrue();
    }
  }

  private static void prune(Node node) {
    Retention retention = new Retention(node, 30);
    List<NodeId> members = List.of(node.id());
    retention.tell(members);
    retention
        .limits("main")
        .ifPresent(
            limits -> retention.run("main", limits, retention.stable(members), false, _ -> true));
  }

  @Test
  void rebuilding() {
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(round);
      MemoryStore store = new MemoryStore();
      Node node = open(store);
      fill(node, random);
      byte[] before = StateCodec.toBytes(node.read(ERASED).state());
      Batch damage = new Batch();
      damage.delete(Table.RECORDS, Keys.of(ERASED));
      store.commit(damage);
      try {
        new Reconstruction(new Cut(store, random.nextInt(6)), 200, _ -> {}).rebuild();
        done++;
      } catch (StoreException e) {
        cutDuringWork++;
        if (random.nextBoolean()) {
          // Interrupted once more while the node that opens the store repeats it.
          try (Node half = open(new Cut(store, random.nextInt(3)))) {
            assertThat(half.id().name()).isEqualTo("n");
          } catch (StoreException again) {
            assertThat(again).hasMessageContaining("ended");
          }
        }
      }
      Node again = open(store);
      check(again);
      assertThat(StateCodec.toBytes(again.read(ERASED).state())).isEqualTo(before);
    }
  }

  @Test
  void backingUpAndRestoring() throws IOException {
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(round);
      MemoryStore store = new MemoryStore();
      Node node = open(store);
      fill(node, random);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      node.copyTo(out);
      byte[] whole = out.toByteArray();
      byte[] cut = Arrays.copyOf(whole, random.nextInt(whole.length));
      assertThatThrownBy(() -> Bootstrap.check(new ByteArrayInputStream(cut), _ -> {}))
          .as("round %s", round)
          .isInstanceOf(IOException.class);
      NodeConfig config = NodeConfig.DEFAULT.withFreshIncarnation();
      MemoryStore restored = new MemoryStore();
      Cut ending = new Cut(restored, random.nextInt(5));
      try {
        Bootstrap.restore(new ByteArrayInputStream(whole), ending, config, _ -> {});
        done++;
      } catch (StoreException e) {
        cutDuringWork++;
        MemoryStore half = restored;
        assertThat(half.get(Table.META, Node.FORMAT) == null || Bootstrap.isUnfinished(half))
            .isTrue();
        if (Bootstrap.isUnfinished(half)) {
          assertThatThrownBy(() -> open(half)).hasMessageContaining("not finished");
        }
        restored = new MemoryStore();
        Bootstrap.restore(new ByteArrayInputStream(whole), restored, config, _ -> {});
      }
      check(open(restored));
      check(node);
    }
  }

  @Test
  void restoringToAMoment() {
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(round);
      MemoryStore store = new MemoryStore();
      Node first = open(store);
      fill(first, random);
      Map<RecordKey, Json> then = new TreeMap<>(acknowledged);
      Snapshot moment = first.read(ERASED);
      put(first, ERASED, "later");
      boolean[] back = {false};
      until(
          store,
          random.nextInt(5),
          node -> {
            node.write(WriteRequest.rollback(moment, "op", "why")).join();
            back[0] = true;
          });
      Node again = open(store);
      check(again);
      assertThat(acknowledged.keySet()).containsAll(then.keySet());
      if (back[0]) {
        assertThat(again.read(ERASED).view().data().toString())
            .isEqualTo(moment.view().data().toString());
      }
      assertThat(again.history(ERASED, Long.MAX_VALUE, 100)).isNotEmpty();
    }
  }
}
