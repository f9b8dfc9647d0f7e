// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.engine.store.Batch;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A sequencer on the caller's thread, each job its own commit: what a simulation runs, where
 * nothing may happen at a moment that the simulation has not chosen. Not thread-safe.
 */
final class InlineSequencer implements Sequencer {
  private final Transaction transaction;
  private final Records records;
  private final AuditChain chain;
  private final ObjLongConsumer<Batch> commit;
  private final Runnable published;
  private boolean closed;
  private @Nullable Throwable failure;

  InlineSequencer(
      Transaction transaction,
      Records records,
      AuditChain chain,
      ObjLongConsumer<Batch> commit,
      Runnable published) {
    this.transaction = transaction;
    this.records = records;
    this.chain = chain;
    this.commit = commit;
    this.published = published;
  }

  @Override
  public <T> CompletableFuture<T> submit(Function<Transaction, T> work) {
    if (closed || failure != null) {
      throw Sequencer.stopped(failure);
    }
    T result;
    try {
      result = work.apply(transaction);
      transaction.keep();
    } catch (RuntimeException e) {
      transaction.discard();
      return CompletableFuture.failedFuture(e);
    }
    try {
      Layer layer = transaction.seal();
      Batch batch = layer.complete(chain);
      if (!batch.isEmpty()) {
        commit.accept(batch, layer.position());
      }
      layer.publish(records);
      if (!batch.isEmpty()) {
        published.run();
      }
    } catch (RuntimeException e) {
      failure = e;
      return CompletableFuture.failedFuture(Sequencer.stopped(e));
    }
    return CompletableFuture.completedFuture(result);
  }

  @Override
  public int waiting() {
    return 0;
  }

  @Override
  public @Nullable Throwable failure() {
    return failure;
  }

  @Override
  public void close() {
    closed = true;
  }
}
