// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Duplicate;
import dev.entente.engine.Outcome.Kind;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Table;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One node: what is accepted, what is told apart, what is kept, what can be undone. */
class NodeTest {
  private final MemoryStore store = new MemoryStore();
  private long now = 1_800_000_000_000L;
  private Node node = Node.open(store, NodeConfig.DEFAULT.withName("n").withClock(() -> now));
  private final RecordKey key = new RecordKey("main", "doc", "1");

  @AfterEach
  void close() {
    node.close();
  }

  private Outcome write(Edit edit, Seen seen, String author) {
    now += 1_000;
    return node.write(WriteRequest.of(key, edit, seen, author)).join();
  }

  private Accepted put(Map<String, ?> document, Seen seen, String author) {
    return (Accepted) write(put(document), seen, author);
  }

  private static Edit put(Map<String, ?> document) {
    return new Edit.Put((JsonObject) Json.of(document));
  }

  private static Seen after(Accepted accepted) {
    return new Seen.Context(accepted.after().state().context());
  }

  private static Seen exactly(Accepted accepted) {
    return new Seen.Exactly(accepted.after().state().context());
  }

  private Json data() {
    return node.read(key).view().data();
  }

  @Test
  void concurrentChangesOfDifferentFieldsMergeWithoutAConflict() {
    Accepted base = put(Map.of("a", 1, "b", 1), new Seen.Everything(), "x");
    put(Map.of("a", 2, "b", 1), after(base), "x");
    Accepted other = put(Map.of("a", 1, "b", 2), after(base), "y");
    assertThat(other.kind()).isEqualTo(Kind.MERGED);
    assertThat(data()).isEqualTo(Json.of(Map.of("a", 2, "b", 2)));
  }

  @Test
  void aStaleConditionalWriteIsToldWhatIsThereNowAndItsPayloadIsKept() {
    Accepted base = put(Map.of("a", 1), new Seen.Everything(), "x");
    put(Map.of("a", 2), exactly(base), "x");
    Rejected stale = (Rejected) write(put(Map.of("a", 3)), exactly(base), "y");
    assertThat(stale.code()).isEqualTo(Code.STALE);
    assertThat(stale.current().orElseThrow().view().data()).isEqualTo(Json.of(Map.of("a", 2)));
    AuditEntry kept = node.audit("main", Long.MAX_VALUE, 1).getFirst();
    assertThat(kept.action()).isEqualTo("rejected");
    assertThat(((JsonObject) kept.detail()).get("payload"))
        .isEqualTo(Json.of(Map.of("put", Map.of("a", 3))));
  }

  @Test
  void bothSidesCreatingTheSameNestedObjectLoseNothing() {
    Accepted base = put(Map.of(), new Seen.Everything(), "x");
    put(Map.of("address", Map.of("city", "Oslo")), after(base), "x");
    put(Map.of("address", Map.of("zip", "0150")), after(base), "y");
    assertThat(data()).isEqualTo(Json.of(Map.of("address", Map.of("city", "Oslo", "zip", "0150"))));
    assertThat(node.read(key).view().resolutions()).isEmpty();
  }

  @Test
  void deletingARecordThatAnotherEditsWaitsForAPersonAndStaysVisible() {
    Accepted base = put(Map.of("a", 1), new Seen.Everything(), "x");
    put(Map.of("a", 2), after(base), "x");
    Accepted deletion = (Accepted) write(new Edit.Delete(), after(base), "y");
    assertThat(deletion.kind()).isEqualTo(Kind.PENDING);
    assertThat(data()).as("what both had read").isEqualTo(Json.of(Map.of("a", 1)));
    assertThat(node.reviews("main", Review.Status.PENDING, Optional.empty(), 10))
        .singleElement()
        .satisfies(review -> assertThat(review.unit()).isEqualTo("alive"));
  }

  @Test
  void deletingANestedObjectThatAnotherEditsCompetesAtThatObject() {
    Accepted base = put(Map.of("o", Map.of("a", 1, "b", 1)), new Seen.Everything(), "x");
    put(Map.of(), after(base), "x");
    Accepted edit = put(Map.of("o", Map.of("a", 2, "b", 1)), after(base), "y");
    assertThat(edit.resolutions())
        .singleElement()
        .satisfies(r -> assertThat(r.conflict().label()).isEqualTo("o"));
    assertThat(edit.kind()).isEqualTo(Kind.PENDING);
  }

