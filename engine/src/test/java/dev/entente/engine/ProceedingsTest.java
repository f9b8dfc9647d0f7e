// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.vote.Keys;
import dev.entente.core.vote.Question;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Votes, time-outs and rollbacks: what the policy does by itself about what waits. */
class ProceedingsTest {
  private static final RecordKey VM = new RecordKey("main", "vm", "v");
  private static final long MINUTE = 60_000;
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final MemoryStore store = new MemoryStore();
  private Node node = open();

  private Node open() {
    return Node.open(store, NodeConfig.DEFAULT.withName("n").withClock(now::get));
  }

  @AfterEach
  void close() {
    node.close();
  }

  private void policy(String fields) throws PolicyException {
    node.putPolicy("main", "type: vm\n" + fields, "op").join();
  }

  private Accepted put(Map<String, ?> document, Seen seen, String author) {
    Edit edit = new Edit.Put((JsonObject) Json.of(document));
    return (Accepted) node.write(WriteRequest.of(VM, edit, seen, author)).join();
  }

  /** Two hosts claim the machine; the id of the conflict. */
  private String contested() {
    Accepted base = put(Map.of("host", "agreed"), new Seen.Everything(), "op");
    Seen seen = new Seen.Context(base.after().state().context());
    put(Map.of("host", "left"), seen, "ann");
    return put(Map.of("host", "right"), seen, "bob").conflictId().orElseThrow();
  }

  private Json host() {
    return ((JsonObject) node.read(VM).view().data()).get("host");
  }

  private Result vote(String id, String voter, int choice) {
    return node.vote("main", id, new Decision.Choose(choice), voter, "").join();
  }

  private void pass(long millis) {
    now.addAndGet(millis);
    while (node.proceed().join() > 0) {
      // Until nothing is due any more.
    }
  }

  @Test
  void aQuorumDecidesAndTheProofStaysWithTheDecision() throws PolicyException {
    policy("fields: {host: {strategy: vote, voters: [x, y, z]}}");
    String id = contested();
    assertThat(host()).isEqualTo(Json.of("agreed"));
    assertThat(node.decide("main", id, new Decision.Choose(0), "op", "").join())
        .isInstanceOfSatisfying(
            Result.Moved.class, moved -> assertThat(moved.message()).contains("vote instead"));
    assertThat(vote(id, "x", 1)).isInstanceOf(Result.Voted.class);
    assertThat(vote(id, "mallory", 1)).isInstanceOf(Result.Invalid.class);
    assertThat(vote(id, "x", 0)).isInstanceOf(Result.Invalid.class);
    assertThat(vote(id, "z", 1)).isInstanceOf(Result.Decided.class);
    assertThat(host()).isEqualTo(Json.of("right"));
    Review review = node.review("main", id).orElseThrow();
    assertThat(review.progress().certificate().orElseThrow().problems()).isEmpty();
    assertThat(review.closing().reason()).isEqualTo("voted by x, z");
    assertThat(vote(id, "y", 0)).isInstanceOf(Result.Moved.class);
  }

