// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Duplicate;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.WriteRequest.Sender;
import dev.entente.engine.store.MemoryStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A request that was accepted at several nodes has one effect; ids belong to their sender. */
class RequestIdentityTest {
  private static final RecordKey KEY = new RecordKey("main", "doc", "r");
  private static final String POLICY =
      """
      type: doc
      fields:
        n: {cell: counter}
        tags: {cell: set}
        body: {cell: text}
      default: manual-review
      """;

  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<Node> opened = new ArrayList<>();
  private final Node left = open("left");
  private final Node right = open("right");

  private Node open(String name) {
    Node node =
        Node.open(
            new MemoryStore(),
            NodeConfig.DEFAULT.withName(name).withClock(() -> now.incrementAndGet()));
    opened.add(node);
    return node;
  }

  @BeforeEach
  void declareTheCells() throws PolicyException {
    for (Node node : opened) {
      node.putPolicy("main", POLICY, "operator").join();
    }
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private static Edit ops(Edit.Operation... operations) {
    return new Edit.Operations(List.of(operations));
  }

  private static Edit add(long by) {
    return ops(new Edit.Operation.Increment(Path.of("n"), by));
  }

  private static Edit put(String value) {
    return new Edit.Put(JsonObject.of("v", Json.of(value)));
  }

  private static WriteRequest request(
      Edit edit, Seen seen, String author, String credential, String device, String id) {
    return new WriteRequest(
        KEY,
        edit,
        seen,
        author,
        Optional.of(device).filter(name -> !name.isEmpty()),
        Optional.of("e" + id),
        Sender.of(credential),
        Optional.empty(),
        Optional.empty(),
        "");
  }

  private static Outcome send(Node node, Edit edit, String id) {
    return node.write(request(edit, new Seen.Nothing(), "ann", "ann", "", id)).join();
  }

  private static void pull(Node from, Node to) {
    to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 20)).join();
  }

  /** Both have all that either had, and the same. */
  private Json healed() {
    pull(left, right);
    pull(right, left);
    byte[] state = StateCodec.toBytes(left.read(KEY).state());
    assertThat(StateCodec.toBytes(right.read(KEY).state())).isEqualTo(state);
    for (Node node : opened) {
      assertThat(StateCodec.toBytes(node.readAt(KEY, Instant.ofEpochMilli(1L << 42)).state()))
          .as("what the history says")
          .isEqualTo(state);
    }
    return left.read(KEY).view().data();
  }

  private void sendToBoth(Edit edit, String id) {
    assertThat(send(left, edit, id)).isInstanceOf(Accepted.class);
    assertThat(send(right, edit, id)).isInstanceOf(Accepted.class);
  }

  @Test
  void anEventThatWasAcceptedOnBothSidesOfACutCountsOnce() {
    sendToBoth(add(3), "1");
    assertThat(send(right, add(4), "2")).isInstanceOf(Accepted.class);
    assertThat(healed()).isEqualTo(Json.of(Map.of("n", 7)));
    assertThat(send(left, add(3), "1")).isInstanceOf(Duplicate.class);
  }

  @Test
  void itCountsOnceWhicheverSideHearsFirst() {
    sendToBoth(add(3), "1");
    pull(right, left);
    assertThat(left.read(KEY).view().data()).isEqualTo(Json.of(Map.of("n", 3)));
    assertThat(healed()).isEqualTo(Json.of(Map.of("n", 3)));
  }

  @Test
  void repeatedInsertionsIntoATextAndAdditionsToASetAreThereOnce() {
    sendToBoth(
        ops(
            new Edit.Operation.Splice(Path.of("body"), new Splice(0, 0, Json.of("hello"))),
            new Edit.Operation.EditSet(Path.of("tags"), List.of(Json.of("t")), List.of())),
        "1");
    assertThat(healed()).isEqualTo(Json.of(Map.of("body", "hello", "tags", List.of("t"))));
    // Who had read either may edit it.
    assertThat(
            left.write(
                    WriteRequest.of(
                        KEY,
                        ops(
                            new Edit.Operation.Splice(
                                Path.of("body"), new Splice(5, 0, Json.of("!")))),
                        new Seen.Everything(),
                        "bob"))
                .join())
        .isInstanceOf(Accepted.class);
    assertThat(((JsonObject) healed()).get("body")).isEqualTo(Json.of("hello!"));
  }

  @Test
  void whoChangedWhatARepetitionWroteHasSeenTheFirstVersionToo() {
    sendToBoth(put("first"), "1");
    right
        .write(
            WriteRequest.of(
                KEY, put("second"), new Seen.Context(right.read(KEY).state().context()), "bob"))
        .join();
    assertThat(healed()).isEqualTo(Json.of(Map.of("v", "second")));
    assertThat(left.read(KEY).view().resolutions()).isEmpty();
  }

  @Test
  void aRepetitionIsToldAsSuch() {
    sendToBoth(put("x"), "1");
    healed();
    var repetitions = left.read(KEY).state().repetitions();
    assertThat(repetitions.earlier().size()).isEqualTo(1);
    var repetition = repetitions.earlier().key(0);
    assertThat(left.fate(KEY, repetition).orElseThrow())
        .isNotEmpty()
        .allSatisfy(fate -> assertThat(fate.kind()).isEqualTo(Fate.Kind.REPEATED));
    assertThat(left.fate(KEY, repetitions.first(repetition)).orElseThrow())
        .allSatisfy(fate -> assertThat(fate.kind()).isEqualTo(Fate.Kind.HOLDS));
  }

  @Test
  void twoRequestsUnderOneIdAreBothKeptAndToldOnBothNodesAlike() {
    assertThat(send(left, add(3), "1")).isInstanceOf(Accepted.class);
    assertThat(send(right, add(4), "1")).isInstanceOf(Accepted.class);
    assertThat(healed()).isEqualTo(Json.of(Map.of("n", 7)));
    List<String> told =
        opened.stream()
            .map(node ->
                node.reviews("main", Review.Status.PENDING, Optional.empty(), 10).getFirst().id())
            .toList();
    assertThat(told.getFirst()).isEqualTo(told.getLast());
    assertThat(send(left, add(4), "1")).isInstanceOf(Duplicate.class);
    assertThat(send(left, add(5), "1")).isInstanceOf(Rejected.class);
  }

  @Test
  void idsBelongToTheDeviceAsItsAuthorAndCredentialVouchForIt() {
    int[] count = {0};
    for (String credential : List.of("gateway", "other")) {
      for (String author : List.of("ann", "bob")) {
        for (String device : List.of("tablet", "phone")) {
          assertThat(
                  left.write(
                          request(add(1), new Seen.Nothing(), author, credential, device, "first"))
                      .join())
              .isInstanceOf(Accepted.class);
          count[0]++;
        }
      }
    }
    assertThat(left.read(KEY).view().data()).isEqualTo(Json.of(Map.of("n", count[0])));
  }

  @Test
  void anotherBodyAuthorReasonOrConditionUnderOneIdIsRefused() {
    assertThat(send(left, put("AaBB"), "1")).isInstanceOf(Accepted.class);
    assertThat(send(left, put("BBAa"), "1")).isInstanceOf(Rejected.class);
    assertThat(send(left, new Edit.MergePatch(JsonObject.of("v", Json.of("AaBB"))), "1"))
        .isInstanceOf(Rejected.class);
    assertThat(left.write(request(put("AaBB"), new Seen.Nothing(), "bob", "ann", "", "1")).join())
        .isInstanceOf(Rejected.class);
    assertThat(left.write(request(put("AaBB"), new Seen.Existing(), "ann", "ann", "", "1")).join())
        .isInstanceOf(Rejected.class);
  }

  @Test
  void oneDeviceNameUnderTwoAuthorsOrCredentialsIsConcurrent() {
    for (List<String> other : List.of(List.of("lou", "gateway"), List.of("kim", "other"))) {
      RecordKey key = KEY;
      left.write(WriteRequest.of(key, put("0"), new Seen.Everything(), "ann")).join();
      VersionVector context = left.read(key).state().context();
      left.write(
              request(put("a"), new Seen.Context(context), "kim", "gateway", "tablet", "a" + other))
          .join();
      left.write(
              request(
                  put("b"),
                  new Seen.Context(context),
                  other.getFirst(),
                  other.getLast(),
                  "tablet",
                  "b" + other))
          .join();
      assertThat(left.read(key).view().resolutions()).as("%s", other).isNotEmpty();
      left.write(WriteRequest.rollback(key, Json.of(Map.of("v", "0")), List.of(), "ann", "again"))
          .join();
    }
  }

  @Test
  void aBatchUnderAUsedKeyIsRefusedUnlessItIsTheSameBatch() {
    List<WriteRequest> batch = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      batch.add(request(add(i + 1), new Seen.Nothing(), "ann", "ann", "", "k/" + i));
    }
    assertThat(left.writeTogether(batch.subList(0, 2)).join())
        .allSatisfy(outcome -> assertThat(outcome).isInstanceOf(Accepted.class));
    assertThat(left.writeTogether(batch.subList(0, 2)).join())
        .allSatisfy(outcome -> assertThat(outcome).isInstanceOf(Duplicate.class));
    assertThat(left.writeTogether(batch).join().getLast()).isInstanceOf(Rejected.class);
    assertThat(left.writeTogether(batch.subList(0, 1)).join().getLast())
        .isInstanceOf(Rejected.class);
    assertThat(left.read(KEY).view().data()).isEqualTo(Json.of(Map.of("n", 3)));
  }
}
