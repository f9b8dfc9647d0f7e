// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.group.Consensus;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A node whose vote has to wait serves meanwhile, and votes as soon as it can. */
class VotingTest {
  private static final Duration SOON = Duration.ofMillis(200);
  private static final Duration AT_ONCE = Duration.ofMillis(1);

  /** A group that only knows whether it was left. */
  private static final class Seat implements Consensus {
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
      return new Standing(Optional.empty(), false, 0, List.of());
    }

    @Override
    public void close() {
      left.set(true);
    }
  }

  @Test
  void whoLacksWhatWasAgreedOnServesMeanwhile() throws Exception {
    Seat seat = new Seat();
    CountDownLatch caughtUp = new CountDownLatch(1);
    CountDownLatch votes = new CountDownLatch(1);
    Voting voting =
        Voting.begin(
            () -> {
              try {
                caughtUp.await();
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
              votes.countDown();
              return seat;
            },
            SOON,
            AT_ONCE);
    assertThat(votes.getCount()).as("it has not waited for that").isOne();
    caughtUp.countDown();
    votes.await();
    voting.close();
    Served.eventually(seat.left::get);
  }

  @Test
  void whatIsWrongWithTheSettingsEndsTheStart() {
    assertThatThrownBy(() ->
            Voting.begin(
                () -> {
                  throw new IOException("cannot listen");
                },
                Duration.ofSeconds(10),
                AT_ONCE))
        .isInstanceOf(IOException.class)
        .hasMessage("cannot listen");
    assertThatThrownBy(() ->
            Voting.begin(
                () -> {
                  throw new IllegalArgumentException("no certificate");
                },
                Duration.ofSeconds(10),
                AT_ONCE))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whoeverWaitedInVainTriesAgain() throws Exception {
    Seat seat = new Seat();
    AtomicInteger tries = new AtomicInteger();
    try (Voting _ =
        Voting.begin(
            () -> {
              if (tries.incrementAndGet() < 4) {
                try {
                  Thread.sleep(SOON.multipliedBy(2));
                } catch (InterruptedException e) {
                  throw new IOException(e);
                }
                throw new IllegalStateException("nobody sends it");
              }
              return seat;
            },
            SOON,
            AT_ONCE)) {
      Served.eventually(() -> tries.get() == 4);
    }
    Served.eventually(seat.left::get);
  }
}