  @Test
  void aLyingVoterIsReportedAndTheOthersDecide() throws PolicyException, GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
    KeyPair[] keys = new KeyPair[4];
    StringBuilder voters = new StringBuilder();
    for (int i = 0; i < 4; i++) {
      keys[i] = generator.generateKeyPair();
      voters.append(i == 0 ? "" : ", ").append("n" + i + ": {key: \"");
      voters.append(Base64.getEncoder().encodeToString(keys[i].getPublic().getEncoded()));
      voters.append("\"}");
    }
    policy("fields: {host: {strategy: vote, faulty: 1, voters: {" + voters + "}}}");
    String id = contested();
    assertThat(vote(id, "n0", 0)).isInstanceOf(Result.Invalid.class);
    Question question =
        node.review("main", id).orElseThrow().progress().poll().orElseThrow().question();
    assertThat(signed(id, question, keys, 3, 0)).isInstanceOf(Result.Voted.class);
    assertThat(signed(id, question, keys, 0, 1)).isInstanceOf(Result.Voted.class);
    assertThat(signed(id, question, keys, 3, 1)).isInstanceOf(Result.Voted.class);
    assertThat(node.audit("main", Long.MAX_VALUE, 1).getFirst().action()).isEqualTo("equivocation");
    assertThat(signed(id, question, keys, 1, 1)).isInstanceOf(Result.Voted.class);
    assertThat(signed(id, question, keys, 2, 1)).isInstanceOf(Result.Decided.class);
    assertThat(host()).isEqualTo(Json.of("right"));
    var proof = node.review("main", id).orElseThrow().progress().certificate().orElseThrow();
    assertThat(VoteJson.certificate(VoteJson.of(proof))).isEqualTo(proof);
    assertThat(proof.problems()).isEmpty();
    assertThat(proof.equivocations()).hasSize(1);
  }

  private Result signed(String id, Question question, KeyPair[] keys, int voter, int choice) {
    Json value = Json.of(choice == 0 ? "left" : "right");
    String key = Base64.getEncoder().encodeToString(keys[voter].getPrivate().getEncoded());
    String signature = Keys.sign(question.statement("n" + voter, value), key);
    return node.vote("main", id, new Decision.Choose(choice), "n" + voter, signature).join();
  }

  @Test
  void aHungVoteIsHeldAgainAndThenHandedOn() throws PolicyException {
    policy(
        "fields: {host: {strategy: vote, voters: [x, y], time-out: 10m, retries: 1, otherwise: last-writer-wins}}");
    String id = contested();
    vote(id, "x", 0);
    assertThat(vote(id, "y", 1)).isInstanceOf(Result.Voted.class);
    assertThat(node.review("main", id).orElseThrow().progress().poll().orElseThrow())
        .satisfies(poll -> {
          assertThat(poll.question().round()).isEqualTo(2);
          assertThat(poll.ballots().isEmpty()).isTrue();
        });
    vote(id, "x", 0);
    assertThat(vote(id, "y", 1)).isInstanceOf(Result.Decided.class);
    assertThat(host()).isEqualTo(Json.of("right"));
    assertThat(node.review("main", id).orElseThrow().closing().reason())
        .contains("no value can reach the quorum")
        .contains("last-writer-wins");
  }

  @Test
  void whatNobodyDecidesInTimeIsDecidedByTheNextStepAlsoAfterARestart() throws PolicyException {
    policy(
        "fields: {host: {strategy: manual-review, time-out: 2h, otherwise: {strategy: vote, voters: [x, y, z], time-out: 10m, otherwise: first-writer-wins}}}");
    String id = contested();
    pass(119 * MINUTE);
    assertThat(node.review("main", id).orElseThrow().progress().step()).isZero();
    node.close();
    node = open();
    pass(2 * MINUTE);
    assertThat(node.review("main", id).orElseThrow().progress().step()).isEqualTo(1);
    assertThat(node.review("main", id).orElseThrow().progress().poll()).isPresent();
    assertThat(host()).isEqualTo(Json.of("agreed"));
    vote(id, "x", 1);
    pass(11 * MINUTE);
    Review review = node.review("main", id).orElseThrow();
    assertThat(review.status()).isEqualTo(Review.Status.RESOLVED);
    assertThat(review.closing().by()).contains("policy");
    assertThat(review.closing().reason())
        .contains("nobody decided within 10m")
        .contains("first-writer-wins");
    assertThat(host()).isEqualTo(Json.of("left"));
  }

  @Test
  void aTimeOutThatLeadsToAPersonLeavesItToThem() throws PolicyException {
    policy(
        "fields: {host: {strategy: vote, voters: [x, y], time-out: 10m, otherwise: manual-review}}");
    String id = contested();
    pass(11 * MINUTE);
    assertThat(node.review("main", id).orElseThrow().status()).isEqualTo(Review.Status.PENDING);
    assertThat(node.decide("main", id, new Decision.Choose(0), "op", "").join())
        .isInstanceOf(Result.Decided.class);
    assertThat(host()).isEqualTo(Json.of("left"));
  }

  @Test
  void aDecisionBeforeTheTimeOutEndsTheWaiting() throws PolicyException {
    policy("fields: {host: {strategy: manual-review, time-out: 2h, otherwise: last-writer-wins}}");
    String id = contested();
    node.decide("main", id, new Decision.Choose(0), "op", "").join();
    pass(300 * MINUTE);
    assertThat(host()).isEqualTo(Json.of("left"));
    assertThat(node.proceed().join()).isZero();
  }

  @Test
  void aConflictGoesBackToTheLastCheckpointOrATimeBeforeIt() throws PolicyException {
    policy("fields: {host: {strategy: rollback, to: checkpoint}}");
    put(Map.of("host", "early"), new Seen.Everything(), "op");
    now.addAndGet(15 * MINUTE);
    contested();
    pass(0);
    assertThat(host()).isEqualTo(Json.of("early"));
    policy("fields: {host: {strategy: rollback, to: 5m}}");
    now.addAndGet(15 * MINUTE);
    put(Map.of("host", "quiet"), new Seen.Everything(), "op");
    now.addAndGet(6 * MINUTE);
    contested();
    pass(0);
    assertThat(host()).isEqualTo(Json.of("quiet"));
    assertThat(node.read(VM).view().hasPending()).isFalse();
  }

  @Test
  void anotherValueThatJoinsCallsANewVote() throws PolicyException {
    policy("fields: {host: {strategy: vote, voters: [x, y, z]}}");
    Accepted base = put(Map.of("host", "agreed"), new Seen.Everything(), "op");
    Seen seen = new Seen.Context(base.after().state().context());
    put(Map.of("host", "left"), seen, "ann");
    String first = put(Map.of("host", "right"), seen, "bob").conflictId().orElseThrow();
    vote(first, "x", 0);
    String second = put(Map.of("host", "third"), seen, "cid").conflictId().orElseThrow();
    assertThat(vote(first, "y", 0)).isInstanceOf(Result.Moved.class);
    assertThat(node.review("main", second).orElseThrow().progress().poll().orElseThrow().ballots())
        .satisfies(ballots -> assertThat(ballots.isEmpty()).isTrue());
  }

  @Test
  void aMergeFunctionIsTriedOnWhatCompetedBeforeItComesIntoForce() throws PolicyException {
    contested();
    String merge =
        "semantics: {host: {merge: 'left == \"left\" ? left : left > right ? left : right', examples: [a, b]%s}}\n"
            + "fields: {host: semantic:host}";
    assertThatThrownBy(() -> policy(merge.formatted("")))
        .isInstanceOf(PolicyException.class)
        .hasMessageContaining("cannot settle conflicts that there were: not commutative");
    policy(merge.formatted(", unchecked: we know our hosts"));
    assertThat(node.audit("main", Long.MAX_VALUE, 1).getFirst().detail().toString())
        .contains("is used unchecked: we know our hosts");
    policy(
        "semantics: {host: {merge: 'left > right ? left : right', examples: [a, b]}}\n"
            + "fields: {host: semantic:host}");
    assertThat(host()).isEqualTo(Json.of("right"));
  }
}
