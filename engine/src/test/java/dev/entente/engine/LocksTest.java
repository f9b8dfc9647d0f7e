// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.Locks.Answer;
import dev.entente.engine.Locks.Command;
import dev.entente.engine.Locks.Name;
import dev.entente.engine.codec.LockCodec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** First come, first served; leases end; tokens grow; nobody waits in a circle. */
class LocksTest {
  private static final Name DISK = new Name("main", "disk");
  private static final Name NET = new Name("main", "net");
  private final Locks locks = new Locks();

  private Answer acquire(Name name, String owner, long at) {
    return locks.apply(new Command.Acquire(name, owner, 30_000, 60_000), at);
  }

  private String holder(Name name) {
    return locks.holder(name).map(Locks.Grant::owner).orElse("nobody");
  }

  @Test
  void theyWaitInLineAndTheNextOneGetsALargerToken() {
    assertThat(acquire(DISK, "a", 0)).isInstanceOf(Answer.Granted.class);
    assertThat(acquire(DISK, "b", 1)).isInstanceOf(Answer.Queued.class);
    assertThat(acquire(DISK, "c", 2))
        .isInstanceOfSatisfying(Answer.Queued.class, q -> assertThat(q.ahead()).isEqualTo(1));
    assertThat(acquire(DISK, "b", 3))
        .as("asking again keeps the place")
        .isInstanceOfSatisfying(Answer.Queued.class, q -> assertThat(q.ahead()).isEqualTo(0));
    locks.apply(new Command.Release(DISK, "a"), 4);
    assertThat(locks.holder(DISK))
        .hasValueSatisfying(grant -> {
          assertThat(grant.owner()).isEqualTo("b");
          assertThat(grant.token()).isEqualTo(2);
        });
  }

  @Test
  void aLeaseThatIsNotRenewedEndsAndItsTokenIsWorthNothing() {
    acquire(DISK, "a", 0);
    acquire(DISK, "b", 0);
    assertThat(locks.apply(new Command.Renew(DISK, 1), 20_000)).isInstanceOf(Answer.Granted.class);
    locks.apply(new Command.Tick(), 49_999);
    assertThat(holder(DISK)).as("renewed").isEqualTo("a");
    assertThat(locks.isDue(49_999)).isFalse();
    locks.apply(new Command.Tick(), 50_000);
    assertThat(holder(DISK)).isEqualTo("b");
    assertThat(locks.apply(new Command.Renew(DISK, 1), 50_001)).isInstanceOf(Answer.Lost.class);
  }

  @Test
  void whoNoLongerWaitsIsPassedOver() {
    acquire(DISK, "a", 0);
    locks.apply(new Command.Acquire(DISK, "b", 30_000, 1_000), 0);
    acquire(DISK, "c", 0);
    locks.apply(new Command.Release(DISK, "a"), 2_000);
    assertThat(holder(DISK)).isEqualTo("c");
  }

  @Test
  void timeDoesNotRunBackwards() {
    acquire(DISK, "a", 100_000);
    locks.apply(new Command.Tick(), 5);
    assertThat(locks.apply(new Command.Renew(DISK, 1), 5))
        .isInstanceOfSatisfying(
            Answer.Granted.class, g -> assertThat(g.grant().untilMillis()).isEqualTo(130_000));
  }

  @Test
  void whoWouldCloseACircleIsTheVictimAndHearsOfAllOfIt() {
    acquire(DISK, "a", 0);
    acquire(NET, "b", 0);
    acquire(new Name("main", "cpu"), "c", 0);
    acquire(NET, "a", 1);
    acquire(new Name("main", "cpu"), "b", 1);
    assertThat(acquire(DISK, "c", 2)).isEqualTo(new Answer.Deadlock(List.of("c", "a", "b")));
    assertThat(acquire(DISK, "d", 2)).as("who closes none waits").isInstanceOf(Answer.Queued.class);
  }

  @Test
  void someoneAheadInLineCountsAsWaitedFor() {
    acquire(DISK, "a", 0);
    acquire(DISK, "b", 0);
    acquire(NET, "c", 0);
    acquire(NET, "b", 0);
    assertThat(acquire(DISK, "c", 1))
        .as("c would wait behind b, who waits for c")
        .isEqualTo(new Answer.Deadlock(List.of("c", "b")));
  }

  @Test
  void randomCommandsNeverGiveALockToTwoAndBytesKeepItAll() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      Locks live = new Locks();
      Map<Name, Long> largest = new HashMap<>();
      long now = 0;
      for (int i = 0; i < 200; i++) {
        now += random.nextInt(2_000);
        Name name = new Name("t", "l" + random.nextInt(4));
        String owner = "o" + random.nextInt(5);
        Command command =
            switch (random.nextInt(6)) {
              case 0 -> new Command.Release(name, owner);
              case 1 -> new Command.Renew(name, random.nextInt(40));
              case 2 -> new Command.Tick();
              default ->
                  new Command.Acquire(
                      name, owner, 1 + random.nextInt(5_000), random.nextInt(6_000));
            };
        Optional<Locks.Grant> before = live.holder(name);
        Locks copy = Locks.fromBytes(live.toBytes());
        Answer answer = live.apply(LockCodec.command(LockCodec.toBytes(command)), now);
        assertThat(LockCodec.answer(LockCodec.toBytes(answer))).isEqualTo(answer);
        assertThat(copy.apply(command, now)).as("seed %s", seed).isEqualTo(answer);
        assertThat(copy.toBytes()).isEqualTo(live.toBytes());
        if (answer instanceof Answer.Granted(Locks.Grant grant)) {
          assertThat(grant.token())
              .as("seed %s: tokens never go back", seed)
              .isGreaterThanOrEqualTo(largest.getOrDefault(name, 0L));
          largest.put(name, grant.token());
          long at = now;
          assertThat(before.filter(h -> h.untilMillis() > at && !h.owner().equals(grant.owner())))
              .as("seed %s: nobody else held it", seed)
              .isEmpty();
        }
        for (Locks.Lock lock : live.of("t")) {
          assertThat(lock.holder().orElseThrow().untilMillis()).isGreaterThan(now);
        }
      }
    }
  }
}
