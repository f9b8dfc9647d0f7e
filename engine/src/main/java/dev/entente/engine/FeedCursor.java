// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;

/**
 * Where a reader of the changes feed goes on. It names the log it was read from (node and
 * incarnation) with the position in it, and what the reader has seen of every node, so that another
 * node can go on too. Immutable.
 *
 * @param node whose log the position is in
 * @param position everything in that log up to here was read
 * @param seen the versions that were read; a lower bound where more than {@link #DOTS_MAX} of them
 *     lie out of order
 * @param gap up to which position the log lacked old versions when the reader began; it was told so
 */
public record FeedCursor(NodeId node, long position, CausalContext seen, long gap) {
  /** How many versions that arrived out of order a cursor names one by one. */
  static final int DOTS_MAX = 64;

  private static final int FORMAT = 1;

  /** The cursor as bytes: a format number, then its components. */
  public byte[] toBytes() {
    ByteWriter out = new ByteWriter().u8(FORMAT).text(node.value()).varint(position).varint(gap);
    CausalCodec.write(out, seen);
    return out.toBytes();
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws DamagedException where these bytes are no cursor, or one of a format that is not known
   */
  public static FeedCursor fromBytes(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    if (in.u8() != FORMAT) {
      throw new DamagedException("not a cursor of the changes feed");
    }
    NodeId node = new NodeId(in.text());
    long position = in.varint();
    long gap = in.varint();
    CausalContext seen = CausalCodec.readContext(in);
    in.expectEnd();
    return new FeedCursor(node, position, seen, gap);
  }
}
