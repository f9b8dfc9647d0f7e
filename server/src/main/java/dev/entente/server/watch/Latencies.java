// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import java.util.Arrays;

/**
 * How long writes took, counted in steps of the fourth root of two microseconds: a quantile is
 * right to 9 %. Holds only the steps between its fastest and its slowest write. Not thread-safe.
 */
final class Latencies {
  private static final int STEPS = 120;

  /** The step that the first of the counts is for. */
  private int from;

  private long[] counts = {};

  private static int step(long nanos) {
    double micros = Math.max(1, nanos / 1_000);
    return (int) Math.min(STEPS - 1, Math.round(4 * Math.log(micros) / Math.log(2)));
  }

  void add(long nanos) {
    int step = step(nanos);
    holdTo(step, step);
    counts[step - from]++;
  }

  void addAll(Latencies others) {
    if (others.counts.length > 0) {
      holdTo(others.from, others.from + others.counts.length - 1);
      for (int i = 0; i < others.counts.length; i++) {
        counts[others.from - from + i] += others.counts[i];
      }
    }
  }

  private void holdTo(int first, int last) {
    if (counts.length == 0) {
      from = first;
      counts = new long[last - first + 1];
      return;
    }
    int low = Math.min(from, first);
    int high = Math.max(from + counts.length - 1, last);
    if (high - low + 1 > counts.length) {
      long[] wider = new long[high - low + 1];
      System.arraycopy(counts, 0, wider, from - low, counts.length);
      counts = wider;
      from = low;
    }
  }

  /** How many writes there were. */
  long count() {
    return Arrays.stream(counts).sum();
  }

  /** The time in milliseconds that so great a part of the writes stayed below; 0 where none was. */
  double quantileMillis(double part) {
    double wanted = Math.ceil(part * count());
    long below = 0;
    for (int i = 0; i < counts.length; i++) {
      below += counts[i];
      if (below > 0 && below >= wanted) {
        return Math.pow(2, (from + i) / 4.0) / 1_000;
      }
    }
    return 0;
  }
}
