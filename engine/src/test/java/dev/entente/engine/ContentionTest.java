// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Records that hold together what only one can have: all are named, and nobody loses silently. */
class ContentionTest {
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final Node node =
      Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("n").withClock(now::get));

  @AfterEach
  void close() {
    node.close();
  }

  private void policy(String text) throws PolicyException {
    node.putPolicy("main", text, "op").join();
  }

  private static RecordKey vm(String id) {
    return new RecordKey("main", "vm", id);
  }

  private Outcome put(String id, Map<String, ?> document, String author) {
    now.addAndGet(1_000);
    Edit edit = new Edit.Put((JsonObject) Json.of(document));
    return node.write(WriteRequest.of(vm(id), edit, new Seen.Everything(), author)).join();
  }

  private Json at(String id, String field) {
    return Path.of(field).in(node.read(vm(id)).view().data());
  }

  private void proceed() {
    while (node.proceed().join() > 0) {
      // Until nothing is due any more.
    }
  }

  private List<Review> pending() {
    return node.reviews("main", Review.Status.PENDING, Optional.empty(), 10);
  }

  private static String refused(Outcome outcome) {
    assertThat(outcome).isInstanceOf(Rejected.class);
    return ((Rejected) outcome).message();
  }

  /** Two machines got one address before anybody forbade it. */
  private void sharedAddress() {
    put("a", Map.of("ip", "10.0.0.7", "state", "running"), "ann");
    put("b", Map.of("ip", "10.0.0.7", "state", "running"), "bob");
  }

  @Test
  void allPartiesOfAContentionAreNamedAndAPersonSaysWhoKeepsIt() throws PolicyException {
    sharedAddress();
    policy("type: vm\nunique: [ip]");
    Review review = pending().getFirst();
    assertThat(review.conflict().toString())
        .contains("\"type\":\"resource-contention\"")
        .contains("\"value\":\"a\"")
        .contains("\"value\":\"b\"");
    for (String id : List.of("a", "b")) {
      assertThat(node.contentions(node.read(vm(id)))).hasSize(1);
    }
    assertThat(node.decide("main", review.id(), new Decision.Choose(7), "eve", "").join())
        .isInstanceOf(Result.Invalid.class);
    assertThat(
            node.decide("main", review.id(), new Decision.Choose(1), "eve", "bob was told").join())
        .isInstanceOf(Result.Decided.class);
    assertThat(at("a", "ip").isAbsent()).isTrue();
    assertThat(at("b", "ip")).isEqualTo(Json.of("10.0.0.7"));
    assertThat(node.history(vm("a"), Long.MAX_VALUE, 1).getFirst().version().note())
        .isEqualTo("gave way: bob was told");
    assertThat(node.contentions(node.read(vm("b")))).isEmpty();
    assertThat(pending()).isEmpty();
  }

  @Test
  void theFirstKeepsItByItselfAndTheLoserIsToldWhatBecameOfIt() throws PolicyException {
    sharedAddress();
    policy("type: vm\nunique: [{field: ip, keep: first, loser: {ip: null, state: no-address}}]");
    proceed();
    assertThat(at("a", "ip")).isEqualTo(Json.of("10.0.0.7"));
    assertThat(at("b", "ip").isAbsent()).isTrue();
    assertThat(at("b", "state")).isEqualTo(Json.of("no-address"));
    assertThat(pending()).isEmpty();
    Review closed = node.reviews("main", Review.Status.RESOLVED, Optional.empty(), 10).getFirst();
    assertThat(closed.closing().by()).contains("policy");
    assertThat(closed.closing().reason()).contains("first writer").contains("b gives way");
    assertThat(refused(put("c", Map.of("ip", "10.0.0.7"), "cid"))).contains("vm/a");
  }

  @Test
  void whoHasPriorityTakesTheClaimAtTheDoorAndOthersDoNot() throws PolicyException {
    policy(
        """
        type: vm
        roles: {control: [control-plane]}
        unique: [{field: ip, keep: {strategy: priority, of: roles, order: [control]}}]
        """);
    put("a", Map.of("ip", "10.0.0.7"), "ann");
    refused(put("b", Map.of("ip", "10.0.0.7"), "bob"));
    assertThat(put("c", Map.of("ip", "10.0.0.7"), "control-plane")).isInstanceOf(Accepted.class);
    proceed();
    assertThat(at("a", "ip").isAbsent()).isTrue();
    assertThat(at("c", "ip")).isEqualTo(Json.of("10.0.0.7"));
  }

  @Test
  void onlyRunningMachinesClaimAndCompositeClaimsCompareAllFields() throws PolicyException {
    policy(
        "type: vm\nunique: [{fields: [host, slot], when: 'data.state == \"running\"', name: slots}]");
    assertThat(put("a", Map.of("host", "h", "slot", 1, "state", "running"), "x"))
        .isInstanceOf(Accepted.class);
    assertThat(put("b", Map.of("host", "h", "slot", 1, "state", "stopped"), "x"))
        .isInstanceOf(Accepted.class);
    assertThat(put("c", Map.of("host", "h", "slot", 2, "state", "running"), "x"))
        .isInstanceOf(Accepted.class);
    refused(put("b", Map.of("host", "h", "slot", 1, "state", "running"), "x"));
  }

  @Test
  void aSumIsHeldToItsLimitAndASmallerShareIsAlwaysAllowed() throws PolicyException {
    policy("type: vm\nlimits: [{name: cpu, sum: cpu, by: cluster, at-most: 8}]");
    put("a", Map.of("cluster", "k", "cpu", 5), "x");
    assertThat(put("b", Map.of("cluster", "k", "cpu", 3), "x")).isInstanceOf(Accepted.class);
    assertThat(refused(put("c", Map.of("cluster", "k", "cpu", 1), "x")))
        .isEqualTo("cpu of k would be 9, at most 8 is allowed");
    assertThat(put("c", Map.of("cluster", "other", "cpu", 8), "x")).isInstanceOf(Accepted.class);
    assertThat(put("a", Map.of("cluster", "k", "cpu", 4), "x")).isInstanceOf(Accepted.class);
    assertThat(refused(put("c", Map.of("cluster", "k", "cpu", 8), "x"))).contains("15");
  }

  @Test
  void whatASumLetsInIsWhatAScanOfTheRecordsWould() throws PolicyException {
    policy("type: vm\nlimits: [{name: cpu, sum: cpu, by: cluster, at-most: {k0: 9, k1: 5}}]");
    Random random = new Random(20261124);
    Map<String, Map<String, Object>> model = new HashMap<>();
    for (int i = 0; i < 1_500; i++) {
      String id = "r" + random.nextInt(8);
      String cluster = "k" + random.nextInt(3);
      int cpu = random.nextInt(6);
      int others =
          model.entrySet().stream()
              .filter(e -> !e.getKey().equals(id) && e.getValue().get("cluster").equals(cluster))
              .mapToInt(e -> (int) e.getValue().get("cpu"))
              .sum();
      int most = cluster.equals("k0") ? 9 : cluster.equals("k1") ? 5 : Integer.MAX_VALUE;
      Map<String, Object> document = Map.of("cluster", cluster, "cpu", cpu, "n", i);
      boolean fits = others + cpu <= most;
      assertThat(put(id, document, "x") instanceof Accepted).as("step %d", i).isEqualTo(fits);
      if (fits) {
        model.put(id, document);
      }
    }
    assertThat(pending()).isEmpty();
  }

  @Test
  void aCapThatAnotherRecordHoldsIsFollowedWhenItFalls() throws PolicyException {
    policy(
        "type: vm\nlimits: [{name: cpu, sum: cpu, by: cluster, at-most: cluster/capacity, keep: first}]");
    RecordKey cluster = new RecordKey("main", "cluster", "k");
    capacity(cluster, 10);
    put("a", Map.of("cluster", "k", "cpu", 4), "x");
    put("b", Map.of("cluster", "k", "cpu", 4), "x");
    put("c", Map.of("cluster", "k", "cpu", 2), "x");
    refused(put("d", Map.of("cluster", "k", "cpu", 1), "x"));
    capacity(cluster, 6);
    assertThat(pending().getFirst().conflict().toString()).contains("4 too much");
    proceed();
    assertThat(at("a", "cluster")).isEqualTo(Json.of("k"));
    assertThat(at("b", "cluster").isAbsent()).isTrue();
    assertThat(at("c", "cluster")).isEqualTo(Json.of("k"));
    assertThat(pending()).isEmpty();
  }

  @Test
  void aCapBelowNothingAndAGroupThatIsANumberAreCapsLikeOthers() throws PolicyException {
    policy("type: vm\nlimits: [{name: cpu, sum: cpu, by: cluster, at-most: cluster/capacity}]");
    RecordKey cluster = new RecordKey("main", "cluster", "7");
    capacity(cluster, -1);
    assertThat(pending()).isEmpty();
    capacity(cluster, 4);
    assertThat(put("a", Map.of("cluster", 7, "cpu", 4), "x")).isInstanceOf(Accepted.class);
    refused(put("b", Map.of("cluster", 7, "cpu", 1), "x"));
    capacity(cluster, -1);
    assertThat(pending()).hasSize(1);
  }

  private void capacity(RecordKey cluster, int capacity) {
    Edit edit = new Edit.Put((JsonObject) Json.of(Map.of("capacity", capacity)));
    node.write(WriteRequest.of(cluster, edit, new Seen.Everything(), "op")).join();
  }

  @Test
  void ofASumAPersonSaysWhoGivesWayUntilItFits() throws PolicyException {
    put("a", Map.of("cluster", "k", "cpu", 4), "x");
    put("b", Map.of("cluster", "k", "cpu", 4), "x");
    put("c", Map.of("cluster", "k", "cpu", 4), "x");
    policy("type: vm\nlimits: [{name: cpu, sum: cpu, by: cluster, at-most: 4}]");
    node.decide("main", pending().getFirst().id(), new Decision.Choose(0), "eve", "").join();
    assertThat(pending().getFirst().conflict().toString()).contains("among 2 records");
    node.decide("main", pending().getFirst().id(), new Decision.Value(Json.of("c")), "eve", "")
        .join();
    assertThat(pending()).isEmpty();
    assertThat(at("b", "cluster")).isEqualTo(Json.of("k"));
    assertThat(at("c", "cluster").isAbsent()).isTrue();
  }

  @Test
  void aContentionThatEndsByItselfClosesItsReview() throws PolicyException {
    sharedAddress();
    policy("type: vm\nunique: [ip]");
    String id = pending().getFirst().id();
    put("b", Map.of("ip", "10.0.0.8", "state", "running"), "bob");
    assertThat(pending()).isEmpty();
    assertThat(node.decide("main", id, new Decision.Choose(0), "eve", "").join())
        .isInstanceOf(Result.Moved.class);
  }

  @Test
  void aLoserThatCannotBeWrittenIsLeftToAPersonAndNotTriedForEver() throws PolicyException {
    sharedAddress();
    node.freeze(Freeze.of("main/vm/b", "audit", "op")).join();
    policy("type: vm\nunique: [{field: ip, keep: first}]");
    proceed();
    assertThat(at("b", "ip")).isEqualTo(Json.of("10.0.0.7"));
    assertThat(pending()).hasSize(1);
    assertThat(pending().getFirst().conflict().toString()).contains("could not be carried out");
    assertThat(node.proceed().join()).isZero();
    node.thaw("main/vm/b", "op").join();
    node.decide("main", pending().getFirst().id(), new Decision.Choose(0), "eve", "").join();
    assertThat(at("b", "ip").isAbsent()).isTrue();
  }
}
