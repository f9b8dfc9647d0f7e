// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What other nodes accepted joins once, in causal order; what contradicts causality is told. */
class ReceiverTest {
  private static final RecordKey RECORD = new RecordKey("main", "user", "u");
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<Node> opened = new ArrayList<>();
  private final Node left = open("left");
  private final Node right = open("right");

  private Node open(String name) {
    return open(new MemoryStore(), name);
  }

  private Node open(Store store, String name) {
    Node node = Node.open(store, NodeConfig.DEFAULT.withName(name).withClock(now::get));
    opened.add(node);
    return node;
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private void policy(String text) throws PolicyException {
    left.putPolicy("main", text, "op").join();
    right.putPolicy("main", text, "op").join();
  }

  private static Outcome put(Node node, RecordKey key, Map<String, ?> document, String author) {
    Edit edit = new Edit.Put((JsonObject) Json.of(document));
    return node.write(WriteRequest.of(key, edit, new Seen.Everything(), author)).join();
  }

  private static List<byte[]> log(Node node) {
    return new ArrayList<>(
        node.changes("main", 0, 100_000).stream()
            .map(feed -> VersionCodec.toBytes(feed.version()))
            .toList());
  }

  private static void exchange(Node from, Node to) {
    to.receive(log(from)).join();
  }

  private static List<Review> pending(Node node) {
    return node.reviews("main", Review.Status.PENDING, Optional.empty(), 10);
  }

  @Test
  void twoRegionsMeetAndSeeTheSameConflictWithTheSameId() {
    put(left, RECORD, Map.of("phone", "0"), "ann");
    exchange(left, right);
    put(left, RECORD, Map.of("phone", "1"), "ann");
    put(right, RECORD, Map.of("phone", "2"), "bob");
    exchange(left, right);
    exchange(right, left);
    assertThat(StateCodec.toBytes(left.read(RECORD).state()))
        .isEqualTo(StateCodec.toBytes(right.read(RECORD).state()));
    assertThat(pending(left)).hasSize(1);
    assertThat(pending(left).getFirst().id()).isEqualTo(pending(right).getFirst().id());
    left.decide("main", pending(left).getFirst().id(), new Decision.Choose(1), "eve", "").join();
    exchange(left, right);
    assertThat(pending(right)).isEmpty();
    assertThat(left.verify(_ -> {}).broken()).isEmpty();
    assertThat(right.verify(_ -> {}).broken()).isEmpty();
    assertThat(right.history(RECORD, Long.MAX_VALUE, 10)).hasSize(4);
  }

  @Test
  void anyOrderAndAnyNumberOfTimesGivesByteEqualStatesAlsoAfterARestart() throws PolicyException {
    policy("type: user\ndefault: last-writer-wins\nfields: {n: {cell: counter}, t: {cell: text}}");
    for (long seed = 0; seed < 6; seed++) {
      Random random = new Random(seed);
      List<Node> nodes = List.of(open("a" + seed), open("b" + seed), open("c" + seed));
      for (Node node : nodes) {
        node.putPolicy("main", left.policyText("main", "user").orElseThrow(), "op").join();
      }
      List<RecordKey> keys = List.of(RECORD, new RecordKey("main", "user", "w"));
      for (int step = 0; step < 80; step++) {
        Node node = nodes.get(random.nextInt(3));
        RecordKey key = keys.get(random.nextInt(2));
        if (random.nextInt(4) == 0) {
          List<byte[]> log = log(nodes.get(random.nextInt(3)));
          Collections.shuffle(log, random);
          node.receive(log).join();
        } else {
          JsonObject data =
              node.read(key).view().data() instanceof JsonObject object ? object : JsonObject.EMPTY;
          String text = data.get("t").isAbsent() ? "" : String.valueOf(data.get("t"));
          String longer = text.replace("\"", "") + (char) ('a' + random.nextInt(26));
          now.addAndGet(random.nextInt(50));
          Edit edit =
              new Edit.Put(
                  data.with("t", Json.of(longer))
                      .with("n", Json.of(random.nextInt(9)))
                      .with("p", Json.of("v" + step)));
          node.write(WriteRequest.of(key, edit, new Seen.Everything(), "w" + step)).join();
        }
      }
      for (int round = 0; round < 2; round++) {
        for (Node from : nodes) {
          for (Node to : nodes) {
            List<byte[]> log = log(from);
            Collections.shuffle(log, random);
            to.receive(log).join();
          }
        }
      }
      for (RecordKey key : keys) {
        byte[] first = StateCodec.toBytes(nodes.getFirst().read(key).state());
        for (Node node : nodes) {
          assertThat(StateCodec.toBytes(node.read(key).state()))
              .as("seed %d", seed)
              .isEqualTo(first);
          assertThat(node.read(key).view()).isEqualTo(nodes.getFirst().read(key).view());
          assertThat(node.history(key, Long.MAX_VALUE, 1_000))
              .hasSameSizeAs(nodes.getFirst().history(key, Long.MAX_VALUE, 1_000));
          assertThat(node.verify(_ -> {}).broken()).isEmpty();
        }
      }
    }
  }

  @Test
  void contentionIsCheckedAgainAfterTheJoinAndBothSidesChooseTheSame() throws PolicyException {
    policy("type: user\nunique: [{field: ip, keep: first}]");
    RecordKey a = new RecordKey("main", "user", "a");
    RecordKey b = new RecordKey("main", "user", "b");
    put(left, a, Map.of("ip", "10.0.0.7"), "ann");
    now.addAndGet(1_000);
    put(right, b, Map.of("ip", "10.0.0.7"), "bob");
    exchange(left, right);
    exchange(right, left);
    assertThat(left.contentions(left.read(a))).hasSize(1);
    assertThat(pending(left).getFirst().id()).isEqualTo(pending(right).getFirst().id());
    left.proceed().join();
    right.proceed().join();
    exchange(left, right);
    exchange(right, left);
    for (Node node : List.of(left, right)) {
      assertThat(Path.of("ip").in(node.read(a).view().data())).isEqualTo(Json.of("10.0.0.7"));
      assertThat(Path.of("ip").in(node.read(b).view().data()).isAbsent()).isTrue();
      assertThat(pending(node)).isEmpty();
    }
  }

  @Test
  void theLastTicketIsSoldOnceThoughTheNodesDoNotSpeak() throws PolicyException {
    policy("type: user\nfields: {left: {cell: bounded-counter}}");
    put(left, RECORD, Map.of("left", 3), "office");
    Edit give =
        new Edit.Operations(
            List.of(new Edit.Operation.Give(Path.of("left"), new NodeId("right.1"), 1)));
    left.write(WriteRequest.of(RECORD, give, new Seen.Everything(), "office")).join();
    exchange(left, right);
    Edit sale = new Edit.Operations(List.of(new Edit.Operation.Increment(Path.of("left"), -1)));
    int sold = 0;
    for (int i = 0; i < 5; i++) {
      for (Node node : List.of(left, right)) {
        Outcome outcome =
            node.write(WriteRequest.of(RECORD, sale, new Seen.Everything(), "till")).join();
        sold += outcome instanceof Accepted ? 1 : 0;
      }
    }
    assertThat(sold).isEqualTo(3);
    exchange(left, right);
    exchange(right, left);
    assertThat(Path.of("left").in(left.read(RECORD).view().data())).isEqualTo(Json.of(0));
    assertThat(left.write(WriteRequest.of(RECORD, sale, new Seen.Everything(), "till")).join())
        .isInstanceOf(Rejected.class);
  }

  @Test
  void whatBuildsOnSomethingThatDoesNotComeIsHeldThenToldThenForgotten() {
    put(left, RECORD, Map.of("n", 1), "ann");
    put(left, RECORD, Map.of("n", 2), "ann");
    List<byte[]> log = log(left);
    assertThat(right.receive(List.of(log.get(1))).join().getFirst())
        .isInstanceOf(Receipt.Held.class);
    assertThat(right.held()).isOne();
    assertThat(right.read(RECORD).view().exists()).isFalse();
    right.proceed().join();
    assertThat(pending(right)).isEmpty();
    now.addAndGet(Receiver.PATIENCE_MILLIS + 1);
    right.proceed().join();
    Review told = pending(right).getFirst();
    assertThat(told.conflict().toString())
        .contains("\"type\":\"causal-violation\"")
        .contains("missing-predecessor");
    assertThat(right.receive(List.of(log.get(0))).join().getFirst())
        .isInstanceOf(Receipt.Applied.class);
    assertThat(right.held()).isZero();
    assertThat(Path.of("n").in(right.read(RECORD).view().data())).isEqualTo(Json.of(2));
    assertThat(right.review("main", told.id()).orElseThrow().closing().reason())
        .isEqualTo("it has joined since");
  }

  @Test
  void aNodeThatReusesNumbersIsFoundOut() {
    put(left, RECORD, Map.of("n", 1), "ann");
    exchange(left, right);
    Node amnesiac = open("left");
    put(amnesiac, RECORD, Map.of("n", "another life"), "ann");
    assertThat(right.receive(log(amnesiac)).join().getFirst())
        .isInstanceOfSatisfying(
            Receipt.Violated.class,
            violated -> assertThat(violated.how()).isEqualTo(CausalViolation.DOT_REUSED));
    assertThat(right.receive(log(left)).join().getFirst()).isInstanceOf(Receipt.Seen.class);
    Review review = pending(right).getFirst();
    assertThat(review.conflict().toString()).contains("\"severity\":\"critical\"");
    assertThat(right.audit("main", Long.MAX_VALUE, 1).getFirst().detail().toString())
        .contains("bytes");
    assertThat(right.decide("main", review.id(), new Decision.Choose(0), "op", "").join())
        .isInstanceOf(Decision.Result.Invalid.class);
    right.decide("main", review.id(), new Decision.Ignore(), "op", "left was reinstalled").join();
    assertThat(pending(right)).isEmpty();
    assertThat(Path.of("n").in(right.read(RECORD).view().data())).isEqualTo(Json.of(1));
  }

  @Test
  void aNodeThatMeetsItsOwnFutureKnowsThatItWasRestored() {
    put(left, RECORD, Map.of("n", 1), "ann");
    put(left, RECORD, Map.of("n", 2), "ann");
    Node restored = open("left");
    put(restored, new RecordKey("main", "user", "other"), Map.of("x", 1), "ann");
    assertThat(restored.receive(List.of(log(left).get(1))).join().getFirst())
        .isInstanceOfSatisfying(
            Receipt.Violated.class,
            violated -> {
              assertThat(violated.how()).isEqualTo(CausalViolation.COUNTER_RESET);
              assertThat(violated.why()).contains("next incarnation");
            });
  }

  @Test
  void aVersionFromTheFutureWaitsUntilItIsPresent() {
    AtomicLong ahead = new AtomicLong(now.get() + 3_600_000);
    Node fast =
        Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("fast").withClock(ahead::get));
    opened.add(fast);
    put(fast, RECORD, Map.of("n", 1), "ann");
    assertThat(right.receive(log(fast)).join().getFirst())
        .isInstanceOfSatisfying(
            Receipt.Violated.class,
            violated -> assertThat(violated.how()).isEqualTo(CausalViolation.CLOCK_DRIFT));
    assertThat(right.read(RECORD).view().exists()).isFalse();
    Accepted mine = (Accepted) put(right, new RecordKey("main", "user", "v"), Map.of("n", 1), "b");
    assertThat(mine.after().view().updatedAt().millis()).isLessThan(now.get() + 1_000);
    now.addAndGet(3_600_000);
    right.proceed().join();
    assertThat(Path.of("n").in(right.read(RECORD).view().data())).isEqualTo(Json.of(1));
    assertThat(pending(right)).isEmpty();
  }

