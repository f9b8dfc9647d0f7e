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
  /** What a command may be worked out with, and what becomes of it where it writes nothing. */
  enum Kind {
    ONE_OF_MANY,
    ALONE,
    LOCAL_TOO
  }

  private final Function<Transaction, T> work;
  private final Kind kind;
  private final CompletableFuture<T> answer = new CompletableFuture<>();
  private volatile @Nullable T drafted;

  Command(Kind kind, Function<Transaction, T> work) {
    this.work = work;
    this.kind = kind;
  }

  void draft(Transaction transaction) {
    drafted = work.apply(transaction);
  }

  /** Whether it may be worked out together with others. */
  public boolean isBatched() {
    return kind == Kind.ONE_OF_MANY;
  }

  /** Whether what it changes without writing anything is this node's own, such as a vote. */
  boolean isLocalToo() {
    return kind == Kind.LOCAL_TOO;
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
