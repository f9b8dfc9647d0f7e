// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.UnavailableException;
import dev.entente.cluster.group.Consensus;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A node whose vote has to wait serves meanwhile, and votes as soon as it can. */
class VotingTest {
  private static final Duration SOON = Duration.ofMillis(200);
  private static final Duration AT_ONCE = Duration.ofMillis(1);

  /** A group that only knows whether this node is in it, and whether it was left. */
  private static final class Seat implements Consensus {
    private final AtomicBoolean member = new AtomicBoolean(true);
    private final AtomicBoolean running = new AtomicBoolean(true);
    private final AtomicBoolean left = new AtomicBoolean();

    @Override
    public CompletableFuture<byte[]> propose(byte[] entry) {
      return CompletableFuture.completedFuture(entry);
    }

    @Override
    public CompletableFuture<Void> barrier() {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public Standing standing() {
      return new Standing(
          Optional.empty(), false, 0, member.get() ? List.of("a", "b", "c") : List.of());
    }

    @Override
    public boolean isRunning() {
      return running.get();
    }

    @Override
    public void close() {
      left.set(true);
    }
  }

  /** A node that knows whether it votes. */
  private static final class Vote implements Voting.Seat {
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Start start;
    private volatile boolean stepsBack;

    interface Start {
      Consensus start(boolean again) throws IOException, InterruptedException;
    }

    Vote(Start start) {
      this.start = start;
    }

    @Override
    public Consensus start(boolean again) throws IOException, InterruptedException {
      return start.start(again);
    }

    @Override
    public boolean isMember(Consensus group) {
      return group.standing().voters().contains("a");
    }

    @Override
    public boolean stepsBack() {
      return stepsBack;
    }

    @Override
    public void takes() {
      told.add("votes");
    }

    @Override
    public void leaves() {
      told.add("does not");
    }
  }

  @Test
  void aVoterThatStepsBackIsNotStartedAgain() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    Seat seat = new Seat();
    Vote vote =
        new Vote(_ -> {
          starts.incrementAndGet();
          return seat;
        });
    try (Voting voting = Voting.begin(vote, SOON, AT_ONCE)) {
      Served.eventually(() -> vote.told.equals(List.of("votes")));
      vote.stepsBack = true;
      seat.running.set(false);
      Served.eventually(() -> vote.told.equals(List.of("votes", "does not")) && !voting.isTrying());
      assertThat(starts).hasValue(1);
    }
  }

  @Test
  void whoLacksWhatWasAgreedOnServesMeanwhile() throws Exception {
    Seat seat = new Seat();
    CountDownLatch caughtUp = new CountDownLatch(1);
    Vote vote =
        new Vote(_ -> {
          caughtUp.await();
          return seat;
        });
    Voting voting = Voting.begin(vote, SOON, AT_ONCE);
    assertThat(vote.told).as("it has not waited for that").isEmpty();
    caughtUp.countDown();
    Served.eventually(() -> vote.told.equals(List.of("votes")));
    voting.close();
    assertThat(seat.left).isTrue();
    assertThat(vote.told).containsExactly("votes", "does not");
  }

  @Test
  void whatIsWrongWithTheSettingsEndsTheStart() {
    assertThatThrownBy(() -> Voting.begin(failing(new IOException("cannot listen"))))
        .isInstanceOf(IOException.class)
        .hasMessage("cannot listen");
    assertThatThrownBy(() -> Voting.begin(failing(new IllegalArgumentException("no certificate"))))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Vote failing(Exception why) {
    return new Vote(_ -> {
      switch (why) {
        case IOException io -> throw io;
        case RuntimeException unchecked -> throw unchecked;
        default -> throw new IllegalStateException(why);
      }
    });
  }

  @Test
  void whoeverWaitedInVainTriesAgain() throws Exception {
    Seat seat = new Seat();
    AtomicInteger tries = new AtomicInteger();
    Vote vote =
        new Vote(_ -> {
          if (tries.incrementAndGet() < 4) {
            Thread.sleep(SOON.multipliedBy(2));
            throw new IllegalStateException("nobody sends it");
          }
          return seat;
        });
    try (Voting _ = Voting.begin(vote, SOON, AT_ONCE)) {
      Served.eventually(() -> vote.told.equals(List.of("votes")));
    }
    assertThat(tries.get()).isEqualTo(4);
  }

  @Test
  void whoHasToWaitForOthersDoesNotHoldUpTheStart() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    Vote vote =
        new Vote(_ -> {
          if (tries.incrementAndGet() < 4) {
            throw new UnavailableException("b has not said yet");
          }
          return new Seat();
        });
    try (Voting _ = Voting.begin(vote, Duration.ofMinutes(10), AT_ONCE)) {
      Served.eventually(() -> vote.told.equals(List.of("votes")));
    }
  }

  @Test
  void whoWaitsToBeLetInVotesOnceItIs() throws Exception {
    Seat seat = new Seat();
    seat.member.set(false);
    Vote vote = new Vote(_ -> seat);
    try (Voting _ = Voting.begin(vote, Duration.ofMinutes(10), AT_ONCE)) {
      assertThat(vote.told).isEmpty();
      seat.member.set(true);
      Served.eventually(() -> vote.told.equals(List.of("votes")));
    }
  }

  @Test
  void whoseGroupWentOnWithoutItBeginsAnew() throws Exception {
    List<Seat> seats = new CopyOnWriteArrayList<>();
    List<Boolean> agains = new CopyOnWriteArrayList<>();
    Vote vote =
        new Vote(again -> {
          agains.add(again);
          seats.add(new Seat());
          return seats.getLast();
        });
    try (Voting _ = Voting.begin(vote, Duration.ofMinutes(10), AT_ONCE)) {
      seats.getFirst().running.set(false);
      Served.eventually(() -> vote.told.equals(List.of("votes", "does not", "votes")));
    }
    assertThat(agains).containsExactly(false, true);
    assertThat(seats).allMatch(seat -> seat.left.get());
  }
}
