// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.Deflater;

/** Numbers and texts of one kind on their way to bytes. Not thread-safe. */
final class Column {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** Seven bits a byte, the lowest first. */
  void number(int value) {
    int rest = value;
    while ((rest & ~0x7F) != 0) {
      bytes.write((rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    bytes.write(rest);
  }

  /** Small numbers of either sign in few bits. */
  void signed(int value) {
    number((value << 1) ^ (value >> 31));
  }

  void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(utf8.length);
    bytes.writeBytes(utf8);
  }

  void bytes(byte[] source, int from, int length) {
    bytes.write(source, from, length);
  }

  /** Appends the column to an output, deflated where that makes it smaller. */
  void packInto(Column out) {
    byte[] raw = bytes.toByteArray();
    byte[] packed = deflate(raw);
    boolean smaller = packed.length < raw.length;
    out.number(raw.length);
    out.number(smaller ? packed.length : 0);
    out.bytes.writeBytes(smaller ? packed : raw);
  }

  private static byte[] deflate(byte[] raw) {
    try (Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true)) {
      deflater.setInput(raw);
      deflater.finish();
      byte[] packed = new byte[raw.length + 64];
      int length = deflater.deflate(packed);
      return deflater.finished() ? Arrays.copyOf(packed, length) : raw;
    }
  }

  byte[] toBytes() {
    return bytes.toByteArray();
  }
}
