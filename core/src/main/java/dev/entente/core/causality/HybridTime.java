// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

import java.time.Instant;

/**
 * A hybrid logical timestamp: 48 bits of milliseconds since 1970 and a 16-bit counter, packed so
 * that comparing the longs compares the times. It never decides causality; it orders for people and
 * breaks ties where a policy asks for it.
 *
 * <p>Source: Kulkarni et al., <i>Logical physical clocks</i>, 2014.
 */
public record HybridTime(long packed) implements Comparable<HybridTime> {
  public static final HybridTime ZERO = new HybridTime(0);
  static final int COUNTER_BITS = 16;
  private static final long MILLIS_MAX = (1L << (63 - COUNTER_BITS)) - 1;

  public HybridTime {
    if (packed < 0) {
      throw new IllegalArgumentException("a hybrid time is not negative: " + packed);
    }
  }

  public static HybridTime ofMillis(long millis) {
    if (millis < 0 || millis > MILLIS_MAX) {
      throw new IllegalArgumentException("milliseconds out of range: " + millis);
    }
    return new HybridTime(millis << COUNTER_BITS);
  }

  public long millis() {
    return packed >>> COUNTER_BITS;
  }

  public Instant instant() {
    return Instant.ofEpochMilli(millis());
  }

  @Override
  public int compareTo(HybridTime other) {
    return Long.compare(packed, other.packed);
  }

  @Override
  public String toString() {
    return instant().toString();
  }
}
