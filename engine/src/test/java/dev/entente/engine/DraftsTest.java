// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Consistency;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A group of nodes writes as one: worked out by one member, taken by all, kept by none alone. */
class DraftsTest {
  private static final NodeId GROUP = new NodeId("group.1");
  private static final RecordKey SEAT = new RecordKey("main", "seat", "12a");
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<Node> opened = new ArrayList<>();
  private final Node left = open("left");
  private final Node right = open("right");

  private Node open(String name) {
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name).withClock(now::get));
    node.promise(policy ->
        policy.consistency() == Consistency.STRONG
            ? Optional.of("together only")
            : Optional.empty());
    opened.add(node);
    return node;
  }

  @BeforeEach
  void declare() throws Exception {
    for (Node node : opened) {
      node.putPolicy("main", "type: seat\nconsistency: strong\n", "test").join();
    }
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private static WriteRequest put(String holder, Seen seen, String id) {
    Edit edit = new Edit.Put(JsonObject.of("holder", Json.of(holder)));
    return new WriteRequest(
        SEAT,
        edit,
        seen,
        "ann",
        Optional.empty(),
        Optional.of("i" + id),
        WriteRequest.Sender.NONE,
        Optional.empty(),
        Optional.empty(),
        "");
  }

  private static Outcome agreed(Command<Outcome> command) {
    command.complete();
    return command.answer().join();
  }

  @Test
  void whatIsAgreedIsTheSameEverywhereAndNothingIsKeptBefore() {
    Command<Outcome> first = left.writing(put("ann", new Seen.Absence(), "1"));
    Command<Outcome> second = left.writing(put("ben", new Seen.Absence(), "2"));
    Proposal proposal = left.draft(GROUP, 0, List.of(first, second)).join();
    assertThat(left.read(SEAT).state().isEmpty()).as("not agreed on yet").isTrue();
    assertThat(proposal.versions()).hasSize(1);
    assertThat(left.audit("main", Long.MAX_VALUE, 1).getFirst().action())
        .as("what was refused is kept, though nothing was")
        .isEqualTo("rejected");
    Proposal sent = Proposal.fromBytes(proposal.toBytes());
    left.takeAgreed(GROUP, sent).join();
    right.takeAgreed(GROUP, sent).join();
    right.takeAgreed(GROUP, sent).join();
    assertThat(agreed(first)).isInstanceOf(Outcome.Accepted.class);
    assertThat(agreed(second))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, r -> assertThat(r.code()).isEqualTo(Outcome.Code.STALE));
    assertThat(StateCodec.toBytes(right.read(SEAT).state()))
        .isEqualTo(StateCodec.toBytes(left.read(SEAT).state()));
    assertThat(right.known().get(GROUP)).isEqualTo(1);
    Command<Outcome> again = right.writing(put("ann", new Seen.Absence(), "1"));
    assertThat(right.draft(GROUP, 1, List.of(again)).join().versions()).isEmpty();
    assertThat(agreed(again)).as("asked again elsewhere").isInstanceOf(Outcome.Duplicate.class);
  }

  @Test
  void aMemberThatMissedSomethingGetsItFromTheLogOfAnother() {
    Command<Outcome> first = left.writing(put("ann", new Seen.Everything(), "1"));
    left.takeAgreed(GROUP, left.draft(GROUP, 0, List.of(first)).join()).join();
    Command<Outcome> second = left.writing(put("ben", new Seen.Everything(), "2"));
    Proposal later = left.draft(GROUP, 1, List.of(second)).join();
    left.takeAgreed(GROUP, later).join();
    right.take(left.ship(0, right.known(), 1 << 20)).join();
    assertThat(right.known())
        .isEqualTo(VersionVector.of(Map.of(GROUP, 2L, left.id(), 2L, right.id(), 2L)));
    right.takeAgreed(GROUP, later).join();
    assertThat(StateCodec.toBytes(right.read(SEAT).state()))
        .isEqualTo(StateCodec.toBytes(left.read(SEAT).state()));
    assertThat(right.reviews("main", Review.Status.PENDING, Optional.empty(), 10)).isEmpty();
  }

  @Test
  void aNodeDoesNotWriteByItselfWhatOnlyTheGroupMay() {
    assertThat(left.write(put("ann", new Seen.Everything(), "1")).join())
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, r -> assertThat(r.code()).isEqualTo(Outcome.Code.UNAVAILABLE));
  }

  private byte[] version(long number, long acceptedAtMillis, CausalContext context) {
    return VersionCodec.toBytes(
        Version.builder(new Dot(GROUP, number), new RecordKey("main", "note", "n" + number))
            .context(context)
            .acceptedAt(HybridTime.ofMillis(acceptedAtMillis))
            .author("mallory")
            .changes(
                List.of(new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(Ancestor.NOTHING))))
            .build());
  }

  @Test
  void whatANodeSendsInTheNameOfTheGroupWaitsForTheClockAsAnyVersion() {
    byte[] early = version(1, now.get() + 86_400_000, CausalContext.EMPTY);
    assertThat(left.receive(List.of(early), new Sender("liar", "")).join())
        .singleElement()
        .isInstanceOfSatisfying(
            Receipt.Violated.class,
            told -> assertThat(told.how()).isEqualTo(CausalViolation.CLOCK_DRIFT));
    assertThat(left.read(new RecordKey("main", "note", "n1")).view().exists()).isFalse();
    left.takeAgreed(GROUP, new Proposal(0, List.of(early), List.of(), List.of())).join();
    right.takeAgreed(GROUP, new Proposal(0, List.of(early), List.of(), List.of())).join();
    assertThat(right.read(new RecordKey("main", "note", "n1")).view().exists())
        .as("what was agreed on does not wait")
        .isTrue();
  }

  @Test
  void whatWaitsInTheNameOfTheGroupIsBoundedByItsSender() {
    CausalContext never =
        new CausalContext(VersionVector.of(Map.of(new NodeId("nobody.1"), 5L)), new TreeSet<>());
    List<byte[]> many = new ArrayList<>();
    for (int i = 1; i <= HeldVersions.Bounds.DEFAULT.ofSender() + 10; i++) {
      many.add(version(i, now.get(), never));
    }
    List<Receipt> receipts = left.receive(many, new Sender("liar", "")).join();
    assertThat(left.held()).isEqualTo(HeldVersions.Bounds.DEFAULT.ofSender());
    assertThat(receipts.getLast()).isInstanceOf(Receipt.Damaged.class);
  }
}
