// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;

/**
 * A node of the cluster, as somebody told at a time.
 *
 * @param url where the others reach it; empty where they cannot
 * @param stampMillis when this was said, by the clock of who said it; what was said later holds
 * @param departed true once it has left for good
 * @param sinceMillis when it joined, by its clock then
 */
public record Member(
    NodeId node, String url, long stampMillis, boolean departed, long sinceMillis) {
  /** The longest URL that is taken. */
  static final int URL_MAX = 500;

  public Member {
    if (url.length() > URL_MAX) {
      throw new IllegalArgumentException("a member's URL has at most " + URL_MAX + " characters");
    }
  }

  /** Of two tellings about one node, the one that holds: the later; at one time, the departure. */
  Member or(Member other) {
    if (stampMillis != other.stampMillis) {
      return stampMillis > other.stampMillis ? this : other;
    }
    return departed || (!other.departed && url.compareTo(other.url) >= 0) ? this : other;
  }
}
