// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.util.List;

/**
 * A stretch of one node's log, for another: the versions that the other asked for, in the order in
 * which they joined here, which is a causal one.
 *
 * @param from whose log
 * @param after the position behind which the stretch begins
 * @param entries what the other did not have
 * @param upTo the position at which the stretch ends
 * @param complete whether {@code upTo} was the end of the log
 * @param known what the sender has of all nodes, itself included; where complete, the receiver has
 *     all of it once it has taken this
 */
public record Shipment(
    NodeId from,
    long after,
    List<Entry> entries,
    long upTo,
    boolean complete,
    VersionVector known) {
  public Shipment {
    entries = List.copyOf(entries);
    long last = after;
    for (Entry entry : entries) {
      if (entry.position() <= last || entry.position() > upTo) {
        throw new IllegalArgumentException("positions must ascend within the stretch");
      }
      last = entry.position();
    }
    if (upTo < after) {
      throw new IllegalArgumentException("the stretch ends before it begins");
    }
  }

  /** A version as bytes, with its position in the sender's log. The bytes are not to be changed. */
  public record Entry(long position, byte[] version) {}
}
