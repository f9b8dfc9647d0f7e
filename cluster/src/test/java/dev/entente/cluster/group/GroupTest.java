// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.codec.StateCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Consistency;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Command;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes agree through Raft: one order, whoever leads; a minority writes nothing. */
class GroupTest {
  private static final RecordKey SEAT = new RecordKey("main", "seat", "12a");
  private static final List<String> NAMES = List.of("asia", "eu", "us");

  @TempDir Path folder;
  private final Map<String, Member> members = new TreeMap<>();
  private final Map<String, String> addresses = new TreeMap<>();

  private record Member(Node node, Group group, Consensus consensus) {
    void close() {
      consensus.close();
      node.close();
    }
  }

  @BeforeEach
  void start() throws Exception {
    for (String name : NAMES) {
      addresses.put(name, "127.0.0.1:" + FreePort.find());
    }
    for (String name : NAMES) {
      start(name, new MemoryStore());
    }
  }

  private void start(String name, MemoryStore store) throws Exception {
    Node node = Node.open(store, NodeConfig.DEFAULT.withName(name));
    node.promise(policy ->
        policy.consistency() == Consistency.STRONG
            ? Optional.of("together only")
            : Optional.empty());
    node.putPolicy("main", "type: seat\nconsistency: strong\n", "test").join();
    Group group = new Group(node);
    Consensus consensus =
        RatisConsensus.start(
            new Voters(name, addresses, folder.resolve(name)),
            group,
            VoterCredentials.of(name, "a secret of the cluster", Optional.empty()),
            _ -> false);
    group.join(consensus);
    members.put(name, new Member(node, group, consensus));
  }

  @AfterEach
  void close() {
    members.values().forEach(Member::close);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.sleep(20);
    }
  }

  private Member leader() throws InterruptedException {
    await(() -> members.values().stream().anyMatch(m -> m.group().standing().leading()));
    return members.values().stream()
        .filter(m -> m.group().standing().leading())
        .findFirst()
        .orElseThrow();
  }

  private static Command<Outcome> put(Member member, int value, Seen seen) {
    return member
        .node()
        .writing(
            WriteRequest.of(SEAT, new Edit.Put(JsonObject.of("n", Json.of(value))), seen, "ann"));
  }

  private static int value(Member member) {
    Snapshot now = member.node().read(SEAT);
    return now.view().data() instanceof JsonObject o && o.get("n") instanceof JsonNumber n
        ? (int) n.longValue()
        : 0;
  }

  @Test
  void aCompareAndSetIsWonByOneAndReadEverywhereAfterABarrier() throws Exception {
    Member leader = leader();
    leader.group().submit(put(leader, 0, new Seen.Everything())).join();
    int won = 0;
    for (int round = 0; round < 20; round++) {
      Seen seen = new Seen.Exactly(leader.node().read(SEAT).state().context());
      List<CompletableFuture<Outcome>> answers = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        answers.add(leader.group().submit(put(leader, value(leader) + 1, seen)));
      }
      long accepted = answers.stream().filter(a -> a.join() instanceof Outcome.Accepted).count();
      assertThat(accepted).as("one wins").isEqualTo(1);
      won++;
      for (Member member : members.values()) {
        member.group().barrier().join();
        assertThat(value(member)).as("read at once at %s", member.node().id()).isEqualTo(won);
      }
    }
  }

  @Test
  void whoDoesNotLeadDoesNothingAndSaysWhoDoes() throws Exception {
    Member leader = leader();
    await(() -> members.values().stream().allMatch(m -> m.group().standing().leader().isPresent()));
    Member other =
        members.values().stream().filter(m -> !m.equals(leader)).findFirst().orElseThrow();
    assertThatThrownBy(() -> other.group().submit(put(other, 1, new Seen.Everything())).join())
        .hasCauseInstanceOf(NotLeadingException.class)
        .hasMessageContaining("the node " + leader.node().id().name() + " leads");
  }

  @Test
  void whenTheLeaderIsGoneAnotherGoesOnAndNothingAcknowledgedIsLost() throws Exception {
    Member first = leader();
    for (int i = 1; i <= 5; i++) {
      first.group().submit(put(first, i, new Seen.Everything())).join();
    }
    Locks.Name lock = new Locks.Name("main", "disk");
    Locks.Answer held =
        first.group().lock(new Locks.Command.Acquire(lock, "ann", 60_000, 0)).join();
    assertThat(held).isInstanceOf(Locks.Answer.Granted.class);
    members.values().remove(first);
    first.close();
    Member second = leader();
    second.group().barrier().join();
    assertThat(value(second)).isEqualTo(5);
    assertThat(second.group().holder(lock))
        .hasValueSatisfying(g -> assertThat(g.token()).isEqualTo(1));
    assertThat(second.group().lock(new Locks.Command.Acquire(lock, "ben", 60_000, 0)).join())
        .isInstanceOf(Locks.Answer.Queued.class);
    second.group().submit(put(second, 6, new Seen.Everything())).join();
    for (Member member : members.values()) {
      member.group().barrier().join();
      assertThat(value(member)).isEqualTo(6);
      assertThat(StateCodec.toBytes(member.node().read(SEAT).state()))
          .isEqualTo(StateCodec.toBytes(second.node().read(SEAT).state()));
    }
  }

  @Test
  void aMinorityStepsDownAndKeepsItsLastStateForReaders() throws Exception {
    Member leader = leader();
    leader.group().submit(put(leader, 1, new Seen.Everything())).join();
    List<Member> others = members.values().stream().filter(m -> !m.equals(leader)).toList();
    others.forEach(other -> {
      members.values().remove(other);
      other.close();
    });
    await(() -> !leader.group().standing().leading());
    assertThatThrownBy(() -> leader.group().submit(put(leader, 2, new Seen.Everything())).join())
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(NotLeadingException.class);
    assertThatThrownBy(() -> leader.group().barrier().join())
        .isInstanceOf(CompletionException.class);
    assertThat(value(leader)).isEqualTo(1);
  }

  @Test
  void whoCannotListenForTheOthersIsToldSoAndNothingEnds() throws Exception {
    int taken = FreePort.find();
    try (ServerSocket other = new ServerSocket(taken, 1, InetAddress.getLoopbackAddress());
        Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("eu"))) {
      assertThat(other.isBound()).isTrue();
      Map<String, String> where = Map.of("eu", "127.0.0.1:" + taken);
      assertThatThrownBy(() ->
              RatisConsensus.start(
                  new Voters("eu", where, folder.resolve("taken")),
                  new Group(node),
                  VoterCredentials.of("eu", "a secret of the cluster", Optional.empty()),
                  _ -> false))
          .hasMessageContaining("cannot listen on 127.0.0.1:" + taken);
    }
  }
}
