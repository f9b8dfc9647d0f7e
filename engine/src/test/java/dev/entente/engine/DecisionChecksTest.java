// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Review.Status;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What decides by another way than choosing a competing value is checked as any write is. */
class DecisionChecksTest {
  private static final String UNIQUE = "type: t\ndefault: last-writer-wins\nunique: [ip]\n";
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final Node node =
      Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n").withClock(now::get));

  @AfterEach
  void close() {
    node.close();
  }

  /** Why a write is refused that was fine when its review was opened. */
  enum Why {
    FROZEN(Code.FROZEN),
    INCONSISTENT(Code.UNAVAILABLE),
    INVARIANT(Code.INVALID),
    ANOTHER_HAS_IT(Code.CONFLICT);

    private final Code code;

    Why(Code code) {
      this.code = code;
    }
  }

  private void policy(String text) throws PolicyException {
    node.putPolicy("main", text, "op").join();
  }

  private static RecordKey key(String id) {
    return new RecordKey("main", "t", id);
  }

  private Accepted put(String id, Map<String, ?> document, Seen seen, String author) {
    now.addAndGet(1_000);
    Edit edit = new Edit.Put((JsonObject) Json.of(document));
    return (Accepted) node.write(WriteRequest.of(key(id), edit, seen, author)).join();
  }

  private Review pending() {
    return node.reviews("main", Status.PENDING, Optional.empty(), 10).getFirst();
  }

  private void refuse(Why why, String policy, String id, String broken) throws PolicyException {
    switch (why) {
      case FROZEN -> node.freeze(Freeze.of("main/t/" + id, "incident", "op")).join();
      case INCONSISTENT -> node.promise(_ -> Optional.of("no quorum"));
      case INVARIANT ->
          policy(policy + "invariants: [{name: kept, check: '" + broken + "', severity: high}]\n");
      case ANOTHER_HAS_IT -> {
        policy(policy.contains("unique") ? policy : policy + "unique: [v]\n");
        put("other", Map.of("v", 2), new Seen.Everything(), "op");
      }
    }
  }

  private Map<String, Snapshot> records() {
    Map<String, Snapshot> records = new TreeMap<>();
    node.records("main", "t", Optional.empty(), 10)
        .forEach(key -> records.put(key.id(), node.read(key)));
    return records;
  }

  private void isRefused(Result result, Why why, Map<String, Snapshot> before, Review review) {
    assertThat(result)
        .isInstanceOfSatisfying(
            Result.Refused.class, refused -> assertThat(refused.why().code()).isEqualTo(why.code));
    assertThat(records()).as("nothing is written").isEqualTo(before);
    assertThat(node.review("main", review.id())).map(Review::status).contains(Status.PENDING);
    assertThat(node.audit("main", Long.MAX_VALUE, 1).getFirst().action()).isEqualTo("rejected");
  }

  @ParameterizedTest
  @EnumSource(
      value = Why.class,
      names = {"FROZEN", "INCONSISTENT", "INVARIANT"})
  void contentionIsDecidedForAllThatGiveWayOrForNone(Why why) throws PolicyException {
    policy("type: t\ndefault: last-writer-wins\n");
    for (String id : new String[] {"a", "b", "c"}) {
      put(id, Map.of("ip", "10.0.0.7", "bound", id.equals("c")), new Seen.Everything(), id);
    }
    policy(UNIQUE);
    Review review = pending();
    refuse(why, UNIQUE, "c", "!data.bound || has(data.ip)");
    Map<String, Snapshot> before = records();
    Result result = node.decide("main", review.id(), new Decision.Choose(0), "boss", "").join();
    isRefused(result, why, before, review);
  }

  @ParameterizedTest
  @EnumSource(Why.class)
  void appealIsGrantedAsAWriteIsAccepted(Why why) throws PolicyException {
    String plain = "type: t\ndefault: last-writer-wins\n";
    policy(plain);
    Accepted base = put("r", Map.of("v", 1), new Seen.Everything(), "op");
    Seen seen = new Seen.Context(base.after().state().context());
    Accepted lost = put("r", Map.of("v", 2), seen, "ann");
    put("r", Map.of("v", 3), seen, "bob");
    var dot = node.history(lost.after().key(), Long.MAX_VALUE, 10).get(1).version().dot();
    Review review = node.appeal(key("r"), dot, "ann", "mine").join().orElseThrow().getFirst();
    refuse(why, plain, "r", "data.v != 2");
    Map<String, Snapshot> before = records();
    Result result = node.decide("main", review.id(), new Decision.Choose(1), "boss", "").join();
    isRefused(result, why, before, review);
  }

  @ParameterizedTest
  @EnumSource(
      value = Why.class,
      names = {"FROZEN", "INCONSISTENT"})
  void timeOutWaitsUntilItsWriteIsAccepted(Why why) throws PolicyException {
    String policy =
        "type: t\ndefault: {strategy: manual-review, time-out: 1h, otherwise: last-writer-wins}\n";
    policy(policy);
    Accepted base = put("r", Map.of("v", 1), new Seen.Everything(), "op");
    Seen seen = new Seen.Context(base.after().state().context());
    put("r", Map.of("v", 2), seen, "ann");
    put("r", Map.of("v", 3), seen, "bob");
    Review review = pending();
    refuse(why, policy, "r", "");
    Map<String, Snapshot> before = records();
    now.addAndGet(2 * 3_600_000L);
    node.proceed().join();
    assertThat(records()).isEqualTo(before);
    assertThat(node.review("main", review.id())).map(Review::status).contains(Status.PENDING);
    if (why == Why.FROZEN) {
      node.thaw("main/t/r", "op").join();
    } else {
      node.promise(_ -> Optional.empty());
    }
    now.addAndGet(3_600_000L);
    while (node.proceed().join() > 0) {
      // Until nothing is due any more.
    }
    assertThat(node.review("main", review.id())).map(Review::status).contains(Status.RESOLVED);
  }

