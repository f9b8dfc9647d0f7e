// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reviews as work: who has them, what is said of them, who must agree, what waits too long. */
class DeskTest {
  private static final RecordKey BILL = new RecordKey("main", "bill", "b");
  private static final long HOUR = 3_600_000;
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<NodeEvent> heard = new ArrayList<>();
  private final Node node = open("n");
  private final Desk desk = new Desk(node);

  private Node open(String name) {
    return Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name).withClock(now::get));
  }

  @BeforeEach
  void declare() throws PolicyException {
    declare(node);
    node.observe(heard::add);
  }

  private static void declare(Node at) throws PolicyException {
    String policy =
        """
        type: bill
        default: manual-review
        review: {escalate-after: 4h, escalate-to: [lead, head], two-persons: [amount]}
        """;
    at.putPolicy("main", policy, "op").join();
  }

  @AfterEach
  void close() {
    node.close();
  }

  private Accepted put(Node at, Map<String, ?> document, Seen seen, String author) {
    Edit edit = new Edit.Put((JsonObject) Json.of(document));
    return (Accepted) at.write(WriteRequest.of(BILL, edit, seen, author)).join();
  }

  /** Two change a field at once; the review. */
  private Review contested(String field) {
    Accepted base = put(node, Map.of("amount", 1, "note", 1), new Seen.Everything(), "op");
    Seen seen = new Seen.Context(base.after().state().context());
    for (int value : List.of(2, 3)) {
      Map<String, Integer> document = new TreeMap<>(Map.of("amount", 1, "note", 1));
      document.put(field, value);
      put(node, document, seen, "author " + value);
    }
    return pending().getFirst();
  }

  private List<Review> pending() {
    return node.reviews("main", Review.Status.PENDING, Optional.empty(), 10);
  }

  private Review now(Review review) {
    return node.review("main", review.id()).orElseThrow();
  }

  private Result decide(Review review, int choice, String who) {
    return node.decide("main", review.id(), new Decision.Choose(choice), who, "").join();
  }

  private Result.NeedsSecond first(Review review, int choice, String who) {
    Result.NeedsSecond asked = (Result.NeedsSecond) decide(review, choice, who);
    desk.approve(review, asked.what(), "I looked", who).join();
    return asked;
  }

  private void pass(long millis) {
    now.addAndGet(millis);
    while (node.proceed().join() > 0) {
      // Until nothing is due any more.
    }
  }

  /** Takes all of a node's log to another, as replication does. */
  private static void carry(Node from, Node to) {
    List<byte[]> versions = new ArrayList<>();
    for (String tenant : List.of(Registry.TENANT, "main")) {
      from.changes(tenant, 0, 1_000)
          .forEach(logged -> versions.add(VersionCodec.toBytes(logged.version())));
    }
    to.receive(versions).join();
  }

  @Test
  void whoHasItAndWhatWasSaidStaysWhileItWaits() {
    Review review = contested("note");
    desk.assign(review, "eve", "eve").join();
    desk.note(review, "asked the customer", "eve").join();
    desk.note(review, "they call back", "ann").join();
    assertThat(now(review).owner()).contains("eve");
    assertThat(now(review).handling().notes()).isEqualTo(2);
    assertThat(desk.notes(now(review)))
        .extracting(ReviewSheet.Note::text)
        .containsExactlyInAnyOrder("asked the customer", "they call back");
    assertThat(heard).anyMatch(NodeEvent.ReviewAssigned.class::isInstance);
    assertThat(node.audit("main", Long.MAX_VALUE, 10))
        .filteredOn(entry -> entry.action().equals("review"))
        .hasSize(3);
    desk.assign(review, "", "eve").join();
    assertThat(now(review).owner()).isEmpty();
  }

  @Test
  void aThirdValueLeavesItWithItsOwnerAndItsNotes() {
    Review review = contested("note");
    desk.assign(review, "eve", "eve").join();
    desk.note(review, "asked the customer", "eve").join();
    put(node, Map.of("amount", 1, "note", 4), new Seen.Nothing(), "cid");
    Review third = pending().getFirst();
    assertThat(third.id()).isNotEqualTo(review.id());
    assertThat(third.owner()).contains("eve");
    assertThat(desk.notes(third)).extracting(ReviewSheet.Note::by).containsExactly("eve");
  }

  @Test
  void whatIsSaidAtOneNodeIsKnownAtTheOtherInWhateverOrderItComes() throws PolicyException {
    Review review = contested("note");
    desk.assign(review, "eve", "eve").join();
    // The registry's tenant comes first: the review is not there yet when its owner is.
    try (Node other = open("m")) {
      declare(other);
      carry(node, other);
      assertThat(other.review("main", review.id()).orElseThrow().owner()).contains("eve");
      new Desk(other).note(review, "from afar", "fay").join();
      carry(other, node);
      assertThat(now(review).handling().notes()).isEqualTo(1);
    }
  }

  @Test
  void oneAloneDoesNotDecideWhereTwoMust() {
    Review review = contested("amount");
    first(review, 0, "eve");
    assertThat(now(review).status()).isEqualTo(Review.Status.PENDING);
    assertThat(decide(review, 0, "eve"))
        .as("twice the same")
        .isInstanceOf(Result.NeedsSecond.class);
    assertThat(decide(review, 1, "fay")).as("another").isInstanceOf(Result.NeedsSecond.class);
    assertThat(node.decide("main", review.id(), new Decision.Ignore(), "fay", "").join())
        .as("ignoring is a decision too")
        .isInstanceOf(Result.NeedsSecond.class);
    assertThat(decide(review, 0, "fay")).isInstanceOf(Result.Decided.class);
    assertThat(node.read(BILL).view().data()).isEqualTo(Json.of(Map.of("amount", 2, "note", 1)));
    assertThat(node.audit("main", Long.MAX_VALUE, 1).getFirst().detail().toString())
        .contains("\"by\":\"eve\"")
        .contains("I looked");
  }

  @Test
  void whoChangesTheirMindApprovesOnlyTheLatter() {
    Review review = contested("amount");
    first(review, 0, "eve");
    first(review, 1, "eve");
    assertThat(now(review).handling().approvals()).hasSize(1);
    assertThat(decide(review, 0, "fay")).isInstanceOf(Result.NeedsSecond.class);
    assertThat(decide(review, 1, "fay")).isInstanceOf(Result.Decided.class);
  }

  @Test
  void anApprovalIsForWhatCompetedThenAndNotForMore() {
    Review review = contested("amount");
    first(review, 0, "eve");
    put(node, Map.of("amount", 9, "note", 1), new Seen.Nothing(), "cid");
    Review third = pending().getFirst();
    assertThat(third.handling().approvals()).isEmpty();
    assertThat(decide(third, 0, "fay")).isInstanceOf(Result.NeedsSecond.class);
  }

  @Test
  void otherUnitsAreDecidedByOne() {
    Review review = contested("note");
    assertThat(decide(review, 0, "eve")).isInstanceOf(Result.Decided.class);
  }

  @Test
  void whatHoldsOrLiesInWhatIsNamedTakesTwoAsWell() throws PolicyException {
    String policy =
        """
        type: hold
        groups: {lifecycle: {fields: [status, until], strategy: manual-review}}
        review: {two-persons: [status, address, name/last]}
        """;
    node.putPolicy("main", policy, "op").join();
    Policy hold = node.policy("main", "hold");
    for (String unit :
        List.of("lifecycle", "address/street", "address", "name", "record", "alive")) {
      assertThat(hold.needsTwo(unit)).as(unit).isTrue();
    }
    for (String unit : List.of("name/first", "addressee", "note")) {
      assertThat(hold.needsTwo(unit)).as(unit).isFalse();
    }
  }

  @Test
  void whatWaitsTooLongGoesUpTheChain() {
    Review review = contested("note");
    pass(3 * HOUR);
    assertThat(now(review).handling().level()).isZero();
    pass(HOUR);
    assertThat(now(review).handling().escalatedTo()).contains("lead");
    pass(4 * HOUR);
    assertThat(now(review).handling().escalatedTo()).contains("head");
    pass(40 * HOUR);
    assertThat(now(review).handling().level()).isEqualTo(2);
    assertThat(heard).filteredOn(NodeEvent.ReviewEscalated.class::isInstance).hasSize(2);
    assertThat(node.audit("main", Long.MAX_VALUE, 10))
        .filteredOn(entry -> entry.action().equals("escalation"))
        .hasSize(2);
  }

  @Test
  void whatIsDecidedGoesNowhere() {
    Review review = contested("note");
    decide(review, 0, "eve");
    pass(40 * HOUR);
    assertThat(now(review).handling().level()).isZero();
    assertThat(heard).noneMatch(NodeEvent.ReviewEscalated.class::isInstance);
  }
}
