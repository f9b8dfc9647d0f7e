// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * How far a peer's clock is ahead, from the four times of an exchange; of the latest eight
 * exchanges the quickest counts, since it says most. Not thread-safe.
 *
 * <p>Source: the clock filter of RFC 5905, section 10.
 */
final class ClockOffset {
  private static final int KEPT = 8;

  /** One exchange. */
  private record Sample(long offsetMillis, long roundTripMillis) {}

  private final Deque<Sample> samples = new ArrayDeque<>();

  /**
   * An exchange: when it was asked and the answer came by one's own clock, when the question came
   * and the answer went by the other's.
   */
  void exchanged(long asked, long received, long replied, long got) {
    long roundTrip = (got - asked) - (replied - received);
    if (roundTrip < 0) {
      // A clock was set meanwhile; what was measured before no longer holds.
      samples.clear();
      return;
    }
    samples.addLast(new Sample(((received - asked) + (replied - got)) / 2, roundTrip));
    if (samples.size() > KEPT) {
      samples.removeFirst();
    }
  }

  /** Forgets what was measured by a clock that was set since. */
  void forget() {
    samples.clear();
  }

  private Sample quickest() {
    Sample best = new Sample(0, -1);
    for (Sample sample : samples) {
      if (best.roundTripMillis() < 0 || sample.roundTripMillis() <= best.roundTripMillis()) {
        best = sample;
      }
    }
    return best;
  }

  /** How far the other is ahead, in milliseconds; 0 where it is not known. */
  long offsetMillis() {
    return quickest().offsetMillis();
  }

  /** The round trip of that exchange; -1 where nothing is known. */
  long roundTripMillis() {
    return quickest().roundTripMillis();
  }
}
