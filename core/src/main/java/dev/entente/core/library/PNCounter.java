// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.crdt.Counter;
import java.math.BigInteger;

/** A counter that grows and falls. Not thread-safe. */
public final class PNCounter extends Replicated<Counter> {
  public PNCounter(String replica) {
    super(replica, Counter.EMPTY);
  }

  /**
   * Adds a difference, negative ones too.
   *
   * @throws ArithmeticException where one of this replica's own sums leaves 64 bits
   */
  public void add(long difference) {
    change(nextDot(), cell().add(self(), difference));
  }

  public BigInteger value() {
    return cell().total();
  }

  public void merge(PNCounter other) {
    mergeWith(other);
  }
}
