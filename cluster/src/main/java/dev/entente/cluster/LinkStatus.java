// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import java.util.Optional;

/**
 * A link as it is at a moment.
 *
 * @param peer who is there; empty before it has answered
 * @param behind how many positions of the other's log have not been taken, as of its last answer
 * @param behindMillis for how long this node has not had all that the other has; 0 where it has
 * @param roundTripMillis the quickest exchange of late; -1 before the first
 * @param clockOffsetMillis how far the other's clock is ahead of this node's
 * @param clockErrorMillis how far that may be off: half of that round trip
 * @param phi how unlikely the present silence is, as a power of ten
 * @param silentMillis since the last answer; -1 before the first
 * @param applied how many versions came over it since the start
 * @param problem what is wrong; empty where nothing is
 */
public record LinkStatus(
    String url,
    Optional<NodeId> peer,
    LinkState state,
    long behind,
    long behindMillis,
    long roundTripMillis,
    long clockOffsetMillis,
    long clockErrorMillis,
    double phi,
    long silentMillis,
    long applied,
    String problem) {
  /** Whether the other answers. */
  public boolean isUp() {
    return state.isUp();
  }

  /** Whether the clocks are certainly further apart than this. */
  public boolean clockIsBeyond(long toleranceMillis) {
    return Math.abs(clockOffsetMillis) - clockErrorMillis > toleranceMillis;
  }
}
