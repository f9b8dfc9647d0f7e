// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.UnavailableException;
import dev.entente.cluster.group.Consensus;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * This node's vote. A node that is to vote may have to wait: for what the group agreed on without
 * it, which somebody has to send, for the others to say that it may, for an operator to let it in.
 * Until then, and once it is no member any more, it serves as a node that never had a vote.
 * Thread-safe.
 */
final class Voting implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Voting.class.getName());

  /** How long the start waits; what is wrong with the settings shows before. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Between two tries, and two looks at whether this node is a member. */
  private static final Duration PAUSE = Duration.ofMillis(200);

  /** For how long nothing is said of having no vote: where all start, all wait for each other. */
  private static final Duration PASSING = Duration.ofSeconds(4);

  private final Seat seat;
  private final CompletableFuture<Boolean> begun = new CompletableFuture<>();
  private final Duration patience;
  private final Duration pause;
  private final Thread thread;
  private String said = "";
  private long withoutSinceNanos = System.nanoTime();
  private volatile boolean closed;

  /** What a node votes with. */
  interface Seat {
    /**
     * Takes part in the group, or waits there to be let in.
     *
     * @param again whether it took part before and no longer does
     * @throws UnavailableException where that cannot be now
     */
    Consensus start(boolean again) throws IOException, InterruptedException;

    /** Whether this node is a member. */
    boolean isMember(Consensus group);

    /** Whether this node gives up its vote until it is started again, and gives it up then. */
    boolean stepsBack();

    /** Votes from here on. */
    void takes();

    /** Does not vote from here on. */
    void leaves();
  }

  private Voting(Seat seat, Duration patience, Duration pause) {
    this.seat = seat;
    this.patience = patience;
    this.pause = pause;
    thread = Thread.ofVirtual().name("entente-vote").unstarted(this::run);
  }

  /**
   * Begins, and waits for a while until this node votes.
   *
   * @throws IOException where it cannot listen for the other voters
   * @throws IllegalArgumentException where the settings do not allow it
   */
  static Voting begin(Seat seat) throws IOException {
    return begin(seat, PATIENCE, PAUSE);
  }

  static Voting begin(Seat seat, Duration patience, Duration pause) throws IOException {
    Voting voting = new Voting(seat, patience, pause);
    voting.thread.start();
    try {
      voting.begun.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.log(
          Level.WARNING,
          "serves without its vote for now: it lacks what the voters have agreed on, and takes its"
              + " vote up once the others have sent that");
    } catch (ExecutionException e) {
      voting.close();
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException unchecked -> throw unchecked;
        case null, default -> throw new IllegalStateException(e);
      }
    } catch (InterruptedException e) {
      voting.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return voting;
  }

  private void run() {
    try {
      for (boolean again = false; !closed; ) {
        again |= tookPart(again);
        if (seat.stepsBack()) {
          begun.complete(false);
          return;
        }
        Thread.sleep(pause);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes part for as long as it goes; whether it did at all. */
  private boolean tookPart(boolean again) throws InterruptedException {
    long began = System.nanoTime();
    try (Consensus group = seat.start(again)) {
      while (!closed && group.isRunning()) {
        voted(group);
        // Waits to be let in.
        begun.complete(false);
        Thread.sleep(pause);
      }
      return true;
    } catch (UnavailableException e) {
      begun.complete(false);
      say(e);
    } catch (IOException | RuntimeException e) {
      if (!again
          && System.nanoTime() - began < patience.toNanos()
          && begun.completeExceptionally(e)) {
        closed = true;
      } else {
        say(e);
      }
    }
    return false;
  }

  /** Votes for as long as this node is a member. */
  private void voted(Consensus group) throws InterruptedException {
    if (!seat.isMember(group)) {
      return;
    }
    seat.takes();
    LOG.log(begun.complete(true) ? Level.DEBUG : Level.INFO, "votes");
    try {
      while (!closed && group.isRunning() && seat.isMember(group)) {
        Thread.sleep(pause);
      }
    } finally {
      withoutSinceNanos = System.nanoTime();
      seat.leaves();
    }
    if (!closed) {
      LOG.log(Level.WARNING, "does not vote any more");
    }
  }

  /** Says why it does not vote, once for each reason, unless that may yet pass. */
  private void say(Exception why) {
    String text = String.valueOf(why.getMessage());
    boolean passes = System.nanoTime() - withoutSinceNanos < PASSING.toNanos();
    if (!passes && !text.equals(said)) {
      LOG.log(Level.WARNING, "does not vote yet: {0}", text);
      said = text;
    }
  }

  /** Whether this node votes or tries to. */
  boolean isTrying() {
    return thread.isAlive();
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