  @Test
  void aRecordThatIsCreatedAgainDoesNotInheritOldFields() {
    put(Map.of("a", 1, "o", Map.of("x", 1)), new Seen.Everything(), "x");
    write(new Edit.Delete(), new Seen.Everything(), "x");
    assertThat(node.read(key).view().exists()).isFalse();
    put(Map.of("b", 2, "o", Map.of("y", 1)), new Seen.Everything(), "x");
    assertThat(data()).isEqualTo(Json.of(Map.of("b", 2, "o", Map.of("y", 1))));
  }

  @Test
  void theSameRequestTwiceAnswersTheFirstAnswerAndAnotherUnderItsIdIsRefused() {
    WriteRequest request =
        new WriteRequest(
            key,
            put(Map.of("a", 1)),
            new Seen.Nothing(),
            "x",
            Optional.of("phone"),
            Optional.of("eevent-1"),
            WriteRequest.Sender.NONE,
            Optional.empty(),
            Optional.empty(),
            "");
    assertThat(node.write(request).join()).isInstanceOf(Accepted.class);
    long position = node.position();
    assertThat(node.write(request).join()).isInstanceOf(Duplicate.class);
    assertThat(node.position()).isEqualTo(position);
    WriteRequest other =
        new WriteRequest(
            key,
            put(Map.of("a", 2)),
            new Seen.Nothing(),
            "x",
            Optional.of("phone"),
            Optional.of("eevent-1"),
            WriteRequest.Sender.NONE,
            Optional.empty(),
            Optional.empty(),
            "");
    assertThat(((Rejected) node.write(other).join()).code()).isEqualTo(Code.INVALID);
  }

  @Test
  void aDevicesOwnQueueNeverConflictsWithItselfButWithOthers() {
    Accepted base = put(Map.of("note", "0"), new Seen.Everything(), "x");
    put(Map.of("note", "other"), after(base), "other");
    for (int i = 1; i <= 3; i++) {
      node.write(
              new WriteRequest(
                  key,
                  put(Map.of("note", "mine " + i)),
                  after(base),
                  "me",
                  Optional.of("tablet"),
                  Optional.of("ee" + i),
                  WriteRequest.Sender.NONE,
                  Optional.empty(),
                  Optional.empty(),
                  ""))
          .join();
    }
    Resolution conflict = node.read(key).view().resolutions().getFirst();
    assertThat(conflict.conflict().competing())
        .extracting(a -> a.value().toString())
        .containsExactly("\"other\"", "\"mine 3\"");
    assertThat(conflict.value()).isEqualTo(Json.of("0"));
  }

  @Test
  void aDecisionCollapsesTheConflictAndIsCheckedAgainstTheLiveRecord() {
    Accepted base = put(Map.of("a", 1), new Seen.Everything(), "x");
    put(Map.of("a", 2), after(base), "x");
    Accepted pending = put(Map.of("a", 3), after(base), "y");
    String id = pending.conflictId().orElseThrow();
    Accepted third = put(Map.of("a", 4), after(base), "z");
    assertThat(node.decide("main", id, new Decision.Choose(0), "boss", "").join())
        .isInstanceOf(Decision.Result.Moved.class);
    String live = third.conflictId().orElseThrow();
    assertThat(node.decide("main", live, new Decision.Choose(9), "boss", "").join())
        .isInstanceOf(Decision.Result.Invalid.class);
    assertThat(node.decide("main", live, new Decision.Value(Json.of(9)), "boss", "because").join())
        .isInstanceOf(Decision.Result.Decided.class);
    assertThat(data()).isEqualTo(Json.of(Map.of("a", 9)));
    assertThat(node.read(key).view().resolutions()).isEmpty();
    assertThat(node.decide("main", live, new Decision.Choose(0), "boss", "").join())
        .isInstanceOf(Decision.Result.Moved.class);
    assertThat(node.countReviews("main", Review.Status.PENDING)).isZero();
  }

