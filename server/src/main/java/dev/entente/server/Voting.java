// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.group.Consensus;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * This node's vote. A node that comes back may lack what the group agreed on meanwhile, and nobody
 * may be there to send it: then it serves without its vote, as a node that never had one, and takes
 * it up once it has caught up. Thread-safe.
 */
final class Voting implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Voting.class.getName());

  /** How long the start waits; what is wrong with the settings shows before. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Duration PAUSE = Duration.ofSeconds(5);

  private final CompletableFuture<Boolean> begun = new CompletableFuture<>();
  private final Duration patience;
  private final Duration pause;
  private final Thread thread;
  private @Nullable Consensus consensus;
  private boolean closed;

  /** Begins to vote; waits until the node has caught up. */
  @FunctionalInterface
  interface Start {
    Consensus start() throws IOException;
  }

  private Voting(Start start, Duration patience, Duration pause) {
    this.patience = patience;
    this.pause = pause;
    thread = Thread.ofVirtual().name("entente-vote").unstarted(() -> run(start));
  }

  /**
   * Begins, and waits for a while until this node votes.
   *
   * @throws IOException where it cannot listen for the other voters
   * @throws IllegalArgumentException where the settings do not allow it
   */
  static Voting begin(Start start) throws IOException {
    return begin(start, PATIENCE, PAUSE);
  }

  static Voting begin(Start start, Duration patience, Duration pause) throws IOException {
    Voting voting = new Voting(start, patience, pause);
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

  private void run(Start start) {
    try {
      while (!tried(start)) {
        Thread.sleep(pause);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether there is nothing more to do. */
  private boolean tried(Start start) {
    long began = System.nanoTime();
    try {
      keep(start.start());
      if (begun.complete(true) && System.nanoTime() - began > patience.toNanos()) {
        LOG.log(Level.INFO, "has caught up, and votes");
      }
      return true;
    } catch (IOException | RuntimeException e) {
      if (System.nanoTime() - began < patience.toNanos() && begun.completeExceptionally(e)) {
        return true;
      }
      begun.complete(false);
      LOG.log(Level.WARNING, "does not vote yet, and tries again: {0}", e.getMessage());
      return isClosed();
    }
  }

  private synchronized void keep(Consensus started) {
    if (closed) {
      started.close();
    } else {
      consensus = started;
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    Consensus started;
    synchronized (this) {
      closed = true;
      started = consensus;
    }
    thread.interrupt();
    if (started != null) {
      started.close();
    }
  }
}
