// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What another node says to have counts only as far as it shows it. */
class ClaimsOfKnowledgeTest {
  private static final NodeId LIAR = new NodeId("liar.1");

  private final AtomicLong now = new AtomicLong(1_800_000_000_000L);
  private final AtomicLong incarnations = new AtomicLong(100);
  private final MemoryStore store = new MemoryStore();
  private final Node us = open(store, "us");

  private Node open(MemoryStore on, String name) {
    return Node.open(
        on,
        NodeConfig.DEFAULT
            .withName(name)
            .withClock(now::get)
            .withIncarnations(incarnations::incrementAndGet)
            .onCallersThread());
  }

  private static RecordKey key(String id) {
    return new RecordKey("main", "t", id);
  }

  private static Dot put(Node node, String id) {
    Outcome outcome =
        node.write(
                WriteRequest.of(
                    key(id),
                    new Edit.Put(JsonObject.of("v", Json.of(id + node.position()))),
                    new Seen.Everything(),
                    "ann"))
            .join();
    assertThat(outcome).isInstanceOf(Outcome.Accepted.class);
    return new Dot(node.id(), node.position());
  }

  private static Intake pull(Node to, Node from) {
    return to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 20)).join();
  }

  /** A whole log that holds what is given, with knowledge of its sender's choice. */
  private static Shipment lie(Map<NodeId, Long> claims, byte[]... versions) {
    List<Shipment.Entry> entries = new ArrayList<>();
    for (byte[] version : versions) {
      entries.add(new Shipment.Entry(entries.size() + 1, version));
    }
    Map<NodeId, Long> known = new TreeMap<>(claims);
    known.put(LIAR, (long) entries.size() + 1);
    return new Shipment(LIAR, 0, entries, entries.size() + 1, true, VersionVector.of(known));
  }

  private static MemoryStore copy(MemoryStore from) {
    Batch batch = new Batch();
    from.copy(batch::put);
    MemoryStore copy = new MemoryStore();
    copy.commit(batch);
    return copy;
  }

  @Test
  void whoOnlySaysThatANodeWroteMoreNeitherStopsNorRenamesIt() {
    put(us, "a");
    for (long claimed : List.of(2L, 1_000L, 1L << 40, Long.MAX_VALUE)) {
      us.take(lie(Map.of(us.id(), claimed))).join();
      assertThat(us.failure()).isEmpty();
      put(us, "a");
    }
    assertThat(us.id()).isEqualTo(new NodeId("us.1"));
    assertThat(us.position()).as("numbers that a minute may leave out").isLessThan(1L << 21);
    assertThat(us.take(lie(Map.of(us.id(), Long.MAX_VALUE))).join().problem())
        .as("told with the name of who says so")
        .startsWith("liar.1 says that it has ");
  }

  @Test
  void numbersThatAnotherNodeSaysToHaveAreNotGivenAgain() {
    put(us, "a");
    us.take(lie(Map.of(us.id(), 500L))).join();
    assertThat(put(us, "a")).isEqualTo(new Dot(us.id(), 501));
    assertThat(us.history(key("a"), Long.MAX_VALUE, 10)).hasSize(2);
    Node other = open(new MemoryStore(), "other");
    assertThat(pull(other, us).applied()).isEqualTo(2);
    assertThat(other.known().get(us.id())).isEqualTo(501);
    assertThat(us.verify(_ -> {}).broken()).isEmpty();
    Node again = open(copy(store), "us");
    assertThat(put(again, "a")).isEqualTo(new Dot(us.id(), 502));
  }

  @Test
  void inventedVersionsOfANodeRenameItAFewTimesAnHourAndNotMore() {
    Node node = us;
    put(node, "a");
    for (int i = 0; i < PutBack.RENEWALS_MAX; i++) {
      Node victim = node;
      assertThatThrownBy(() -> victim.take(lie(Map.of(), invented(victim, 1_000))).join())
          .hasRootCauseInstanceOf(NodeRestoredException.class);
      node = open(store, "us");
    }
    Intake refused = node.take(lie(Map.of(), invented(node, 1_000))).join();
    assertThat(refused.problem()).startsWith("liar.1 sends version 1000 of ");
    assertThat(node.failure()).isEmpty();
    put(node, "a");
    assertThat(node.history(key("a"), Long.MAX_VALUE, 10)).hasSize(2);
    now.addAndGet(PutBack.RENEWALS_MILLIS + 1);
    Node later = node;
    assertThatThrownBy(() -> later.take(lie(Map.of(), invented(later, 1_000))).join())
        .hasRootCauseInstanceOf(NodeRestoredException.class);
  }

  private byte[] invented(Node node, long number) {
    Node author = open(new MemoryStore(), "author" + incarnations.incrementAndGet());
    put(author, "invented");
    Version version = author.history(key("invented"), Long.MAX_VALUE, 1).getFirst().version();
    return VersionCodec.toBytes(
        Version.builder(new Dot(node.id(), number), version.key())
            .previous(version.previous())
            .context(version.context())
            .acceptedAt(version.acceptedAt())
            .time(version.time())
            .author("mallory")
            .changes(version.changes())
            .build());
  }

  @Test
  void whoSaysToHaveWhatThirdNodesWroteDoesNotKeepANodeFromAskingForIt() {
    Node third = open(new MemoryStore(), "third");
    for (int i = 0; i < 5; i++) {
      put(third, "x" + i);
    }
    us.take(lie(Map.of(third.id(), 5L))).join();
    assertThat(us.known().get(third.id())).as("nothing of it was sent").isZero();
    us.take(lie(Map.of(third.id(), 1L << 60, new NodeId("nobody.1"), 9L))).join();
    assertThat(us.known().get(third.id())).isZero();
    assertThat(us.known().get(new NodeId("nobody.1"))).isZero();
    assertThat(pull(us, third).applied()).isEqualTo(5);
    assertThat(us.known().get(third.id())).isEqualTo(5);
  }

  @Test
  void whatCameByAnotherIsKnownUpToTheLastThatCame() {
    Node third = open(new MemoryStore(), "third");
    Node relay = open(new MemoryStore(), "relay");
    put(third, "x");
    put(third, "y");
    put(relay, "z");
    pull(third, relay);
    pull(relay, third);
    assertThat(pull(us, relay).applied()).isEqualTo(3);
    assertThat(us.known().get(third.id())).isEqualTo(2);
    assertThat(us.known().get(relay.id())).isEqualTo(relay.position());
    assertThat(pull(us, third).seen()).as("the rest of its numbers holds nothing").isZero();
    assertThat(us.known().get(third.id())).isEqualTo(third.position());
  }

  /** Its first answer shows it, however much else the other has to send. */
  @Test
  void aDirectoryOfATwoNodeClusterThatWasPutBackIsNoticedWithTheFirstAnswer() {
    Node other = open(new MemoryStore(), "other");
    for (int i = 0; i < 50; i++) {
      put(other, "before" + i);
    }
    put(us, "a");
    MemoryStore earlier = copy(store);
    put(us, "b");
    pull(other, us);
    Node putBack = open(earlier, "us");
    Shipment shown = other.shipLost(putBack.id(), putBack.position()).orElseThrow();
    assertThat(shown.entries()).hasSize(1);
    assertThatThrownBy(() -> putBack.take(shown).join())
        .hasRootCauseInstanceOf(NodeRestoredException.class);
    Node next = open(earlier, "us");
    assertThat(next.id()).isNotEqualTo(us.id());
    pull(next, other);
    assertThat(next.read(key("b")).view().exists()).isTrue();
    assertThat(other.shipLost(us.id(), us.position())).isEmpty();
  }

  /** An answer to an older question shows versions that the asker has by now; it is no harm. */
  @Test
  void whoIsShownWhatItHasGoesOn() {
    Node other = open(new MemoryStore(), "other");
    put(other, "before");
    put(us, "a");
    pull(other, us);
    Shipment shown = other.shipLost(us.id(), 0).orElseThrow();
    assertThat(us.take(shown).join().problem()).isEmpty();
    assertThat(us.failure()).isEmpty();
    assertThat(pull(us, other).applied()).isEqualTo(1);
  }

  /** It had only received since, so there is no version to show: the numbers are left out. */
  @Test
  void aDirectoryThatWasPutBackBehindWhatItOnlyReceivedGivesNoNumberTwice() {
    Node other = open(new MemoryStore(), "other");
    put(us, "a");
    MemoryStore earlier = copy(store);
    put(other, "b");
    put(other, "c");
    pull(us, other);
    pull(other, us);
    assertThat(other.known().get(us.id())).isEqualTo(3);
    Node putBack = open(earlier, "us");
    assertThat(other.shipLost(putBack.id(), putBack.position())).isEmpty();
    pull(putBack, other);
    assertThat(put(putBack, "d").number()).isGreaterThan(3);
    assertThat(pull(other, putBack).applied()).isEqualTo(1);
  }
}
