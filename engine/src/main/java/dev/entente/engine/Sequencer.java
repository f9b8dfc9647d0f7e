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
 * The two threads that change a node. The first takes what has gathered in a bounded queue and runs
 * each job in order; the second makes what that decided durable, shows it to readers and completes
 * the waiters. So the next batch is decided while the last one is being synced. A job that throws
 * takes none of the others with it. A commit that throws stops both for good. See decision 4 in the
 * documentation.
 */
final class Sequencer implements AutoCloseable {
  private static final int BATCH_BYTES_MAX = 16 << 20;

  /** Decided batches that may wait for the disk. */
  private static final int DECIDED_MAX = 1;

  private record Job<T>(Function<Transaction, T> work, CompletableFuture<T> done) {
    /** Runs, and returns what completes the waiter after the commit. */
    Answer run(Transaction transaction) {
      try {
        T result = work.apply(transaction);
        transaction.keep();
        return new Answer(() -> done.complete(result), done);
      } catch (RuntimeException e) {
        transaction.discard();
        return new Answer(() -> done.completeExceptionally(e), done);
      }
    }
  }

  private record Answer(Runnable give, CompletableFuture<?> waiter) {}

  private record Decided(Layer layer, List<Answer> answers) {}

  private final BlockingQueue<Job<?>> queue;
  private final BlockingQueue<Decided> decided = new ArrayBlockingQueue<>(DECIDED_MAX);
  private final int batchMax;
  private final Transaction transaction;
  private final Records records;
  private final AuditChain chain;
  private final Consumer<Batch> commit;
  private final Thread decider =
      Thread.ofPlatform().name("entente-sequencer").daemon(true).unstarted(this::decide);
  private final Thread committer =
      Thread.ofPlatform().name("entente-committer").daemon(true).unstarted(this::commit);
  private volatile boolean closing;
  private volatile @Nullable Throwable failure;

  Sequencer(
      int queueMax,
      int batchMax,
      Transaction transaction,
      Records records,
      AuditChain chain,
      Consumer<Batch> commit) {
    this.queue = new ArrayBlockingQueue<>(queueMax);
    this.batchMax = batchMax;
    this.transaction = transaction;
    this.records = records;
    this.chain = chain;
    this.commit = commit;
  }

  void start() {
    decider.start();
    committer.start();
  }

  <T> CompletableFuture<T> submit(Function<Transaction, T> work) {
    Job<T> job = new Job<>(work, new CompletableFuture<>());
    if (closing || failure != null) {
      throw stopped();
    }
    if (!queue.offer(job)) {
      throw new OverloadedException(
          "more than " + queue.size() + " requests wait; try again later");
    }
    if (failure != null || !decider.isAlive()) {
      abandon();
    }
    return job.done();
  }

  int waiting() {
    return queue.size();
  }

  @Nullable Throwable failure() {
    return failure;
  }

  private void decide() {
    List<Job<?>> jobs = new ArrayList<>();
    try {
      while (failure == null && (!closing || !queue.isEmpty())) {
        Job<?> first = queue.poll(100, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        jobs.add(first);
        queue.drainTo(jobs, batchMax - 1);
        List<Answer> answers = new ArrayList<>(jobs.size());
        for (Job<?> job : jobs) {
          answers.add(job.run(transaction));
          if (transaction.bytes() > BATCH_BYTES_MAX) {
            hand(answers);
            answers = new ArrayList<>();
          }
        }
        hand(answers);
        jobs.clear();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      fail(e);
    } catch (RuntimeException | Error e) {
      fail(e);
    }
    jobs.forEach(job -> job.done().completeExceptionally(stopped()));
    abandon();
  }

  private void hand(List<Answer> answers) throws InterruptedException {
    Decided next = new Decided(transaction.seal(), answers);
    while (!decided.offer(next, 100, TimeUnit.MILLISECONDS)) {
      if (failure != null) {
        answers.forEach(answer -> answer.waiter().completeExceptionally(stopped()));
        return;
      }
    }
  }

  private void commit() {
    Decided current = null;
    try {
      while (failure == null && (decider.isAlive() || !decided.isEmpty())) {
        current = decided.poll(100, TimeUnit.MILLISECONDS);
        if (current != null) {
          Batch batch = current.layer().complete(chain);
          if (!batch.isEmpty()) {
            commit.accept(batch);
          }
          current.layer().publish(records);
          current.answers().forEach(answer -> answer.give().run());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      fail(e);
    } catch (RuntimeException | Error e) {
      fail(e);
    }
    for (Decided left = current; left != null; left = decided.poll()) {
      left.answers().forEach(answer -> answer.waiter().completeExceptionally(stopped()));
    }
  }

  private void fail(Throwable cause) {
    if (failure == null) {
      failure = cause;
    }
  }

  private NodeStoppedException stopped() {
    return new NodeStoppedException(
        "the node has stopped; what was in flight may have been kept", failure);
  }

  private void abandon() {
    for (Job<?> job = queue.poll(); job != null; job = queue.poll()) {
      job.done().completeExceptionally(stopped());
    }
  }

  /** Takes no more, finishes what was taken. */
  @Override
  public void close() {
    closing = true;
    try {
      decider.join();
      committer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
