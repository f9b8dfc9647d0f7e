// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.Locks;
import dev.entente.engine.Locks.Answer;
import dev.entente.engine.Locks.Command;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Leases end by the time that has really passed, whoever leads and whatever wall clocks say. */
class LeaseTimeTest {
  private static final Locks.Name LOCK = new Locks.Name("main", "disk-7");

  private final AtomicLong wall = new AtomicLong(1_763_802_000_000L);
  private final AtomicLong steady = new AtomicLong(5_000);
  private final Node node =
      Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("a").withClock(wall::get));
  private final Group group = leading(node, new Group(node, steady::get));

  @AfterEach
  void close() {
    node.close();
  }

  private static Group leading(Node node, Group group) {
    group.join(new AloneConsensus(node, group));
    return group;
  }

  private static Answer acquire(Group by, String owner) {
    return by.lock(new Command.Acquire(LOCK, owner, 10_000, 0)).join();
  }

  @Test
  void aWallClockThatJumpsAheadEndsNoLease() {
    assertThat(acquire(group, "ann")).isInstanceOf(Answer.Granted.class);
    wall.addAndGet(3_600_000);
    group.tick();
    assertThat(acquire(group, "bob")).isInstanceOf(Answer.Queued.class);
    steady.addAndGet(9_999);
    assertThat(acquire(group, "bob")).isInstanceOf(Answer.Queued.class);
    steady.addAndGet(2);
    assertThat(acquire(group, "bob")).isInstanceOf(Answer.Granted.class);
  }

  @Test
  void aWallClockThatIsSetBackKeepsNoLeaseAlive() {
    assertThat(acquire(group, "ann")).isInstanceOf(Answer.Granted.class);
    wall.addAndGet(-3_600_000);
    steady.addAndGet(10_001);
    assertThat(acquire(group, "bob")).isInstanceOf(Answer.Granted.class);
  }

  /** Each command waits for its answer: time must go on between them all the same. */
  @Test
  void timeGoesOnWhileCommandsFollowEachOther() {
    assertThat(acquire(group, "ann")).isInstanceOf(Answer.Granted.class);
    for (int i = 0; i < 100; i++) {
      steady.addAndGet(100);
      acquire(group, "bob");
    }
    steady.addAndGet(100);
    assertThat(acquire(group, "bob")).isInstanceOf(Answer.Granted.class);
  }

  /**
   * Two members reckon the time by themselves; one heard of the last command long ago, the other
   * just now.
   */
  @Test
  void aLeaderThatReckonsAheadEndsNoLeaseThatAnotherGave() {
    Node second = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("b"));
    try {
      AtomicLong elsewhere = new AtomicLong(77);
      Group other = new Group(second, elsewhere::get);
      Relay relay = new Relay(List.of(group, other));
      group.join(relay);
      other.join(relay);
      acquire(group, "ann");
      group.lock(new Command.Release(LOCK, "ann")).join();
      // A minute passes for both; one of them is started again and hears of all that was only now.
      steady.addAndGet(60_000);
      elsewhere.addAndGet(60_000);
      Group again = new Group(node, steady::get);
      again.restore(group.snapshot());
      relay.members = List.of(again, other);
      again.join(relay);
      assertThat(acquire(again, "bob")).isInstanceOf(Answer.Granted.class);
      assertThat(acquire(other, "cid"))
          .as("a second later, from the other leader")
          .isInstanceOf(Answer.Queued.class);
    } finally {
      second.close();
    }
  }

  /** Time that passed before another's command was proposed is not counted again behind it. */
  @Test
  void aLateCommandOfAFormerLeaderEndsNoLeaseOfTheNext() {
    Node second = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("b"));
    try {
      Group other = new Group(second, steady::get);
      Relay relay = new Relay(List.of(group, other));
      group.join(relay);
      other.join(relay);
      acquire(group, "ann");
      relay.holdsBack = true;
      var late = group.lock(new Command.Release(LOCK, "nobody"));
      relay.holdsBack = false;
      steady.addAndGet(9_000);
      other.lock(new Command.Release(LOCK, "ann")).join();
      acquire(other, "bob");
      relay.deliver();
      assertThat(late).isDone();
      steady.addAndGet(9_999);
      assertThat(acquire(group, "ann")).isInstanceOf(Answer.Queued.class);
      assertThat(acquire(group, "ann")).isInstanceOf(Answer.Queued.class);
    } finally {
      second.close();
    }
  }

  /** Whoever proposes has both members apply it. */
  private static final class Relay implements Consensus {
    private List<Group> members;
    private boolean holdsBack;
    private Runnable heldBack = () -> {};

    Relay(List<Group> members) {
      this.members = members;
    }

    @Override
    public CompletableFuture<byte[]> propose(byte[] entry) {
      CompletableFuture<byte[]> answer = new CompletableFuture<>();
      Runnable agrees =
          () ->
              members.forEach(member -> {
                byte[] said = member.apply(entry);
                answer.complete(said);
              });
      if (holdsBack) {
        heldBack = agrees;
      } else {
        agrees.run();
      }
      return answer;
    }

    void deliver() {
      heldBack.run();
    }

    @Override
    public CompletableFuture<Void> barrier() {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public Standing standing() {
      return new Standing(Optional.of("a"), true, 1, List.of("a", "b"));
    }

    @Override
    public void close() {}
  }
}
