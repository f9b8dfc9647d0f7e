// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.crdt.Counter;
import java.math.BigInteger;

/** A counter that only grows. Not thread-safe. */
public final class GCounter extends Replicated<Counter> {
  public GCounter(String replica) {
    super(replica, Counter.EMPTY);
  }

  /**
   * Counts up.
   *
   * @throws IllegalArgumentException where {@code by} is negative
   * @throws ArithmeticException where this replica's own sum leaves 64 bits
   */
  public void increment(long by) {
    if (by < 0) {
      throw new IllegalArgumentException("a grow-only counter never falls");
    }
    change(nextDot(), cell().add(self(), by));
  }

  public BigInteger value() {
    return cell().total();
  }

  public void merge(GCounter other) {
    mergeWith(other);
  }
}
