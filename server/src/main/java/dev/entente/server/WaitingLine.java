// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.record.RecordKey;
import dev.entente.engine.Freeze;
import dev.entente.engine.Node;
import dev.entente.server.Problem.Code;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Writers who wait for what is frozen to thaw, where the freeze lets them: each record has a line,
 * and who came first goes on first. Bounded, and for a bounded time: whoever waited in vain is
 * refused as any writer is. Nothing of it is kept; none of them has been answered. Thread-safe.
 */
final class WaitingLine {
  static final int WAITING_MAX = 1_000;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LOOKS_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final Node node;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private final Map<RecordKey, Deque<Thread>> lines = new ConcurrentHashMap<>();
  private int waiting;

  WaitingLine(Node node) {
    this.node = node;
  }

  /** How many wait for a scope to thaw. */
  int waiting(String scope) {
    lock.lock();
    try {
      return lines.entrySet().stream()
          .filter(line ->
              line.getKey().toString().equals(scope)
                  || line.getKey().toString().startsWith(scope + "/"))
          .mapToInt(line -> line.getValue().size())
          .sum();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Does what a writer wants, once it is their turn.
   *
   * @param waited what is done first where they had to wait for it
   */
  <T> T inTurn(RecordKey key, Runnable waited, Supplier<T> work) {
    if (!join(key)) {
      return work.get();
    }
    try {
      waited.run();
      return work.get();
    } finally {
      leave(key);
    }
  }

  private boolean isFrozen(RecordKey key) {
    return node.freezeOver(key).filter(Freeze::waiting).isPresent();
  }

  /** Waits where there is something to wait for; whether the writer stands in line now. */
  private boolean join(RecordKey key) {
    if (!isFrozen(key) && !lines.containsKey(key)) {
      return false;
    }
    lock.lock();
    try {
      if (waiting >= WAITING_MAX) {
        throw new Problem(
            Code.FROZEN, "it is frozen, and " + WAITING_MAX + " writers wait already; try later");
      }
      Deque<Thread> line = lines.computeIfAbsent(key, _ -> new ArrayDeque<>());
      line.addLast(Thread.currentThread());
      waiting++;
      long end = System.nanoTime() + PATIENCE_NANOS;
      while ((isFrozen(key) || !Thread.currentThread().equals(line.peekFirst()))
          && System.nanoTime() < end) {
        long _ = moved.awaitNanos(LOOKS_NANOS);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      remove(key);
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    } finally {
      lock.unlock();
    }
  }

  private void leave(RecordKey key) {
    lock.lock();
    try {
      remove(key);
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void remove(RecordKey key) {
    Deque<Thread> line = lines.get(key);
    if (line != null && line.remove(Thread.currentThread())) {
      waiting--;
      if (line.isEmpty()) {
        lines.remove(key);
      }
    }
  }
}
