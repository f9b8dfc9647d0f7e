// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever authors a version, the same checks refuse it with the same code. */
class WritePathTest {
  private static final RecordKey KEY = new RecordKey("main", "doc", "r");
  private static final String LIFE =
      "strategy: state-machine, states: {early: [draft], draft: [sent, void], sent: [], void: [],"
          + " lost: []}";
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final MemoryStore store = new MemoryStore();
  private final Node node = Node.open(store, NodeConfig.DEFAULT.withName("n").withClock(now::get));

  @AfterEach
  void close() {
    node.close();
  }

  /** What is wrong with a value, so that writing it is refused. */
  enum Wrong {
    FROZEN(Code.FROZEN),
    INCONSISTENT(Code.UNAVAILABLE),
    UNKNOWN_STATE(Code.INVALID),
    ILLEGAL_TRANSITION(Code.INVALID),
    INVARIANT(Code.INVALID);

    private final Code code;

    Wrong(Code code) {
      this.code = code;
    }

    boolean isOfValue() {
      return this != FROZEN && this != INCONSISTENT;
    }

    String value() {
      return switch (this) {
        case FROZEN, INCONSISTENT -> "sent";
        case UNKNOWN_STATE -> "nowhere";
        case ILLEGAL_TRANSITION -> "early";
        case INVARIANT -> "lost";
      };
    }
  }

  /** The paths on which a person or program gives a value of their own. */
  private static boolean givesValue(WriteOrigin origin) {
    // A constant without a case does not compile: say here how the new path is tested.
    return switch (origin) {
      case CLIENT, DECISION, VOTE -> true;
      case ROLLBACK, REOPENING -> false;
      // They write through the same writer; see DecisionChecksTest, ReceiverTest and MendingTest.
      case ERASURE, APPEAL, CONTENTION, POLICY_STEP, MENDED, RECEIVED -> false;
    };
  }

  private static boolean isTriedHere(WriteOrigin origin) {
    return givesValue(origin) || origin == WriteOrigin.ROLLBACK || origin == WriteOrigin.REOPENING;
  }

  static Stream<Arguments> pathsAndChecks() {
    List<Arguments> all = new ArrayList<>();
    for (WriteOrigin origin : WriteOrigin.values()) {
      for (Wrong wrong : Wrong.values()) {
        // A ballot counts at nodes that may not author, except for the one that decides.
        if (isTriedHere(origin) && (givesValue(origin) || !wrong.isOfValue())) {
          all.add(Arguments.of(origin, wrong));
        }
      }
    }
    return all.stream();
  }

  private void policy(boolean vote) throws PolicyException {
    node.putPolicy(
            "main",
            "type: doc\ndefault: manual-review\ngroups:\n  life: {fields: [state], "
                + LIFE
                + ", otherwise: "
                + (vote ? "{strategy: vote, voters: [x]}" : "manual-review")
                + "}\ninvariants:\n  - {name: found, check: 'data.state != \"lost\"'}\n",
            "op")
        .join();
  }

  private Outcome put(String state, Seen seen) {
    return node.write(WriteRequest.of(KEY, put(state), seen, "ann")).join();
  }

  private static Edit put(String state) {
    return new Edit.Put((JsonObject) Json.of(Map.of("state", state)));
  }

  private static Json life(String state) {
    return Json.of(Map.of("state", state));
  }

  private Seen.Context read() {
    return new Seen.Context(node.read(KEY).state().context());
  }

  private String contested() {
    put("draft", new Seen.Everything());
    Seen seen = read();
    put("sent", seen);
    return ((Accepted) put("void", seen)).conflictId().orElseThrow();
  }

