// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

import java.util.function.LongSupplier;

/**
 * Gives out hybrid times that grow, whatever the physical clock does, until it is restarted. The
 * physical clock is an argument. A time from elsewhere that lies further ahead than the bound on
 * drift is refused and does not move the clock. One writer owns it; any thread may ask for the last
 * time.
 */
public final class HybridClock {
  private final LongSupplier physicalMillis;
  private final long driftMaxMillis;
  private volatile HybridTime last;

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

  /**
   * Goes back to the physical clock, where the times given out lie further ahead of it than the
   * bound on drift: others would refuse all that follows them.
   *
   * @return whether they did
   */
  public boolean restart() {
    HybridTime physical = HybridTime.ofMillis(Math.max(0, physicalMillis.getAsLong()));
    boolean isAhead = !accepts(last, physical.millis());
    if (isAhead) {
      last = physical;
    }
    return isAhead;
  }

  public HybridTime last() {
    return last;
  }
}
