// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;

/** What a node tells others of one of its links. */
public record LinkReport(
    NodeId peer, LinkState state, long behindMillis, long roundTripMillis, long clockOffsetMillis) {
  /** Whether the other answers. */
  public boolean isUp() {
    return state.isUp();
  }
}
