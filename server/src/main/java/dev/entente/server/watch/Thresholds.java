// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

/**
 * From where on something is wrong.
 *
 * @param conflictsPerMinute how many conflicts a minute are many, if they are also more than usual
 * @param timesBaseline how many times as many as usual
 * @param successPart which part of conflicts must be settled
 * @param manualPart which part may be left for people
 * @param p99Millis what all but one in a hundred writes must stay below
 * @param pending how many reviews may wait
 * @param lagMillis for how long a node may not have had what another has
 * @param clockMillis how far clocks may be apart
 * @param diskFreePart which part of the disk must be free
 * @param healMillis for how long a member may be out of reach, and a healing may take
 */
public record Thresholds(
    int conflictsPerMinute,
    double timesBaseline,
    double successPart,
    double manualPart,
    double p99Millis,
    int pending,
    long lagMillis,
    long clockMillis,
    double diskFreePart,
    long healMillis) {
  /** Those of the reference documents. */
  public static final Thresholds DEFAULT =
      new Thresholds(10, 5, 0.9, 0.05, 50, 100, 1_000, 100, 0.1, 60_000);
}
