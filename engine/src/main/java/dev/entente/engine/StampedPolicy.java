// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
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

  /** Appends it to bytes. */
  public void write(ByteWriter out) {
    out.text(tenant).text(type).varint(stamp.packed()).text(node.value()).text(text);
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws DamagedException where the bytes are no policy
   */
  public static StampedPolicy read(ByteReader in) {
    String tenant = in.name();
    String type = in.name();
    long stamp = in.varint();
    if (stamp < 0) {
      throw new DamagedException("a stamp is too large");
    }
    return new StampedPolicy(tenant, type, new HybridTime(stamp), new NodeId(in.text()), in.text());
  }

  /** Whether this one holds, and not the other. */
  boolean isAfter(StampedPolicy other) {
    return ORDER.compare(this, other) > 0;
  }
}