  @ParameterizedTest
  @EnumSource(
      value = Why.class,
      names = {"FROZEN", "INCONSISTENT"})
  void erasureIsCheckedForFreezesAndConsistency(Why why) throws PolicyException {
    policy(UNIQUE);
    put("r", Map.of("v", 1), new Seen.Everything(), "op");
    refuse(why, UNIQUE, "r", "");
    Map<String, Snapshot> before = records();
    Outcome outcome = node.write(WriteRequest.erasure(key("r"), "op", "asked")).join();
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, refused -> assertThat(refused.code()).isEqualTo(why.code));
    assertThat(records()).isEqualTo(before);
  }

  private String contested() throws PolicyException {
    policy("type: t\ndefault: manual-review\n");
    Accepted base = put("r", Map.of("v", 1), new Seen.Everything(), "op");
    Seen seen = new Seen.Context(base.after().state().context());
    put("r", Map.of("v", 2), seen, "ann");
    return put("r", Map.of("v", 3), seen, "bob").conflictId().orElseThrow();
  }

  @Test
  void ignoredReviewIsTakenUpAgainAndDecided() throws PolicyException {
    String id = contested();
    assertThat(node.takeUp("main", id, "boss", "").join()).isInstanceOf(Result.Moved.class);
    assertThat(node.takeUp("main", "none", "boss", "").join()).isInstanceOf(Result.Unknown.class);
    node.decide("main", id, new Decision.Ignore(), "boss", "later").join();
    now.addAndGet(7 * 24 * 3_600_000L);
    assertThat(node.takeUp("main", id, "eve", "now").join())
        .isInstanceOfSatisfying(
            Result.Decided.class,
            again -> {
              assertThat(again.review().status()).isEqualTo(Status.PENDING);
              assertThat(again.review().times().dueAtMillis()).isGreaterThan(now.get());
            });
    AuditEntry last = node.audit("main", Long.MAX_VALUE, 1).getFirst();
    assertThat(last.action()).isEqualTo("reopened");
    assertThat(last.detail().toString()).contains(id).contains("now");
    assertThat(node.countReviews("main", Status.PENDING)).isEqualTo(1);
    assertThat(node.countReviews("main", Status.IGNORED)).isZero();
    assertThat(node.decide("main", id, new Decision.Choose(0), "eve", "").join())
        .isInstanceOf(Result.Decided.class);
    assertThat(node.takeUp("main", id, "eve", "").join()).isInstanceOf(Result.Moved.class);
  }

  @Test
  void ignoredReviewOfWhatIsSettledIsNotTakenUp() throws PolicyException {
    String id = contested();
    node.decide("main", id, new Decision.Ignore(), "boss", "later").join();
    put("r", Map.of("v", 9), new Seen.Context(node.read(key("r")).state().context()), "ann");
    assertThat(node.takeUp("main", id, "eve", "").join()).isInstanceOf(Result.Moved.class);
  }

  @Test
  void ignoredContentionIsTakenUpWhileItLasts() throws PolicyException {
    policy("type: t\ndefault: last-writer-wins\n");
    put("a", Map.of("ip", 1), new Seen.Everything(), "x");
    put("b", Map.of("ip", 1), new Seen.Everything(), "y");
    policy(UNIQUE);
    String id = pending().id();
    node.decide("main", id, new Decision.Ignore(), "boss", "later").join();
    assertThat(node.takeUp("main", id, "eve", "").join()).isInstanceOf(Result.Decided.class);
    assertThat(pending().id()).isEqualTo(id);
  }

  @Test
  void tryingADecisionSaysWhatItWouldAnswerAndLeavesNoTrace() throws PolicyException {
    String id = contested();
    Decision first = new Decision.Choose(0);
    for (Why why : new Why[] {Why.ANOTHER_HAS_IT, Why.FROZEN}) {
      if (why == Why.FROZEN) {
        node.freeze(Freeze.of("main/t", "incident", "op")).join();
      }
      Map<String, Snapshot> before = records();
      long position = node.position();
      AuditEntry last = node.audit("main", Long.MAX_VALUE, 1).getFirst();
      for (boolean agreed : new boolean[] {false, true}) {
        Result result = node.tryDecision("main", id, first, "boss", agreed).join();
        assertThat(result)
            .isInstanceOf(why == Why.FROZEN ? Result.Refused.class : Result.Decided.class);
      }
      assertThat(records()).isEqualTo(before);
      assertThat(node.position()).isEqualTo(position);
      assertThat(node.audit("main", Long.MAX_VALUE, 1).getFirst()).isEqualTo(last);
      assertThat(pending().id()).isEqualTo(id);
    }
    node.thaw("main/t", "op").join();
    assertThat(node.decide("main", id, first, "boss", "").join())
        .isInstanceOf(Result.Decided.class);
    assertThat(node.verify(_ -> {}).broken()).isEmpty();
  }
}
