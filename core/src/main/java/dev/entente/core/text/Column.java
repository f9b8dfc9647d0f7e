// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.Deflater;

/** Numbers and texts of one kind on their way to bytes. Not thread-safe. */
final class Column {
  private byte[] bytes = new byte[64];
  private int size;

  /** Seven bits a byte, the lowest first. */
  void number(int value) {
    int rest = value;
    while ((rest & ~0x7F) != 0) {
      put((rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    put(rest);
  }

  private void put(int one) {
    room(1);
    bytes[size++] = (byte) one;
  }

  private void room(int more) {
    if (size + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(size + more, size * 2));
    }
  }

  /** Small numbers of either sign in few bits. */
  void signed(int value) {
    number((value << 1) ^ (value >> 31));
  }

  void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(utf8.length);
    bytes(utf8, 0, utf8.length);
  }

  void bytes(byte[] source, int from, int length) {
    room(length);
    System.arraycopy(source, from, bytes, size, length);
    size += length;
  }

  /** Appends the column to an output, deflated where that makes it smaller. */
  void packInto(Column out) {
    byte[] raw = toBytes();
    byte[] packed = deflate(raw);
    boolean smaller = packed.length < raw.length;
    out.number(raw.length);
    out.number(smaller ? packed.length : 0);
    out.bytes(smaller ? packed : raw, 0, smaller ? packed.length : raw.length);
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
    return Arrays.copyOf(bytes, size);
  }
}
