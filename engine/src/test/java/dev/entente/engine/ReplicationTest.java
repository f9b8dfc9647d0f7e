// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Nodes hand their logs to each other: in causal order, through others, and on from where it broke
 * off.
 */
class ReplicationTest {
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<Node> opened = new ArrayList<>();
  private final MemoryStore leftStore = new MemoryStore();
  private final Node left = open(leftStore, "left");
  private final Node middle = open(new MemoryStore(), "middle");
  private final Node right = open(new MemoryStore(), "right");

  private Node open(Store store, String name) {
    Node node = Node.open(store, NodeConfig.DEFAULT.withName(name).withClock(now::get));
    opened.add(node);
    return node;
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private static RecordKey key(String tenant, String id) {
    return new RecordKey(tenant, "user", id);
  }

  private static void put(Node node, RecordKey key, String value) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(value)));
    node.write(WriteRequest.of(key, edit, new Seen.Everything(), "ann")).join();
  }

  private static Shipment ship(Node from, Node to, int bytesMax) {
    return from.ship(to.cursor(from.id()), to.known(), bytesMax);
  }

  private static int pull(Node from, Node to) {
    return to.take(ship(from, to, 1 << 20)).join().applied();
  }

  @Test
  void whatOneNodeHasReachesAnotherThroughAThird() {
    put(left, key("main", "a"), "1");
    put(left, key("other", "b"), "2");
    assertThat(pull(left, middle)).isEqualTo(2);
    put(middle, key("main", "a"), "3");
    assertThat(pull(middle, right)).isEqualTo(3);
    assertThat(right.known())
        .isEqualTo(VersionVector.of(Map.of(left.id(), 2L, middle.id(), 3L, right.id(), 3L)));
    assertThat(ship(left, right, 1 << 20).entries()).as("what it has is not sent again").isEmpty();
    assertThat(StateCodec.toBytes(right.read(key("main", "a")).state()))
        .isEqualTo(StateCodec.toBytes(middle.read(key("main", "a")).state()));
  }

  @Test
  void aShipmentIsBoundedAndTheNextGoesOnBehindIt() {
    for (int i = 0; i < 40; i++) {
      put(left, key(i % 3 == 0 ? "main" : "other", "r" + i % 7), "value " + i);
    }
    int shipments = 0;
    while (right.known().get(left.id()) < 40) {
      Shipment shipment = ship(left, right, 400);
      assertThat(shipment.entries()).hasSizeBetween(1, 10);
      Intake intake = right.take(shipment).join();
      assertThat(right.take(shipment).join().applied()).as("sent twice").isZero();
      assertThat(intake.upTo()).isEqualTo(shipment.upTo());
      assertThat(right.known().get(left.id())).isEqualTo(shipment.upTo());
      shipments++;
    }
    assertThat(shipments).isGreaterThan(5);
    assertThat(right.changes("main", 0, 100)).hasSameSizeAs(left.changes("main", 0, 100));
  }

  /** An erasure waited for good for nodes that had it, but did not say that they knew it. */
  @Test
  void whatCameOfALogWhoseNodeIsLostBeforeItsEndIsKnownToAll() {
    for (int i = 0; i < 5; i++) {
      put(left, key("main", "r" + i), "value " + i);
    }
    Shipment begin = ship(left, right, 200);
    assertThat(begin.complete()).isFalse();
    right.take(begin).join();
    pull(right, middle);
    assertThat(middle.known().get(left.id())).isEqualTo(begin.upTo()).isPositive();
  }

  @Test
  void whatARelaySentBeforeItWasLostIsKnownOnceItsAuthorHasLeftToo() {
    for (int i = 0; i < 5; i++) {
      put(left, key("main", "r" + i), "value " + i);
      put(left, key("other", "r" + i), "value " + i);
    }
    pull(left, middle);
    right.take(ship(middle, right, 700)).join();
    int came = right.changes("main", 0, 9).size() + right.changes("other", 0, 9).size();
    assertThat(came).isBetween(2, 9);
    right.learnOfFormer(List.of(left.id(), middle.id(), right.id()));
    assertThat(right.known().get(left.id())).as("it may yet send the rest").isZero();
    right.learnOfFormer(List.of(right.id()));
    assertThat(right.known().get(left.id())).isEqualTo(came);
  }

  private static Outcome send(Node node, RecordKey key, String id) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(id)));
    return node.write(
            new WriteRequest(
                key,
                edit,
                new Seen.Everything(),
                "ann",
                Optional.empty(),
                Optional.of("i" + id),
                WriteRequest.Sender.NONE,
                Optional.empty(),
                Optional.empty(),
                ""))
        .join();
  }

  @Test
  void whatIsSentAgainToAnotherNodeThatHasItIsNotDoneAgain() {
    RecordKey key = key("main", "a");
    assertThat(send(left, key, "1")).isInstanceOf(Outcome.Accepted.class);
    pull(left, right);
    assertThat(send(right, key, "1")).isInstanceOf(Outcome.Duplicate.class);
    assertThat(send(right, key("main", "b"), "1"))
        .as("the id of another record's request")
        .isInstanceOf(Outcome.Rejected.class);
    assertThat(send(right, key, "2")).isInstanceOf(Outcome.Accepted.class);
    pull(right, left);
    assertThat(send(left, key, "1")).isInstanceOf(Outcome.Duplicate.class);
    assertThat(left.changes("main", 0, 100)).hasSize(2);
  }

  @Test
  void aShipmentFromBehindTheCursorIsNotTaken() {
    put(left, key("main", "a"), "1");
    put(left, key("main", "a"), "2");
    Shipment later = left.ship(1, VersionVector.EMPTY, 1 << 20);
    assertThat(right.take(later).join().problem()).isNotEmpty();
    assertThat(right.known()).isEqualTo(VersionVector.EMPTY);
  }

  @Test
  void whatCannotBeReadEndsTheShipmentThereAndIsAskedForAgain() {
    put(left, key("main", "a"), "1");
    put(left, key("main", "b"), "2");
    Shipment good = ship(left, right, 1 << 20);
    List<Shipment.Entry> entries = new ArrayList<>(good.entries());
    entries.set(1, new Shipment.Entry(2, new byte[] {9, 9}));
    Shipment damaged = new Shipment(good.from(), 0, entries, good.upTo(), true, good.known());
    Intake intake = right.take(damaged).join();
    assertThat(intake.applied()).isEqualTo(1);
    assertThat(intake.upTo()).isEqualTo(1);
    assertThat(intake.problem()).isNotEmpty();
    assertThat(right.known().get(left.id())).as("what was read, and no more").isEqualTo(1);
    assertThat(pull(left, right)).isEqualTo(1);
  }

  @Test
  void whatWaitsForTheClockJoinsInTheOrderInWhichItWasWritten() {
    now.addAndGet(600_000);
    for (int i = 0; i < 6; i++) {
      put(left, key("main", i % 2 == 0 ? "even" : "odd"), "v" + i);
    }
    now.addAndGet(-600_000);
    Intake ahead = right.take(ship(left, right, 1 << 20)).join();
    assertThat(ahead.violated()).isEqualTo(6);
    assertThat(right.known().get(left.id())).as("what waits is not handed on as known").isZero();
    now.addAndGet(600_000);
    right.proceed().join();
    assertThat(right.changes("main", 0, 10).stream().map(feed -> feed.version().dot().number()))
        .containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    assertThat(right.known().get(left.id())).isEqualTo(6);
  }

  @Test
  void aNodeThatWentBackInTimeNoticesAndContinuesUnderANewIncarnation() {
    put(left, key("main", "a"), "1");
    Batch backup = copy(leftStore);
    put(left, key("main", "a"), "2");
    pull(left, right);
    MemoryStore restored = new MemoryStore();
    restored.commit(backup);
    Node old = open(restored, "left");
    assertThatThrownBy(() -> old.take(ship(right, old, 1 << 20)).join())
        .isInstanceOf(CompletionException.class)
        .hasRootCauseInstanceOf(NodeRestoredException.class)
        .hasStackTraceContaining("was restored from an older state");
    assertThat(old.failure()).isPresent();
    Node next = open(restored, "left");
    assertThat(next.id().name()).isEqualTo("left");
    assertThat(next.id()).isNotEqualTo(new NodeId("left.1"));
    put(next, key("main", "a"), "3");
    pull(right, next);
    pull(next, right);
    assertThat(StateCodec.toBytes(next.read(key("main", "a")).state()))
        .isEqualTo(StateCodec.toBytes(right.read(key("main", "a")).state()));
    assertThat(next.history(key("main", "a"), Long.MAX_VALUE, 10)).hasSize(3);
    assertThat(next.verify(_ -> {}).broken()).isEmpty();
  }

  /** Writes that were decided in the same batch got numbers that others had already. */
  @Test
  void aNodeThatNoticesThatItWentBackDecidesNothingMore() throws Exception {
    put(left, key("main", "a"), "1");
    Batch backup = copy(leftStore);
    for (int i = 0; i < 5; i++) {
      put(left, key("main", "a"), "since " + i);
    }
    pull(left, right);
    MemoryStore restored = new MemoryStore();
    restored.commit(backup);
    Node old = open(restored, "left");
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goesOn = new CountDownLatch(1);
    old.measure(() -> {
      begun.countDown();
      assertThat(goesOn).matches(ReplicationTest::opens);
      return 0;
    });
    CompletableFuture<Outcome> before = old.write(request("before"));
    begun.await();
    CompletableFuture<Intake> taken = old.take(ship(right, old, 1 << 20));
    CompletableFuture<Outcome> after = old.write(request("after"));
    goesOn.countDown();
    assertThat(before.join()).isInstanceOf(Outcome.Accepted.class);
    assertThatThrownBy(taken::join).hasRootCauseInstanceOf(NodeRestoredException.class);
    assertThatThrownBy(after::join).hasCauseInstanceOf(NodeStoppedException.class);
    Node next = open(restored, "left");
    assertThat(next.read(key("main", "before")).view().exists()).isTrue();
    assertThat(next.read(key("main", "after")).view().exists()).isFalse();
  }

  private static WriteRequest request(String id) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(id)));
    return WriteRequest.of(key("main", id), edit, new Seen.Everything(), "ann");
  }

  private static boolean opens(CountDownLatch latch) {
    try {
      return latch.await(60, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aNodeThatIsRestoredOnPurposeStartsUnderANewIncarnation() {
    put(left, key("main", "a"), "1");
    MemoryStore restored = new MemoryStore();
    restored.commit(copy(leftStore));
    Node next =
        Node.openRestored(
            restored, NodeConfig.DEFAULT.withClock(now::get).withIncarnations(() -> 7));
    opened.add(next);
    assertThat(next.id()).isEqualTo(new NodeId("left.7"));
    put(next, key("main", "a"), "2");
    assertThat(next.history(key("main", "a"), Long.MAX_VALUE, 10)).hasSize(2);
    pull(next, right);
    assertThat(right.history(key("main", "a"), Long.MAX_VALUE, 10)).hasSize(2);
  }

  @Test
  void aCopyOfADirectoryIsRefusedByTheOther() {
    MemoryStore copied = new MemoryStore();
    copied.commit(copy(leftStore));
    Node copy = open(copied, "left");
    assertThatThrownBy(() -> left.take(ship(copy, left, 100)).join())
        .hasStackTraceContaining("its directory is a copy of this one's");
  }

  /** A store that has something done between a commit and its being shown to readers. */
  private record Watched(MemoryStore inner, AtomicReference<Runnable> afterCommit)
      implements Store {
    @Override
    public byte @Nullable [] get(Table table, byte[] key) {
      return inner.get(table, key);
    }

    @Override
    public void scan(
        Table table, byte[] from, byte @Nullable [] to, boolean reverse, Visitor visitor) {
      inner.scan(table, from, to, reverse, visitor);
    }

    @Override
    public void copy(Copier copier) {
      inner.copy(copier);
    }

    @Override
    public void commit(Batch batch) {
      inner.commit(batch);
      afterCommit.get().run();
    }

    @Override
    public void close() {}
  }

  @Test
  void whatIsKnownIsAwaitedUntilReadersSeeIt() {
    AtomicReference<Runnable> afterCommit = new AtomicReference<>(() -> {});
    Node node = open(new Watched(new MemoryStore(), afterCommit), "watched");
    put(left, key("main", "a"), "1");
    VersionVector wanted = VersionVector.of(Map.of(left.id(), 1L));
    List<Boolean> known = new ArrayList<>();
    afterCommit.set(() -> known.add(awaits(node, wanted)));
    pull(left, node);
    assertThat(known).as("durable, but not shown yet").containsExactly(false);
    assertThat(awaits(node, wanted)).isTrue();
    assertThat(node.read(key("main", "a")).view().exists()).isTrue();
  }

  @Test
  void whoWaitsAtANodeThatStopsWaitsNoLonger() throws Exception {
    AtomicReference<Runnable> afterCommit = new AtomicReference<>(() -> {});
    Node node = open(new Watched(new MemoryStore(), afterCommit), "watched");
    put(left, key("main", "a"), "1");
    VersionVector wanted = VersionVector.of(Map.of(left.id(), 1L));
    afterCommit.set(() -> {
      throw new IllegalStateException("the process ends once the disk has it");
    });
    FutureTask<Boolean> waiting = new FutureTask<>(() -> node.awaitKnown(wanted, 3_600_000));
    Thread.startVirtualThread(waiting);
    assertThatThrownBy(() -> pull(left, node))
        .hasRootCauseMessage("the process ends once the disk has it");
    assertThat(node.failure()).isPresent();
    assertThat(waiting.get(60, TimeUnit.SECONDS)).as("durable, but never shown").isFalse();
  }

  /** What was decided once the commits had ended waited for good, and the node could not close. */
  @Test
  void whoseWriteIsDecidedAfterTheLastCommitIsTold() throws Exception {
    AtomicReference<Runnable> afterCommit = new AtomicReference<>(() -> {});
    Node node = open(new Watched(new MemoryStore(), afterCommit), "watched");
    AtomicInteger commits = new AtomicInteger();
    afterCommit.set(() -> {
      if (commits.incrementAndGet() > 1) {
        throw new IllegalStateException("the disk fails");
      }
    });
    CountDownLatch queued = new CountDownLatch(1);
    AtomicInteger decided = new AtomicInteger();
    node.measure(() -> {
      if (decided.incrementAndGet() == 1) {
        assertThat(queued).matches(ReplicationTest::opens);
      } else if (decided.get() == 2) {
        // The first of the batch is committed alone, while the rest is still being decided.
        pause(300);
      }
      for (int i = 0; decided.get() == 3 && i < 100 && node.failure().isEmpty(); i++) {
        pause(10);
      }
      return 0;
    });
    List<CompletableFuture<Outcome>> writes = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      writes.add(node.write(request("r" + i)));
    }
    queued.countDown();
    for (CompletableFuture<Outcome> write : writes) {
      assertThat(write.handle((_, _) -> "told").get(60, TimeUnit.SECONDS)).isEqualTo("told");
    }
    assertThat(node.failure()).isPresent();
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aShipmentNamesNothingThatIsNotInIt() {
    AtomicReference<Runnable> afterCommit = new AtomicReference<>(() -> {});
    Node between = open(new Watched(new MemoryStore(), afterCommit), "between");
    Node far = open(new MemoryStore(), "far");
    put(left, key("main", "a"), "1");
    List<Shipment> shipped = new ArrayList<>();
    afterCommit.set(() -> shipped.add(between.ship(0, far.known(), 1 << 20)));
    pull(left, between);
    afterCommit.set(() -> {});
    far.take(shipped.getFirst()).join();
    pull(between, far);
    pull(left, far);
    assertThat(far.known().get(left.id())).isOne();
    assertThat(far.read(key("main", "a")).view().exists())
        .as("nobody sends it again to who says that they have it")
        .isTrue();
  }

  private static boolean awaits(Node node, VersionVector wanted) {
    try {
      return node.awaitKnown(wanted, 0);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static Batch copy(Store store) {
    Batch all = new Batch();
    for (Table table : Table.values()) {
      store.scan(
          table,
          new byte[0],
          (key, value) -> {
            all.put(table, key, value);
            return true;
          });
    }
    return all;
  }
}
