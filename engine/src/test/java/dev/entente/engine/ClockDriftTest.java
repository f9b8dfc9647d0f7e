// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A node whose clock is wrong strands nothing that it accepts, and there is a way out. */
class ClockDriftTest {
  private static final long START = 1_800_000_000_000L;
  private static final long YEARS = 5 * 366L * 86_400_000;

  private final AtomicLong steady = new AtomicLong();
  private final AtomicLong jump = new AtomicLong();
  private final Node right =
      Node.open(new MemoryStore(), config("right").withClock(() -> START + steady.get()));

  private static NodeConfig config(String name) {
    return NodeConfig.DEFAULT.withName(name).onCallersThread();
  }

  private Node guarded() {
    return Node.open(
        new MemoryStore(),
        config("east").withClock(() -> START + steady.get() + jump.get(), steady::get));
  }

  @AfterEach
  void close() {
    right.close();
  }

  private static Outcome put(Node node, String id) {
    return put(node, id, 1);
  }

  private static Outcome put(Node node, String id, int n) {
    Edit edit = new Edit.Put((JsonObject) Json.of(Map.of("n", n)));
    RecordKey key = new RecordKey("main", "note", id);
    return node.write(WriteRequest.of(key, edit, new Seen.Everything(), "ann")).join();
  }

  private void send(Node from) {
    List<byte[]> log =
        from.changes("main", 0, 100).stream()
            .map(feed -> VersionCodec.toBytes(feed.version()))
            .toList();
    right.receive(log).join();
  }

  @Test
  void whatIsWrittenWhileTheClockIsOffAndAfterwardsReachesOthers() {
    try (Node east = guarded()) {
      for (long off : new long[] {YEARS, -YEARS, 0}) {
        jump.set(off);
        steady.addAndGet(1_000);
        assertThat(put(east, "at " + off)).isInstanceOf(Outcome.Accepted.class);
      }
      send(east);
      assertThat(right.held()).isZero();
    }
  }

  @Test
  void aNodeThatIsAheadOfOthersRefusesToWriteUntilItsClockIsRight() {
    jump.set(YEARS);
    try (Node east = guarded()) {
      assertThat(put(east, "before anybody was met")).isInstanceOf(Outcome.Accepted.class);
      assertThat(east.compareClock(-YEARS)).isFalse();
      assertThat(put(east, "refused"))
          .isInstanceOfSatisfying(
              Outcome.Rejected.class,
              rejected -> assertThat(rejected.code()).isEqualTo(Outcome.Code.UNAVAILABLE));
      jump.set(0);
      assertThat(east.compareClock(-YEARS)).isTrue();
      assertThat(put(east, "after")).isInstanceOf(Outcome.Accepted.class);
      send(east);
      assertThat(right.heldForClock()).isEqualTo(Map.of("east", 1));
      assertThat(right.held()).as("only what was written under the wrong clock").isEqualTo(1);
    }
  }

  @Test
  void whatWaitsForTheClockIsAdmittedWithAllThatBuildsOnIt() {
    jump.set(YEARS);
    try (Node east = guarded()) {
      put(east, "one");
      put(east, "two");
      put(east, "one", 2);
      send(east);
      assertThat(right.held()).isEqualTo(3);
      assertThat(right.admit("west").join()).isZero();
      assertThat(right.admit("east").join()).isEqualTo(3);
      assertThat(right.held()).isZero();
      assertThat(right.heldForClock()).isEmpty();
      assertThat(right.reviews("main", Review.Status.PENDING, Optional.empty(), 9)).isEmpty();
      assertThat(put(right, "one", 3)).isInstanceOf(Outcome.Accepted.class);
      assertThat(right.clock().getAsLong()).isEqualTo(START);
      assertThat(right.verify(_ -> {}).broken()).isEmpty();
    }
  }

  @Test
  void anOperatorMayBelieveTheClock() {
    try (Node east = guarded()) {
      jump.set(YEARS);
      assertThat(east.clock().jumpMillis()).isEqualTo(YEARS);
      east.acceptClock("eve").join();
      assertThat(east.clock().jumpMillis()).isZero();
      assertThat(east.nowMillis()).isEqualTo(START + YEARS);
    }
  }
}
