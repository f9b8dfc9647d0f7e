// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Something to be done once a group of nodes agrees: first worked out, perhaps several times, then
 * answered. Got from a {@link Node}.
 */
public final class Command<T> {
  private final Function<Transaction, T> work;
  private final boolean batched;
  private final CompletableFuture<T> answer = new CompletableFuture<>();
  private volatile @Nullable T drafted;

  Command(Function<Transaction, T> work, boolean batched) {
    this.work = work;
    this.batched = batched;
  }

  void draft(Transaction transaction) {
    drafted = work.apply(transaction);
  }

  /** Whether it may be worked out together with others. */
  public boolean isBatched() {
    return batched;
  }

  /** Completes when the group agrees, or fails. */
  public CompletableFuture<T> answer() {
    return answer;
  }

  /** Gives out what was worked out last. */
  public void complete() {
    answer.complete(drafted);
  }

  /** Says that it cannot be known whether it was agreed on, or that it was not. */
  public void fail(Throwable why) {
    answer.completeExceptionally(why);
  }
}
