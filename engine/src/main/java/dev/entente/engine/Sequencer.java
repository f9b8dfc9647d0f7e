// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Where a node changes: runs jobs one after another, makes what they decided durable, then has the
 * waiters answered. A job that throws takes none of the others with it. A commit that throws stops
 * the node for good.
 */
sealed interface Sequencer extends AutoCloseable permits ThreadedSequencer, InlineSequencer {
  /**
   * Takes a job.
   *
   * @return completes once what the job decided is durable
   * @throws OverloadedException where too many wait
   * @throws NodeStoppedException where the node has stopped
   */
  <T> CompletableFuture<T> submit(Function<Transaction, T> work);

  /** How many jobs wait. */
  int waiting();

  /** What stopped it, if something did. */
  @Nullable Throwable failure();

  /** Takes no more, finishes what was taken. */
  @Override
  void close();

  /** Says that nothing more is taken. */
  static NodeStoppedException stopped(@Nullable Throwable cause) {
    return new NodeStoppedException(
        "the node has stopped; what was in flight may have been kept", cause);
  }
}