  private Optional<Rejected> attempt(WriteOrigin origin, Wrong wrong) throws PolicyException {
    policy(origin == WriteOrigin.VOTE);
    String id = contested();
    Snapshot before = node.read(KEY);
    Result decided = null;
    if (origin == WriteOrigin.ROLLBACK || origin == WriteOrigin.REOPENING) {
      decided = node.decide("main", id, new Decision.Choose(0), "boss", "").join();
      assertThat(decided).isInstanceOf(Result.Decided.class);
    }
    Snapshot then = node.read(KEY);
    if (wrong == Wrong.FROZEN) {
      node.freeze(Freeze.of("main/doc", "incident", "op")).join();
    } else if (wrong == Wrong.INCONSISTENT) {
      node.promise(_ -> Optional.of("no quorum"));
    }
    Decision value = new Decision.Value(life(wrong.value()));
    Object answer =
        switch (origin) {
          case CLIENT -> put(wrong.value(), read());
          case DECISION -> node.decide("main", id, value, "boss", "").join();
          case VOTE -> node.vote("main", id, value, "x", "").join();
          case ROLLBACK -> node.rollback(before, "op", "undo").join();
          case REOPENING ->
              node.reopen(
                      node.review("main", id).orElseThrow(),
                      Unit.group("life"),
                      then.state().context(),
                      List.of(life("sent"), life("void")),
                      "op",
                      "undo")
                  .join();
          default -> throw new IllegalArgumentException("not tried here: " + origin);
        };
    assertThat(node.read(KEY).state()).as("nothing is changed").isEqualTo(then.state());
    assertThat(node.review("main", id).orElseThrow().status())
        .isEqualTo(decided == null ? Review.Status.PENDING : Review.Status.RESOLVED);
    return switch (answer) {
      case Rejected rejected -> Optional.of(rejected);
      case Result.Refused(Rejected rejected) -> Optional.of(rejected);
      default -> Optional.empty();
    };
  }

  @ParameterizedTest
  @MethodSource("pathsAndChecks")
  void everyPathIsRefusedAlike(WriteOrigin origin, Wrong wrong) throws PolicyException {
    Optional<Rejected> refused = attempt(origin, wrong);
    assertThat(refused).map(Rejected::code).contains(wrong.code);
    AuditEntry last = node.audit("main", Long.MAX_VALUE, 1).getFirst();
    assertThat(last.action()).isEqualTo("rejected");
    assertThat(((JsonObject) last.detail()).get("code")).isEqualTo(Json.of(wrong.code.label()));
  }

  @Test
  void choosingACompetingStateIsNoTransition() throws PolicyException {
    policy(false);
    String id = contested();
    assertThat(node.decide("main", id, new Decision.Choose(1), "boss", "").join())
        .isInstanceOf(Result.Decided.class);
  }

  @Test
  void rollingBackBeforeADecisionOpensTheReviewWithAllThatCompeted() throws PolicyException {
    node.putPolicy("main", "type: doc\ndefault: manual-review\n", "op").join();
    String id = contested();
    Snapshot before = node.read(KEY);
    node.decide("main", id, new Decision.Value(Json.of("other")), "boss", "").join();
    Accepted back = (Accepted) node.rollback(before, "op", "undo").join();
    assertThat(back.kind()).isEqualTo(Outcome.Kind.PENDING);
    String again = back.conflictId().orElseThrow();
    assertThat(node.review("main", again)).map(Review::status).contains(Review.Status.PENDING);
    assertThat(competing()).containsExactlyInAnyOrder(Json.of("sent"), Json.of("void"));
    assertThat(node.read(KEY).view().data()).isEqualTo(before.view().data());
    assertThat(node.verify(_ -> {}).broken()).as("the audit log vouches for each").isEmpty();
  }

  @Test
  void rollingBackADeletionDecidedAgainstAnEditOpensItAgain() throws PolicyException {
    node.putPolicy("main", "type: doc\ndefault: manual-review\n", "op").join();
    put("draft", new Seen.Everything());
    Seen seen = read();
    put("sent", seen);
    String id =
        ((Accepted) node.write(WriteRequest.of(KEY, new Edit.Delete(), seen, "bob")).join())
            .conflictId()
            .orElseThrow();
    Snapshot before = node.read(KEY);
    node.decide("main", id, new Decision.Choose(0), "boss", "").join();
    assertThat(node.read(KEY).view().resolutions()).noneMatch(Resolution::isPending);
    node.rollback(before, "op", "undo").join();
    assertThat(node.read(KEY).view().resolutions()).anyMatch(Resolution::isPending);
  }

  private List<Json> competing() {
    return node.read(KEY).view().resolutions().stream()
        .filter(Resolution::isPending)
        .flatMap(resolution -> resolution.conflict().competing().stream())
        .map(assignment -> assignment.value())
        .toList();
  }
}
