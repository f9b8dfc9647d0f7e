// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.engine.codec.ByteReader;
import dev.entente.engine.codec.ByteReader.DamagedException;
import dev.entente.engine.codec.ByteWriter;
import dev.entente.server.Problem.Code;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.zip.CRC32;

/** Cursors as opaque texts with a check, so that a made-up one is noticed. */
final class Cursors {
  private static final int LENGTH_MAX = 500;

  private Cursors() {}

  static String of(long position) {
    return of(new ByteWriter().varint(position).toBytes());
  }

  static String of(byte[] bytes) {
    ByteWriter out = new ByteWriter().u8(crc(bytes)).u8(crc(bytes) >>> 8).raw(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(out.toBytes());
  }

  static byte[] bytes(String cursor) {
    try {
      if (cursor.length() <= LENGTH_MAX) {
        byte[] all = Base64.getUrlDecoder().decode(cursor);
        ByteReader in = new ByteReader(all);
        int check = in.u8() | in.u8() << 8;
        byte[] bytes = in.raw(all.length - 2);
        if (check == (crc(bytes) & 0xFFFF)) {
          return bytes;
        }
      }
    } catch (IllegalArgumentException | DamagedException e) {
      throw new Problem(Code.MALFORMED, "the cursor is not one that was given out");
    }
    throw new Problem(Code.MALFORMED, "the cursor is not one that was given out");
  }

  static long position(String cursor) {
    try {
      ByteReader in = new ByteReader(bytes(cursor));
      long position = in.varint();
      in.expectEnd();
      return position;
    } catch (DamagedException e) {
      throw new Problem(Code.MALFORMED, "the cursor is not one that was given out");
    }
  }

  static String of(String name) {
    return of(name.getBytes(StandardCharsets.UTF_8));
  }

  static String name(String cursor) {
    return new String(bytes(cursor), StandardCharsets.UTF_8);
  }

  private static int crc(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