  @Test
  void whatIsNeverAutomaticIsNotSettledByAWriteEither() throws Exception {
    node.putPolicy("main", "type: doc\ndefault: last-writer-wins\nnever-automatic: [payment]", "x")
        .join();
    Accepted base = put(Map.of("payment", 1), new Seen.Everything(), "x");
    put(Map.of("payment", 2), after(base), "x");
    Accepted pending = put(Map.of("payment", 3), after(base), "y");
    assertThat(pending.kind()).isEqualTo(Kind.PENDING);
    assertThat(((Rejected) write(put(Map.of("payment", 4)), new Seen.Everything(), "z")).code())
        .isEqualTo(Code.CONFLICT);
    assertThat(data()).isEqualTo(Json.of(Map.of("payment", 1)));
  }

  @Test
  void aMergeThatBreaksAnInvariantShowsWhatWasLastAgreedUntilAPersonDecides() throws Exception {
    node.putPolicy(
            "main",
            "type: doc\n"
                + "invariants: [{name: order, check: 'data.from < data.to', severity: critical}]",
            "x")
        .join();
    Accepted base = put(Map.of("from", 1, "to", 10), new Seen.Everything(), "x");
    put(Map.of("from", 8, "to", 10), after(base), "x");
    Accepted merged = put(Map.of("from", 1, "to", 5), after(base), "y");
    assertThat(merged.kind()).isEqualTo(Kind.PENDING);
    assertThat(data()).isEqualTo(Json.of(Map.of("from", 1, "to", 10)));
    Resolution conflict = node.read(key).view().resolutions().getFirst();
    assertThat(conflict.conflict().type().label()).isEqualTo("invariant-violation");
    assertThat(conflict.conflict().competing())
        .extracting(a -> a.value())
        .containsExactly(Json.of(Map.of("from", 8, "to", 10)), Json.of(Map.of("from", 1, "to", 5)));
    assertThat(((Rejected) write(put(Map.of("from", 9, "to", 1)), after(merged), "z")).code())
        .isEqualTo(Code.INVALID);
    assertThat(
            ((Rejected) write(put(Map.of("from", 0, "to", 9)), new Seen.Everything(), "z")).code())
        .as("who does not know of it settles nothing")
        .isEqualTo(Code.PRECONDITION_REQUIRED);
    node.decide("main", conflict.conflict().id(), new Decision.Choose(1), "boss", "shorter").join();
    assertThat(data()).isEqualTo(Json.of(Map.of("from", 1, "to", 5)));
  }

  /** The slider through a record's versions showed the later of two that came in one moment. */
  @Test
  void ofVersionsInOneMomentEachHasAViewOfItsOwn() {
    long moment = now;
    for (int i = 1; i <= 3; i++) {
      now = moment;
      put(Map.of("a", i), new Seen.Everything(), "x");
    }
    List<Integer> seen = new ArrayList<>();
    for (Logged logged : node.history(key, Long.MAX_VALUE, 10)) {
      assertThat(logged.version().acceptedAt().millis()).isEqualTo(now);
      Json then = node.readAt(key, logged.version().acceptedAt()).view().data();
      seen.add(Integer.valueOf(((JsonObject) then).get("a").toString()));
    }
    assertThat(seen).containsExactly(3, 2, 1);
  }

  @Test
  void theViewAtAMomentAndGoingBackToItAsANewVersion() {
    put(Map.of("a", 1), new Seen.Everything(), "x");
    Instant then = Instant.ofEpochMilli(now);
    put(Map.of("a", 2), new Seen.Everything(), "x");
    assertThat(node.readAt(key, then).view().data()).isEqualTo(Json.of(Map.of("a", 1)));
    node.rollback(node.readAt(key, then), "boss", "wrong").join();
    assertThat(data()).isEqualTo(Json.of(Map.of("a", 1)));
    assertThat(node.history(key, Long.MAX_VALUE, 10)).hasSize(3);
    write(new Edit.Delete(), new Seen.Everything(), "x");
    node.rollback(node.readAt(key, then), "boss", "deleted by mistake").join();
    assertThat(data()).isEqualTo(Json.of(Map.of("a", 1)));
  }

  @Test
  void aTimeFarAheadIsRefusedAndTheClockStays() {
    WriteRequest request =
        WriteRequest.of(key, put(Map.of("a", 1)), new Seen.Nothing(), "x")
            .at(HybridTime.ofMillis(now + 315_360_000_000L));
    assertThat(((Rejected) node.write(request).join()).code()).isEqualTo(Code.INVALID);
    Accepted next = put(Map.of("a", 1), new Seen.Everything(), "x");
    assertThat(next.after().view().updatedAt().millis()).isLessThan(now + 10_000);
  }

