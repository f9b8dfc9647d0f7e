// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.engine.store.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that changes a node: takes what has gathered in a bounded queue, runs each job in
 * order against one transaction, commits once, then completes all. A job that throws takes none of
 * the others with it. A commit that throws stops the sequencer for good. See decision 4 in the
 * documentation.
 */
final class Sequencer implements AutoCloseable {
  private static final int BATCH_BYTES_MAX = 16 << 20;

  private record Job<T>(Function<Transaction, T> work, CompletableFuture<T> done) {
    /** Runs and returns what completes the waiter after the commit. */
    Runnable run(Transaction transaction) {
      transaction.begin();
      try {
        T result = work.apply(transaction);
        transaction.keep();
        return () -> done.complete(result);
      } catch (RuntimeException e) {
        transaction.discard();
        return () -> done.completeExceptionally(e);
      }
    }
  }

  private final BlockingQueue<Job<?>> queue;
  private final int batchMax;
  private final Transaction transaction;
  private final Consumer<Batch> commit;
  private final Thread thread;
  private volatile boolean closing;
  private volatile @Nullable Throwable failure;

  Sequencer(int queueMax, int batchMax, Transaction transaction, Consumer<Batch> commit) {
    this.queue = new ArrayBlockingQueue<>(queueMax);
    this.batchMax = batchMax;
    this.transaction = transaction;
    this.commit = commit;
    this.thread = Thread.ofPlatform().name("entente-sequencer").daemon(true).unstarted(this::loop);
  }

  void start() {
    thread.start();
  }

  <T> CompletableFuture<T> submit(Function<Transaction, T> work) {
    Job<T> job = new Job<>(work, new CompletableFuture<>());
    if (closing || failure != null) {
      throw new NodeStoppedException("the node has stopped", failure);
    }
    if (!queue.offer(job)) {
      throw new OverloadedException(
          "more than " + queue.size() + " requests wait; try again later");
    }
    if (failure != null || !thread.isAlive()) {
      abandon(new NodeStoppedException("the node has stopped", failure));
    }
    return job.done();
  }

  int waiting() {
    return queue.size();
  }

  @Nullable Throwable failure() {
    return failure;
  }

  private void loop() {
    List<Job<?>> jobs = new ArrayList<>();
    List<Runnable> answers = new ArrayList<>();
    try {
      while (!closing || !queue.isEmpty()) {
        Job<?> first = queue.poll(100, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        jobs.add(first);
        queue.drainTo(jobs, batchMax - 1);
        for (Job<?> job : jobs) {
          answers.add(job.run(transaction));
          if (transaction.bytes() > BATCH_BYTES_MAX) {
            flush(answers);
          }
        }
        flush(answers);
        jobs.clear();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failure = e;
    } catch (RuntimeException | Error e) {
      failure = e;
    }
    NodeStoppedException stopped =
        new NodeStoppedException(
            "the node has stopped; what was in flight may have been kept", failure);
    jobs.forEach(job -> job.done().completeExceptionally(stopped));
    abandon(stopped);
  }

  private void flush(List<Runnable> answers) {
    Batch batch = transaction.take();
    if (!batch.isEmpty()) {
      commit.accept(batch);
    }
    transaction.publish();
    answers.forEach(Runnable::run);
    answers.clear();
  }

  private void abandon(NodeStoppedException stopped) {
    for (Job<?> job = queue.poll(); job != null; job = queue.poll()) {
      job.done().completeExceptionally(stopped);
    }
  }

  /** Takes no more, finishes what was taken. */
  @Override
  public void close() {
    closing = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
