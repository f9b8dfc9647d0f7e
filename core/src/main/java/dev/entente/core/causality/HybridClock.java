// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

import java.util.function.LongSupplier;

/**
 * Gives out hybrid times that always grow, whatever the physical clock does. The physical clock is
 * an argument. A time from elsewhere that lies further ahead than the bound on drift is refused and
 * does not move the clock. Not thread-safe: one writer owns it.
 */
public final class HybridClock {
  private final LongSupplier physicalMillis;
  private final long driftMaxMillis;
  private HybridTime last;

  public HybridClock(LongSupplier physicalMillis, long driftMaxMillis, HybridTime last) {
    this.physicalMillis = physicalMillis;
    this.driftMaxMillis = driftMaxMillis;
    this.last = last;
  }

  /** The next time, later than all given out or observed before. */
  public HybridTime next() {
    HybridTime physical = HybridTime.ofMillis(Math.max(0, physicalMillis.getAsLong()));
    last = physical.compareTo(last) > 0 ? physical : new HybridTime(last.packed() + 1);
    return last;
  }

  /** Whether a time from elsewhere lies within the bound on drift. */
  public boolean accepts(HybridTime time) {
    return accepts(time, physicalMillis.getAsLong());
  }

  /** Whether a time from elsewhere lies within the bound on drift at a physical time. */
  public boolean accepts(HybridTime time, long atMillis) {
    return time.millis() <= atMillis + driftMaxMillis;
  }

  /** Learns of a time from elsewhere; false, and no effect, where it lies too far ahead. */
  public boolean observe(HybridTime time) {
    return observe(time, physicalMillis.getAsLong());
  }

  /** Learns of a time from elsewhere as of a physical time. */
  public boolean observe(HybridTime time, long atMillis) {
    if (!accepts(time, atMillis)) {
      return false;
    }
    if (time.compareTo(last) > 0) {
      last = time;
    }
    return true;
  }

  public HybridTime last() {
    return last;
  }
}
