// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import java.util.Comparator;

/**
 * A policy as somebody put it in force: of two for one type, the later holds on every node, and at
 * one time that of the later node id.
 *
 * @param stamp when it was put, by the node where it was
 */
public record StampedPolicy(
    String tenant, String type, HybridTime stamp, NodeId node, String text) {
  private static final Comparator<StampedPolicy> ORDER =
      Comparator.comparing(StampedPolicy::stamp).thenComparing(StampedPolicy::node);

  /** Whether this one holds, and not the other. */
  boolean isAfter(StampedPolicy other) {
    return ORDER.compare(this, other) > 0;
  }
}