  @Test
  void thousandsThatComeTooEarlyWaitUnderOneReviewAndJoinAtOnce() {
    AtomicLong ahead = new AtomicLong(now.get() + 3_600_000);
    Node fast =
        Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("fast").withClock(ahead::get));
    opened.add(fast);
    int count = 4_000;
    for (int i = 1; i <= count; i++) {
      put(fast, i % 10 == 0 ? new RecordKey("main", "user", "x" + i) : RECORD, Map.of("n", i), "a");
    }
    Store store = new MemoryStore();
    Node slow = open(store, "slow");
    List<byte[]> log = log(fast);
    slow.receive(log.subList(0, count / 2)).join();
    assertThat(pending(slow)).hasSize(1);
    opened.remove(slow);
    slow.close();
    Node again = open(store, "slow");
    for (byte[] version : log.subList(count / 2, count)) {
      again.receive(List.of(version)).join();
    }
    assertThat(pending(again)).hasSize(1);
    assertThat(again.changes("main", 0, 10)).isEmpty();
    now.addAndGet(3_600_000);
    put(again, new RecordKey("main", "user", "v"), Map.of("n", 1), "b");
    again.receive(log.subList(0, 1)).join();
    again.proceed().join();
    assertThat(again.changes("main", 0, 10_000)).hasSize(count + 1);
    assertThat(Path.of("n").in(again.read(RECORD).view().data())).isEqualTo(Json.of(count - 1));
    assertThat(pending(again)).isEmpty();
    assertThat(again.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void bytesThatAreNoVersionAreRefusedAndTouchNothing() {
    put(left, RECORD, Map.of("n", 1), "ann");
    byte[] version = log(left).getFirst();
    Random random = new Random(7);
    for (int i = 0; i < 2_000; i++) {
      byte[] damaged = version.clone();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      assertThat(right.receive(List.of(damaged)).join()).hasSize(1);
    }
    assertThat(right.failure()).isEmpty();
    exchange(left, right);
    assertThat(right.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void theFeedAndHistoryHoldWhatCameFromOthersInTheOrderOfArrival() {
    put(left, RECORD, Map.of("n", 1), "ann");
    put(right, new RecordKey("main", "user", "own"), Map.of("n", 1), "bob");
    exchange(left, right);
    put(right, RECORD, Map.of("n", 2), "bob");
    List<Feed> feed = right.changes("main", 0, 10);
    assertThat(feed.stream().map(Feed::position)).containsExactly(1L, 2L, 3L);
    List<Logged> history = right.history(RECORD, Long.MAX_VALUE, 10);
    assertThat(history.stream().map(Logged::version).map(Version::author))
        .containsExactly("bob", "ann");
    assertThat(history.getFirst().previous()).isEqualTo(2);
    assertThat(history.getLast().previous()).isZero();
  }
}
