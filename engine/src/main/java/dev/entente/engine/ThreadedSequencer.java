// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.engine.store.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A sequencer of two threads. The first takes what has gathered in a bounded queue and runs each
 * job in order; the second takes all that has been decided by then, makes it durable, shows it to
 * readers and has the waiters answered. So the next batch is decided while the last one is being
 * synced. A job that throws takes none of the others with it. A commit that throws stops both for
 * good. See decision 4 in the documentation.
 */
final class ThreadedSequencer implements Sequencer {
  /** Decided bytes that may wait for the disk. */
  private static final int BATCH_BYTES_MAX = 16 << 20;

  /** From how many decided bytes on a commit need not wait for the rest of a drained queue. */
  private static final int BATCH_BYTES_ENOUGH = 1 << 20;

  private record Job<T>(Function<Transaction, T> work, CompletableFuture<T> done) {
    /** Runs, and returns what completes the waiter after the commit. */
    Answer run(Transaction transaction) {
      if (transaction.hasEnded()) {
        return new Answer(() -> done.completeExceptionally(Sequencer.stopped(null)), done);
      }
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

  private final BlockingQueue<Job<?>> queue;
  private final int batchMax;
  private final Transaction transaction;
  private final Records records;
  private final AuditChain chain;
  private final ObjLongConsumer<Batch> commit;
  private final Runnable published;
  private final Thread decider =
      Thread.ofPlatform().name("entente-sequencer").daemon(true).unstarted(this::decide);
  private final Thread committer =
      Thread.ofPlatform().name("entente-committer").daemon(true).unstarted(this::commit);
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition decided = lock.newCondition();
  private final Condition taken = lock.newCondition();

  /**
   * Whose jobs are in the open layer. Guarded by the lock, as that layer and the next field are.
   */
  private List<Answer> answers = new ArrayList<>();

  private boolean nothingFollows;
  private volatile boolean closing;
  private volatile @Nullable Throwable failure;

  private ThreadedSequencer(
      int queueMax,
      int batchMax,
      Transaction transaction,
      Records records,
      AuditChain chain,
      ObjLongConsumer<Batch> commit,
      Runnable published) {
    this.queue = new ArrayBlockingQueue<>(queueMax);
    this.batchMax = batchMax;
    this.transaction = transaction;
    this.records = records;
    this.chain = chain;
    this.commit = commit;
    this.published = published;
  }

  static ThreadedSequencer start(
      int queueMax,
      int batchMax,
      Transaction transaction,
      Records records,
      AuditChain chain,
      ObjLongConsumer<Batch> commit,
      Runnable published) {
    ThreadedSequencer sequencer =
        new ThreadedSequencer(queueMax, batchMax, transaction, records, chain, commit, published);
    sequencer.decider.start();
    sequencer.committer.start();
    return sequencer;
  }

  @Override
  public <T> CompletableFuture<T> submit(Function<Transaction, T> work) {
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

  @Override
  public int waiting() {
    return queue.size();
  }

  @Override
  public @Nullable Throwable failure() {
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
        for (Job<?> job : jobs) {
          decide(job);
        }
        jobs.clear();
        offerToCommit(false);
      }
    } catch (InterruptedException | RuntimeException | Error e) {
      fail(e);
    }
    jobs.forEach(job -> job.done().completeExceptionally(stopped()));
    abandon();
    offerToCommit(true);
    if (failure != null) {
      // The committer may have ended before the last of them were decided.
      forsake();
    }
  }

  private void decide(Job<?> job) throws InterruptedException {
    lock.lock();
    try {
      while (answers.size() >= batchMax || transaction.bytes() > BATCH_BYTES_MAX) {
        decided.signal();
        if (!taken.await(100, TimeUnit.MILLISECONDS) && failure != null) {
          job.done().completeExceptionally(stopped());
          return;
        }
      }
      answers.add(job.run(transaction));
      if (transaction.bytes() > BATCH_BYTES_ENOUGH) {
        decided.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void offerToCommit(boolean last) {
    lock.lock();
    try {
      nothingFollows = last;
      decided.signal();
    } finally {
      lock.unlock();
    }
  }

  private void commit() {
    List<Answer> mine = List.of();
    try {
      while (failure == null) {
        Layer layer;
        lock.lock();
        try {
          while (answers.isEmpty() && !nothingFollows && failure == null) {
            decided.await(100, TimeUnit.MILLISECONDS);
          }
          if (answers.isEmpty() || failure != null) {
            break;
          }
          layer = transaction.seal();
          mine = answers;
          answers = new ArrayList<>();
          taken.signal();
        } finally {
          lock.unlock();
        }
        Batch batch = layer.complete(chain);
        if (!batch.isEmpty()) {
          commit.accept(batch, layer.position());
        }
        layer.publish(records);
        if (!batch.isEmpty()) {
          published.run();
        }
        answer(mine);
        mine = List.of();
      }
    } catch (InterruptedException | RuntimeException | Error e) {
      fail(e);
    }
    mine.forEach(answer -> answer.waiter().completeExceptionally(stopped()));
    forsake();
  }

  /** Tells who waits for what was decided, and will not be committed. */
  private void forsake() {
    lock.lock();
    try {
      answers.forEach(answer -> answer.waiter().completeExceptionally(stopped()));
      answers.clear();
    } finally {
      lock.unlock();
    }
  }

  /** Wakes the waiters; where there are several, on a thread of their own. */
  private static void answer(List<Answer> answers) {
    if (answers.size() == 1) {
      answers.getFirst().give().run();
    } else {
      Thread.startVirtualThread(() -> answers.forEach(answer -> answer.give().run()));
    }
  }

  private void fail(Throwable cause) {
    if (cause instanceof InterruptedException) {
      Thread.currentThread().interrupt();
    }
    if (failure == null) {
      failure = cause;
    }
  }

  private NodeStoppedException stopped() {
    return Sequencer.stopped(failure);
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