  @Test
  void aHotUnitDegradesIntoReviewInsteadOfExploding() {
    Accepted base = put(Map.of("a", 0), new Seen.Everything(), "x");
    int refused = 0;
    for (int i = 1; i <= 70; i++) {
      refused += write(put(Map.of("a", i)), after(base), "w" + i) instanceof Rejected ? 1 : 0;
    }
    assertThat(refused).isEqualTo(70 - NodeConfig.DEFAULT.siblingsMax());
    assertThat(node.countReviews("main", Review.Status.PENDING)).isEqualTo(1);
  }

  @Test
  void tenantsShareNothing() {
    put(Map.of("a", 1), new Seen.Everything(), "x");
    assertThat(node.read(new RecordKey("other", "doc", "1")).view().exists()).isFalse();
    assertThat(node.changes("other", 0, 10)).isEmpty();
    assertThat(node.audit("other", Long.MAX_VALUE, 10)).isEmpty();
  }

  @Test
  void everythingIsThereAfterOpeningAgain() {
    Accepted base = put(Map.of("a", 1), new Seen.Everything(), "x");
    put(Map.of("a", 2), after(base), "x");
    put(Map.of("a", 3), after(base), "y");
    Snapshot before = node.read(key);
    node.close();
    node = Node.open(store, NodeConfig.DEFAULT.withClock(() -> now));
    assertThat(node.id().value()).isEqualTo("n.1");
    assertThat(node.read(key)).isEqualTo(before);
    assertThat(node.countReviews("main", Review.Status.PENDING)).isEqualTo(1);
    put(Map.of("a", 9), new Seen.Context(before.state().context()), "x");
    assertThat(node.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void tamperingIsFoundAndTheFirstBrokenLinkIsNamed() {
    for (int i = 0; i < 5; i++) {
      put(Map.of("a", i), new Seen.Everything(), "x");
    }
    assertThat(node.verify(_ -> {}).broken()).isEmpty();
    byte[] entry = store.get(Table.AUDIT, Keys.of(3));
    byte[] version = store.get(Table.LOG, History.logKey("main", 2));

    byte[] flipped = entry.clone();
    flipped[10] ^= 1;
    damage(Table.AUDIT, 3, flipped);
    assertThat(node.verify(_ -> {}).broken())
        .hasValueSatisfying(b -> assertThat(b).contains("audit entry 3"));
    damage(Table.AUDIT, 3, null);
    assertThat(node.verify(_ -> {}).broken())
        .hasValueSatisfying(b -> assertThat(b).contains("audit entry 3 is missing"));
    damage(Table.AUDIT, 3, entry);
    byte[] next = store.get(Table.AUDIT, Keys.of(4));
    damage(Table.AUDIT, 3, next);
    damage(Table.AUDIT, 4, entry);
    assertThat(node.verify(_ -> {}).broken())
        .as("two that changed places")
        .hasValueSatisfying(b -> assertThat(b).contains("audit entry 3"));
    damage(Table.AUDIT, 3, entry);
    damage(Table.AUDIT, 4, next);
    damage(Table.AUDIT, 6, next);
    assertThat(node.verify(_ -> {}).broken())
        .as("one that was put in behind the last")
        .hasValueSatisfying(b -> assertThat(b).contains("audit entry 6"));
    damage(Table.AUDIT, 6, null);
    byte[] other = version.clone();
    other[other.length - 1] ^= 1;
    damageLog(other);
    assertThat(node.verify(_ -> {}).broken())
        .hasValueSatisfying(b -> assertThat(b).contains("version 2 is not the one"));
    damageLog(version);
    damage(Table.AUDIT, 5, null);
    assertThat(node.verify(_ -> {}).broken())
        .hasValueSatisfying(b ->
            assertThat(b).contains("the log holds 5 versions but the audit log vouches for 4"));
  }

  @Test
  void theChainIsIntactAlsoWhileItGrows() throws InterruptedException {
    Thread writer =
        Thread.ofVirtual()
            .start(() -> {
              for (int i = 0; i < 3_000; i++) {
                node.write(WriteRequest.of(key, put(Map.of("a", i)), new Seen.Everything(), "x"))
                    .join();
              }
            });
    while (writer.isAlive()) {
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
    }
    writer.join();
  }

  private void damageLog(byte[] value) {
    Batch batch = new Batch();
    batch.put(Table.LOG, History.logKey("main", 2), value);
    store.commit(batch);
  }

  private void damage(Table table, long number, byte[] value) {
    Batch batch = new Batch();
    if (value == null) {
      batch.delete(table, Keys.of(number));
    } else {
      batch.put(table, Keys.of(number), value);
    }
    store.commit(batch);
  }

  @Test
  void oneBadEventInABatchDoesNotTouchTheOthers() {
    RecordKey second = new RecordKey("main", "doc", "2");
    List<Outcome> outcomes =
        node.writeAll(
                List.of(
                    WriteRequest.of(key, put(Map.of("a", 1)), new Seen.Nothing(), "x"),
                    WriteRequest.of(
                        key,
                        new Edit.JsonPatch(
                            ((JsonArray) Json.of(List.of(Map.of("op", "remove", "path", "/zz"))))
                                .items()),
                        new Seen.Nothing(),
                        "x"),
                    WriteRequest.of(second, put(Map.of("a", 2)), new Seen.Nothing(), "x")))
            .join();
    assertThat(outcomes.get(0)).isInstanceOf(Accepted.class);
    assertThat(((Rejected) outcomes.get(1)).code()).isEqualTo(Code.INVALID);
    assertThat(outcomes.get(2)).isInstanceOf(Accepted.class);
  }

  /** B77: neither a division by zero nor a wrong type loses anything. */
  @Test
  void aRuleThatFailsSendsTheRecordToReview() throws PolicyException {
    for (String when :
        List.of("1 / (conflict.values.size() - 2) > 0", "conflict.values[0] > \"a\"")) {
      node.putPolicy(
              "main",
              "type: doc\ndefault: last-writer-wins\nrules: [{name: odd, when: '"
                  + when
                  + "', then: merge}]",
              "op")
          .join();
      write(new Edit.Delete(), new Seen.Everything(), "x");
      Accepted base = put(Map.of("n", 1, "text", "t"), new Seen.Everything(), "x");
      put(Map.of("n", 2, "text", "t"), after(base), "x");
      Accepted other = put(Map.of("n", 3, "text", "t"), after(base), "y");
      assertThat(other.kind()).as(when).isEqualTo(Kind.PENDING);
      assertThat(other.resolutions().getFirst().explanation()).contains("odd");
      assertThat(other.resolutions().getFirst().conflict().competing()).hasSize(2);
    }
  }

  /** B76: what a rule makes of values stays within what a write could bring. */
  @Test
  void aResultThatGrowsTooLongIsForAPerson() throws PolicyException {
    node.putPolicy("main", "type: doc\nfields: {text: append}", "op").join();
    Accepted base = put(Map.of("text", ""), new Seen.Everything(), "x");
    put(Map.of("text", "x".repeat(2_500_000)), after(base), "x");
    Accepted other = put(Map.of("text", "y".repeat(2_500_000)), after(base), "y");
    assertThat(other.kind()).isEqualTo(Kind.PENDING);
    assertThat(other.resolutions().getFirst().explanation()).contains("longer than");
  }

  @Test
  void writesThatHoldTogetherLeaveNothingButATraceOfTheirRefusal() {
    RecordKey other = new RecordKey(key.tenant(), key.type(), "other");
    List<WriteRequest> both =
        List.of(
            WriteRequest.of(other, put(Map.of("a", 1)), new Seen.Absence(), "x"),
            WriteRequest.of(key, put(Map.of("a", 1)), new Seen.Absence(), "x"));
    assertThat(node.writeTogether(both).join()).allMatch(Outcome.Accepted.class::isInstance);
    long position = node.position();
    List<Outcome> again =
        node.writeTogether(
                List.of(
                    WriteRequest.of(other, put(Map.of("a", 2)), new Seen.Everything(), "x"),
                    both.getLast()))
            .join();
    assertThat(again.getLast()).isInstanceOf(Outcome.Rejected.class);
    assertThat(node.position()).isEqualTo(position);
    assertThat(node.read(other).view().data()).hasToString("{\"a\":1}");
    assertThat(node.audit("main", Long.MAX_VALUE, 1).getFirst().action()).isEqualTo("rejected");
    assertThat(write(put(Map.of("a", 3)), new Seen.Everything(), "x"))
        .isInstanceOf(Outcome.Accepted.class);
    assertThat(node.position()).isEqualTo(position + 1);
  }
}
