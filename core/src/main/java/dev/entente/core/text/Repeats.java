// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Arrays;

/**
 * Takes long repetitions out of bytes before they are deflated, whose window is too short to see
 * what was cut here and pasted there. Source: Bentley, McIlroy, <i>Data compression using long
 * common strings</i>, 1999.
 */
final class Repeats {
  /** The shortest repetition that is taken out, in bytes. */
  private static final int LENGTH_MIN = 32;

  private static final int TABLE_BITS = 18;
  private static final int FACTOR = 0x2F0B4C47;

  private Repeats() {}

  /** Splits bytes into what is new, and where that is interrupted by copies from before. */
  static void split(byte[] bytes, Column copies, Column literals) {
    int[] table = new int[1 << TABLE_BITS];
    Arrays.fill(table, -1);
    int power = 1;
    for (int i = 1; i < LENGTH_MIN; i++) {
      power *= FACTOR;
    }
    int written = 0;
    int hash = 0;
    for (int end = 0; end < bytes.length; end++) {
      int start = end - LENGTH_MIN + 1;
      if (start > 0) {
        hash -= bytes[start - 1] * power;
      }
      hash = hash * FACTOR + bytes[end];
      if (start < 0) {
        continue;
      }
      int slot = hash >>> (32 - TABLE_BITS);
      int candidate = table[slot];
      table[slot] = start;
      if (candidate < 0 || start < written || !sameAt(bytes, candidate, start)) {
        continue;
      }
      int back = 0;
      while (candidate - back > 0
          && start - back > written
          && bytes[candidate - back - 1] == bytes[start - back - 1]) {
        back++;
      }
      int length = LENGTH_MIN + back;
      while (start - back + length < bytes.length
          && bytes[candidate - back + length] == bytes[start - back + length]) {
        length++;
      }
      literals.bytes(bytes, written, start - back - written);
      copies.number(start - back - written);
      copies.number(length);
      copies.number(start - candidate);
      written = start - back + length;
    }
    literals.bytes(bytes, written, bytes.length - written);
  }

  private static boolean sameAt(byte[] bytes, int one, int other) {
    return Arrays.equals(bytes, one, one + LENGTH_MIN, bytes, other, other + LENGTH_MIN);
  }

  /** Puts together what {@link #split} took apart. */
  static byte[] join(ColumnReader copies, ColumnReader literals) {
    byte[] bytes = new byte[literals.left()];
    int size = 0;
    while (!copies.atEnd()) {
      int fresh = copies.count(literals.left());
      int length = copies.count(ColumnReader.BYTES_MAX - size - fresh);
      int distance = copies.count(size + fresh);
      int needed = size + fresh + length + literals.left() - fresh;
      if (needed > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.max(needed, Math.min(needed * 2, size + (1 << 20))));
      }
      literals.bytes(bytes, size, fresh);
      size += fresh;
      if (distance == 0) {
        throw new TextFormatException("a copy of what is not there yet");
      }
      for (int i = 0; i < length; i++) {
        bytes[size + i] = bytes[size + i - distance];
      }
      size += length;
    }
    int rest = literals.left();
    byte[] whole = Arrays.copyOf(bytes, size + rest);
    literals.bytes(whole, size, rest);
    return whole;
  }
}
