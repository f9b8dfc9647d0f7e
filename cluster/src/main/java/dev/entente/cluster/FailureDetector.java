// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

/**
 * Suspects a peer by its own habits: phi is the negative decimal logarithm of how likely a silence
 * as long as the present one is, where gaps between signs of life are exponential with the mean
 * seen of late. Not thread-safe.
 *
 * <p>Source: Hayashibara et al., <i>The φ accrual failure detector</i>, 2004, with the exponential
 * in place of the normal distribution, as Apache Cassandra has it.
 */
final class FailureDetector {
  /** Beyond this a peer counts as unreachable: such a silence has a chance of one in 10^8. */
  static final double SUSPECT_PHI = 8;

  /** How much a new gap weighs in the mean. */
  private static final double WEIGHT = 0.1;

  private final double meanMinMillis;
  private double meanMillis;
  private long lastMillis = -1;

  /**
   * A detector.
   *
   * @param meanMinMillis the shortest mean gap that is assumed, so that a burst of quick answers
   *     does not make it nervous
   */
  FailureDetector(double meanMinMillis) {
    this.meanMinMillis = meanMinMillis;
    this.meanMillis = meanMinMillis;
  }

  /** A sign of life. */
  void heard(long nowMillis) {
    if (lastMillis >= 0) {
      meanMillis +=
          WEIGHT * (Math.min((double) (nowMillis - lastMillis), 10 * meanMillis) - meanMillis);
    }
    lastMillis = nowMillis;
  }

  double phi(long nowMillis) {
    if (lastMillis < 0) {
      return 0;
    }
    return (double) (nowMillis - lastMillis) / Math.max(meanMinMillis, meanMillis) / Math.log(10);
  }
}
