// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.server.Problem.Code;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * The cursors of one list, opaque to clients. A cursor names the list it is of, and the node and
 * incarnation where places in the list differ from node to node; so one that is used elsewhere is
 * refused instead of skipping or repeating entries. A checksum tells a made-up cursor.
 *
 * <p>Layout: CRC-32 of what follows these eight bytes, CRC-32 of the list's name and the path's
 * parameters; then a format number, the node's id (empty where any node goes on), and the place.
 */
final class Cursors {
  private static final int FORMAT = 2;
  private static final int LENGTH_MAX = 8_000;

  private final Call call;
  private final int list;
  private final String node;

  private Cursors(Call call, String list, String node) {
    this.call = call;
    this.list = crc((list + new TreeMap<>(call.params())).getBytes(StandardCharsets.UTF_8));
    this.node = node;
  }

  /** Cursors of a list whose places are the same at every node. */
  static Cursors of(Call call, String list) {
    return new Cursors(call, list, "");
  }

  /** Cursors of a list whose places only this node knows, under this incarnation. */
  static Cursors of(Call call, String list, NodeId node) {
    return new Cursors(call, list, node.value());
  }

  /** The cursor that goes on behind a place. */
  String next(byte[] place) {
    byte[] body = new ByteWriter().u8(FORMAT).text(node).raw(place).toBytes();
    long sums = ((long) crc(body) << 32) | (list & 0xFFFF_FFFFL);
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(new ByteWriter().u64(sums).raw(body).toBytes());
  }

  /** The cursor that goes on behind a name. */
  String next(String name) {
    return next(name.getBytes(StandardCharsets.UTF_8));
  }

  /** The cursor that goes on behind a position. */
  String next(long position) {
    return next(new ByteWriter().varint(position).toBytes());
  }

  /** The place that the query's {@code cursor} goes on behind; empty where the list begins. */
  Optional<byte[]> place() {
    return call.query("cursor").map(this::place);
  }

  /** {@link #place} of a list that goes by names. */
  Optional<String> name() {
    return place().map(place -> new String(place, StandardCharsets.UTF_8));
  }

  /** {@link #place} of a list that goes by positions. */
  Optional<Long> position() {
    return place()
        .map(place -> {
          try {
            ByteReader in = new ByteReader(place);
            long position = in.varint();
            in.expectEnd();
            return position;
          } catch (DamagedException e) {
            throw forged();
          }
        });
  }

  /** The place that a cursor of this list goes on behind. */
  byte[] place(String cursor) {
    if (cursor.length() > LENGTH_MAX) {
      throw forged();
    }
    try {
      ByteReader in = new ByteReader(Base64.getUrlDecoder().decode(cursor));
      long sums = in.u64();
      byte[] body = in.rest();
      if ((int) (sums >>> 32) != crc(body)) {
        throw forged();
      }
      if ((int) sums != list) {
        throw new Problem(
            Code.MALFORMED, "the cursor is of another list; send it where it was given out");
      }
      return placeIn(new ByteReader(body));
    } catch (IllegalArgumentException | DamagedException e) {
      throw forged();
    }
  }

  private byte[] placeIn(ByteReader body) {
    if (body.u8() != FORMAT) {
      throw new Problem(
          Code.GONE, "the cursor is of another release; read the list from its beginning");
    }
    String from = body.text();
    if (!from.equals(node)) {
      throw new Problem(
          Code.GONE,
          "the cursor was given out by "
              + (from.isEmpty() ? "another node" : new NodeId(from).value())
              + ", and this list is ordered differently at each node; ask that node, or read the"
              + " list from its beginning");
    }
    return body.rest();
  }

  private static Problem forged() {
    return new Problem(Code.MALFORMED, "the cursor is not one that was given out");
  }

  private static int crc(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
