// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Old versions go once every node has them, and nobody notices but who asks for the past. */
class RetentionTest {
  private static final long DAY = Duration.ofDays(1).toMillis();
  private static final RecordKey NOTE = new RecordKey("main", "t", "note");
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<Node> opened = new ArrayList<>();
  private final Store store = new MemoryStore();
  private final Node left = open(store, "left");
  private final Node right = open(new MemoryStore(), "right");
  private final Retention atLeft = new Retention(left, 30);
  private final Retention atRight = new Retention(right, 30);
  private final List<NodeId> members = List.of(left.id(), right.id());

  private Node open(Store to, String name) {
    Node node = Node.open(to, NodeConfig.DEFAULT.withName(name).withClock(now::get));
    opened.add(node);
    return node;
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private static void policy(Node node, String deflt) throws PolicyException {
    node.putPolicy(
            "main",
            "type: t\ndefault: "
                + deflt
                + "\nfields: {tags: {cell: set}, gone: {cell: remove-wins-set},"
                + " body: {cell: text}, n: {cell: counter}}\n",
            "op")
        .join();
  }

  private void put(String value) {
    put(NOTE, value, new Seen.Everything());
  }

  private Outcome put(RecordKey key, String value, Seen seen) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(value)));
    return left.write(WriteRequest.of(key, edit, seen, "ann")).join();
  }

  private static void pull(Node from, Node to) {
    to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 20)).join();
  }

  /** All that each says comes to the other. */
  private void meet() {
    pull(left, right);
    pull(right, left);
    atLeft.tell(members);
    atRight.tell(members);
    pull(left, right);
    pull(right, left);
  }

  private Pruned prune(Retention at) {
    return at.limits("main")
        .map(limits -> at.run("main", limits, at.stable(members), false, _ -> true))
        .orElse(Pruned.NOTHING);
  }

  private static int versions(Node node) {
    return node.changes("main", 0, 10_000).size();
  }

  @Test
  void versionsBeyondTheNumberGoOnceTheyAreADayOld() {
    RecordKey other = new RecordKey("main", "t", "other");
    for (int i = 0; i < 6; i++) {
      put("v" + i);
    }
    put(other, "only", new Seen.Everything());
    atLeft.set("main", 0, 3, "op").join();
    meet();
    assertThat(atRight.versions("main")).isEqualTo(3);
    assertThat(prune(atLeft).versions()).as("a repeated request is known by them").isZero();
    now.addAndGet(2 * DAY);
    put("v6");
    meet();
    byte[] before = StateCodec.toBytes(left.read(NOTE).state());
    assertThat(prune(atLeft).versions()).isEqualTo(4);
    assertThat(versions(left)).isEqualTo(4);
    assertThat(StateCodec.toBytes(left.read(NOTE).state())).isEqualTo(before);
    assertThat(prune(atRight).versions()).isEqualTo(4);
    assertThat(left.verify(_ -> {}).broken()).isEmpty();
    assertThat(prune(atLeft).versions()).isZero();
    assertThatThrownBy(() -> atLeft.set("main", 0, Retention.VERSIONS_MAX + 1, "op"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void versionsGoByWhicheverOfAgeAndNumberIsReachedFirst() {
    for (int i = 0; i < 4; i++) {
      put("v" + i);
    }
    now.addAndGet(31 * DAY);
    for (int i = 4; i < 9; i++) {
      put("v" + i);
    }
    atLeft.set("main", 30, 8, "op").join();
    meet();
    assertThat(prune(atLeft).versions()).as("by age").isEqualTo(4);
    atLeft.set("main", 30, 2, "op").join();
    now.addAndGet(2 * DAY);
    assertThat(prune(atLeft).versions()).as("by number").isEqualTo(3);
    atLeft.set("main", 0, 0, "op").join();
    now.addAndGet(90 * DAY);
    assertThat(prune(atLeft).versions()).isZero();
  }

  @Test
  void checkpointsKeepWhatTheyNeedFromRetentionAtAllNodes() {
    ScopedCheckpoints here = new ScopedCheckpoints(left);
    ScopedCheckpoints there = new ScopedCheckpoints(right);
    RecordKey other = new RecordKey("main", "t", "other");
    RecordKey elsewhere = new RecordKey("main", "u", "other");
    for (RecordKey key : List.of(NOTE, other, elsewhere)) {
      put(key, "before", new Seen.Everything());
    }
    here.create("main", "one", Optional.of("t"), Optional.of("note"), "op", "try").join();
    for (RecordKey key : List.of(NOTE, other, elsewhere)) {
      for (int i = 0; i < 3; i++) {
        put(key, "later" + i, new Seen.Everything());
      }
    }
    now.addAndGet(31 * DAY);
    meet();
    assertThat(there.of("main")).hasSize(1);
    for (Retention at : List.of(atLeft, atRight)) {
      Pruned gone = prune(at);
      assertThat(gone.versions()).as("all but what it needs").isEqualTo(7);
      assertThat(gone.waiting()).as("it waits for no node").isZero();
    }
    ScopedCheckpoints.Checkpoint one = there.find("main", "one").orElseThrow();
    assertThat(there.read(one, NOTE).view().data().toString()).contains("before");
    assertThat(there.isComplete(one)).isTrue();
    assertThatThrownBy(() -> there.read(one, other)).isInstanceOf(PrunedException.class);
    there.delete("main", "one", "op").join();
    pull(right, left);
    now.addAndGet(DAY);
    assertThat(here.of("main")).isEmpty();
    assertThat(prune(atLeft).versions()).isEqualTo(2);
  }

  @Test
  void checkpointsOfOneTenantHaveNamesOfTheirOwnAndAreBounded() {
    ScopedCheckpoints here = new ScopedCheckpoints(left);
    Optional<String> none = Optional.empty();
    put("v");
    for (int i = 0; i < ScopedCheckpoints.PER_TENANT_MAX; i++) {
      here.create("main", "c" + i, none, none, "op", "").join();
    }
    assertThatThrownBy(() -> here.create("main", "c0", none, none, "op", ""))
        .hasMessageContaining("already");
    assertThatThrownBy(() -> here.create("main", "more", none, none, "op", ""))
        .hasMessageContaining("delete some");
    here.create("second", "c0", none, none, "op", "").join();
    assertThat(here.of("second")).hasSize(1);
    assertThat(here.find("second", "c1")).isEmpty();
  }

  @Test
  void versionsOlderThanTheirTimeGoOnceEveryNodeHasThem() {
    for (int i = 0; i < 5; i++) {
      put("v" + i);
    }
    now.addAndGet(31 * DAY);
    assertThat(atLeft.silent(members)).containsExactly(right.id());
    Pruned early = prune(atLeft);
    assertThat(early.versions()).as("the other node may lack them").isZero();
    assertThat(early.waiting()).isEqualTo(5);
    meet();
    assertThat(atLeft.silent(members)).isEmpty();
    Instant before = atLeft.limits("main").orElseThrow().before().orElseThrow();
    assertThat(atLeft.run("main", before, atLeft.stable(members), true, _ -> true).versions())
        .as("what a dry run says")
        .isEqualTo(4);
    assertThat(versions(left)).isEqualTo(5);
    Pruned pruned = prune(atLeft);
    assertThat(pruned.versions()).isEqualTo(4);
    assertThat(pruned.records()).isOne();
    assertThat(versions(left)).as("the last version stays").isOne();
    assertThat(left.prunedUpTo("main")).isEqualTo(4);
    assertThat(left.read(NOTE).view().data()).isEqualTo(right.read(NOTE).view().data());
    assertThat(left.verify(_ -> {}).broken()).isEmpty();
    assertThat(prune(atLeft).versions()).as("all that was to go is gone").isZero();
  }

  @Test
  void aTenantKeepsItsVersionsForAsLongAsItSaysAtAllNodes() {
    put("1");
    put("2");
    put("3");
    atLeft.set("main", 0, "op").join();
    meet();
    now.addAndGet(400 * DAY);
    assertThat(prune(atRight).versions()).isZero();
    atRight.set("main", 500, "op").join();
    meet();
    assertThat(prune(atLeft).versions()).isZero();
    atRight.reset("main", "op").join();
    meet();
    assertThat(atLeft.days("main")).isEqualTo(30);
    assertThat(prune(atLeft).versions()).isEqualTo(2);
    assertThatThrownBy(() -> atLeft.set("main", -1, "op"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsYoungStaysAndSoDoesWhatBuildsOnIt() {
    put("old");
    now.addAndGet(29 * DAY);
    put("young");
    put("last");
    now.addAndGet(2 * DAY);
    meet();
    assertThat(prune(atLeft).versions()).isOne();
    assertThat(left.history(NOTE, Long.MAX_VALUE, 10)).hasSize(2);
  }

  @Test
  void aRecordThatWaitsForAPersonKeepsItsPast() throws PolicyException {
    policy(left, "manual-review");
    put("agreed");
    VersionVector agreed = left.read(NOTE).state().context();
    put(NOTE, "one", new Seen.Context(agreed));
    put(NOTE, "other", new Seen.Context(agreed));
    assertThat(left.countReviews("main", Review.Status.PENDING)).isOne();
    now.addAndGet(31 * DAY);
    meet();
    assertThat(prune(atLeft).versions()).isZero();
    put(NOTE, "settled", new Seen.Context(left.read(NOTE).state().context()));
    assertThat(prune(atLeft).versions()).isEqualTo(3);
    assertThat(left.countReviews("main", Review.Status.RESOLVED)).isOne();
    now.addAndGet(31 * DAY);
    meet();
    prune(atLeft);
    assertThat(left.countReviews("main", Review.Status.RESOLVED)).isZero();
  }

  @Test
  void whoAsksForWhatIsNotKeptIsToldSo() {
    Instant begun = Instant.ofEpochMilli(now.get());
    put("1");
    VersionVector first = left.read(NOTE).state().context();
    now.addAndGet(DAY);
    put("2");
    put("3");
    Instant kept = Instant.ofEpochMilli(now.get());
    now.addAndGet(31 * DAY);
    put("4");
    meet();
    assertThat(prune(atLeft).versions()).isEqualTo(3);
    assertThat(left.keptSince(NOTE)).contains(kept);
    assertThatThrownBy(() -> left.readAt(NOTE, begun))
        .isInstanceOf(PrunedException.class)
        .hasMessageContaining("is kept since");
    assertThatThrownBy(() -> left.readThrough(NOTE, first)).isInstanceOf(PrunedException.class);
    assertThat(left.readAt(NOTE, kept).view().data())
        .as("the very moment from which on it is known")
        .isEqualTo(JsonObject.of("v", Json.of("3")));
    assertThat(left.history(NOTE, 2, 10)).isEmpty();
  }

  @Test
  void anAuthorWhoReadBeforeItIsComparedWithWhatTheySentAlong() {
    put(NOTE, "first", new Seen.Everything());
    VersionVector seen = left.read(NOTE).state().context();
    Edit more = new Edit.MergePatch(Json.of(Map.of("w", "second")));
    left.write(WriteRequest.of(NOTE, more, new Seen.Everything(), "bob")).join();
    left.write(
            WriteRequest.of(
                NOTE, new Edit.MergePatch(Json.of(Map.of("x", 1))), new Seen.Everything(), "bob"))
        .join();
    now.addAndGet(31 * DAY);
    meet();
    assertThat(prune(atLeft).versions()).isEqualTo(2);
    Json read = JsonObject.of("v", Json.of("first"));
    Edit edit = new Edit.Put((JsonObject) Json.of(Map.of("v", "first", "y", 1)));
    Outcome outcome =
        left.write(
                new WriteRequest(
                    NOTE,
                    edit,
                    new Seen.Context(seen),
                    "ann",
                    Optional.empty(),
                    Optional.empty(),
                    WriteRequest.Sender.NONE,
                    Optional.empty(),
                    Optional.of(read),
                    ""))
            .join();
    assertThat(outcome).isInstanceOf(Outcome.Accepted.class);
    assertThat(left.read(NOTE).view().data())
        .isEqualTo(Json.of(Map.of("v", "first", "w", "second", "x", 1, "y", 1)));
    Outcome without = put(NOTE, "blind", new Seen.Context(seen));
    assertThat(without).isInstanceOf(Outcome.Accepted.class);
    assertThat(((Outcome.Accepted) without).note()).contains("earliest that is kept");
  }

  @Test
  void howMuchACounterChangedSinceAReadingThatIsNotKeptIsNotGuessed() throws PolicyException {
    policy(left, "last-writer-wins");
    VersionVector seen = VersionVector.EMPTY;
    for (int i = 0; i < 3; i++) {
      Edit count = new Edit.Operations(List.of(new Operation.Increment(Path.of("n"), 5)));
      left.write(WriteRequest.of(NOTE, count, new Seen.Everything(), "ann")).join();
      seen = i == 0 ? left.read(NOTE).state().context() : seen;
    }
    now.addAndGet(31 * DAY);
    meet();
    prune(atLeft);
    Seen then = new Seen.Context(seen);
    Edit six = new Edit.Put((JsonObject) Json.of(Map.of("n", 6)));
    assertThat(left.write(WriteRequest.of(NOTE, six, then, "bob")).join())
        .isInstanceOf(Outcome.Rejected.class);
    Edit one = new Edit.Operations(List.of(new Operation.Increment(Path.of("n"), 1)));
    left.write(WriteRequest.of(NOTE, one, then, "bob")).join();
    assertThat(left.read(NOTE).view().data()).isEqualTo(Json.of(Map.of("n", 16)));
  }

  @Test
  void aNodeThatLacksWhatIsNotKeptIsToldToBeginAnew() {
    for (int i = 0; i < 5; i++) {
      put("v" + i);
    }
    now.addAndGet(31 * DAY);
    meet();
    prune(atLeft);
    Node fresh = open(new MemoryStore(), "fresh");
    assertThatThrownBy(() -> pull(left, fresh))
        .isInstanceOf(PrunedException.class)
        .hasMessageContaining("copy");
    pull(right, fresh);
    assertThat(fresh.read(NOTE).view().data()).isEqualTo(left.read(NOTE).view().data());
    pull(left, fresh);
    assertThat(left.receive(right.versions(NOTE)).join())
        .as("versions that come again")
        .hasSize(5)
        .allMatch(receipt -> receipt instanceof Receipt.Seen);
  }

  @Test
  void aVersionThatGoesAstrayIsFoundThoughOthersWereLetGo() {
    for (int i = 0; i < 5; i++) {
      put("v" + i);
    }
    now.addAndGet(31 * DAY);
    meet();
    prune(atLeft);
    put("w");
    put("x");
    long gone = left.position() - 1;
    Batch damage = new Batch();
    damage.delete(Table.LOG, History.logKey("main", gone));
    store.commit(damage);
    assertThat(left.verify(_ -> {}).broken())
        .hasValueSatisfying(broken -> assertThat(broken).contains("5 versions", "4 were let go"));
  }

  /** Two nodes that prune, and one that never does, hold the same states in the end. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void statesAreWhatTheyWouldBeHadAllVersionsStayed(long seed) throws PolicyException {
    Random chance = new Random(seed);
    Store keeperStore = new MemoryStore();
    Node keeper = open(keeperStore, "keeper");
    Retention atKeeper = new Retention(keeper, 0);
    List<Node> nodes = List.of(left, right, keeper);
    List<NodeId> all = List.of(left.id(), right.id(), keeper.id());
    for (Node node : nodes) {
      policy(node, "last-writer-wins");
    }
    Map<RecordKey, List<VersionVector>> seen = new HashMap<>();
    long pruned = 0;
    for (int round = 0; round < 12; round++) {
      for (int i = 0; i < 25; i++) {
        Node at = nodes.get(chance.nextInt(3));
        RecordKey key = new RecordKey("main", "t", "r" + chance.nextInt(4));
        List<VersionVector> contexts = seen.computeIfAbsent(key, _ -> new ArrayList<>());
        contexts.add(at.read(key).state().context());
        Seen with =
            chance.nextInt(3) == 0
                ? new Seen.Everything()
                : new Seen.Context(contexts.get(chance.nextInt(contexts.size())));
        at.write(WriteRequest.of(key, edit(chance), with, "a" + i % 3)).join();
        now.addAndGet(1_000);
      }
      if (chance.nextInt(4) > 0) {
        for (int twice = 0; twice < 2; twice++) {
          for (Node from : nodes) {
            nodes.stream().filter(to -> to != from).forEach(to -> pull(from, to));
          }
          List.of(atLeft, atRight, atKeeper).forEach(each -> each.tell(all));
        }
      }
      now.addAndGet(10 * DAY);
      for (Retention at : List.of(atLeft, atRight)) {
        Instant before = at.limits("main").orElseThrow().before().orElseThrow();
        pruned += at.run("main", before, at.stable(all), false, _ -> true).versions();
      }
    }
    for (int twice = 0; twice < 3; twice++) {
      for (Node from : nodes) {
        nodes.stream().filter(to -> to != from).forEach(to -> pull(from, to));
      }
    }
    assertThat(pruned).as("the test prunes").isGreaterThan(50);
    for (Node node : nodes) {
      assertThat(states(node)).isEqualTo(states(keeper));
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
    }
    assertThat(Reconstruction.check(store, _ -> {}).wrong()).isZero();
    assertThat(Reconstruction.check(keeperStore, _ -> {}).wrong()).isZero();
  }

  private static Edit edit(Random chance) {
    return switch (chance.nextInt(5)) {
      case 0 -> new Edit.MergePatch(Json.of(Map.of("v" + chance.nextInt(3), chance.nextInt(9))));
      case 1 ->
          new Edit.Operations(
              List.of(new Operation.Increment(Path.of("n"), chance.nextInt(9) - 4)));
      case 2 ->
          new Edit.Operations(
              List.of(
                  new Operation.EditSet(
                      Path.of(chance.nextBoolean() ? "tags" : "gone"),
                      List.of(Json.of(chance.nextInt(5))),
                      List.of(Json.of(chance.nextInt(5) + 5)))));
      case 3 -> new Edit.MergePatch(Json.of(Map.of("body", "text " + chance.nextInt(99))));
      default ->
          new Edit.Operations(
              List.of(new Operation.Splice(Path.of("body"), new Splice(0, 0, Json.of("x")))));
    };
  }

  private static Map<String, String> states(Node node) {
    Map<String, String> states = new TreeMap<>();
    for (RecordKey key : node.records("main", "t", Optional.empty(), 100)) {
      states.put(key.id(), HexFormat.of().formatHex(StateCodec.toBytes(node.read(key).state())));
    }
    return states;
  }
}
