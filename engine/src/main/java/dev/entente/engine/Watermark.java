// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongPredicate;

/**
 * How far the log is durable, and whom to wake when it grows. A commit begins, is durable, and is
 * then shown to readers; in between the store knows what readers do not see yet. Thread-safe; one
 * thread commits.
 */
final class Watermark {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition grown = lock.newCondition();
  private long position;
  private long begun;
  private long shown;
  private final Deque<Long> notVisible = new ArrayDeque<>();
  private long visible;
  private boolean stopped;

  Watermark(long position) {
    this.position = position;
    this.visible = position;
  }

  /** The position up to which readers of records see the log; never past {@link #position}. */
  long visible() {
    lock.lock();
    try {
      return visible;
    } finally {
      lock.unlock();
    }
  }

  /** The position of the last durable version. */
  long position() {
    lock.lock();
    try {
      return position;
    } finally {
      lock.unlock();
    }
  }

  /** A commit is about to be written. */
  void begin() {
    lock.lock();
    try {
      begun++;
    } finally {
      lock.unlock();
    }
  }

  /** It is durable, and the log reaches to a position. */
  void durable(long last) {
    lock.lock();
    try {
      position = last;
      notVisible.addLast(last);
      grown.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Nothing grows any more: a commit failed, and whether it is durable is not known. */
  void stop() {
    lock.lock();
    try {
      stopped = true;
      grown.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The oldest commit that was durable but not visible is visible to readers. */
  void shown() {
    lock.lock();
    try {
      shown++;
      visible = notVisible.removeFirst();
      grown.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until readers see something behind a position, or the time is over. */
  void awaitVisible(long since, long timeoutMillis) throws InterruptedException {
    long rest = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    lock.lock();
    try {
      while (visible <= since && rest > 0 && !stopped) {
        rest = grown.awaitNanos(rest);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits until something lies behind a position, or the time is over. */
  void awaitBehind(long since, long timeoutMillis) throws InterruptedException {
    long rest = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    lock.lock();
    try {
      while (position <= since && rest > 0 && !stopped) {
        rest = grown.awaitNanos(rest);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until something holds in the store, and then until readers see what it holds by.
   *
   * @param holds asked after each commit, with the durable position
   * @return false where the time was over first, or nothing grows any more
   */
  boolean awaitShown(LongPredicate holds, long timeoutMillis) throws InterruptedException {
    long rest = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    lock.lock();
    try {
      while (!holds.test(position)) {
        if (rest <= 0 || stopped) {
          return false;
        }
        rest = grown.awaitNanos(rest);
      }
      // It may hold by a commit that is not shown yet; later ones need not be waited for.
      long by = begun;
      while (shown < by) {
        if (rest <= 0 || stopped) {
          return false;
        }
        rest = grown.awaitNanos(rest);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}
