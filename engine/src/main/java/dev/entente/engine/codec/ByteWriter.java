// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.codec;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Appends numbers and texts to a growing array of bytes: unsigned LEB128 for lengths and counts,
 * UTF-8 for texts. Not thread-safe.
 */
public final class ByteWriter {
  private byte[] bytes = new byte[128];
  private int size;

  private void room(int more) {
    if (size + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
    }
  }

  public ByteWriter u8(int value) {
    room(1);
    bytes[size++] = (byte) value;
    return this;
  }

  /** An unsigned number; small ones are short. */
  public ByteWriter varint(long value) {
    room(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
    return this;
  }

  /** A signed number; those near zero are short. */
  public ByteWriter zigzag(long value) {
    return varint((value << 1) ^ (value >> 63));
  }

  /** Eight bytes, so that keys order as the numbers do. */
  public ByteWriter u64(long value) {
    room(8);
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes[size++] = (byte) (value >>> shift);
    }
    return this;
  }

  public ByteWriter text(String text) {
    int length = text.length();
    room(length + 5);
    int start = size;
    if (length < 128) {
      int at = size + 1;
      int i = 0;
      for (; i < length && text.charAt(i) < 0x80; i++) {
        bytes[at + i] = (byte) text.charAt(i);
      }
      if (i == length) {
        bytes[start] = (byte) length;
        size = at + length;
        return this;
      }
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return varint(utf8.length).raw(utf8);
  }

  /** The text's UTF-8 bytes and a zero; the text holds no zero itself. */
  ByteWriter ended(String text) {
    int length = text.length();
    room(length + 1);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        return raw(text.substring(i).getBytes(StandardCharsets.UTF_8)).u8(0);
      }
      bytes[size++] = (byte) c;
    }
    return u8(0);
  }

  public ByteWriter raw(byte[] more) {
    room(more.length);
    System.arraycopy(more, 0, bytes, size, more.length);
    size += more.length;
    return this;
  }

  public byte[] toBytes() {
    return Arrays.copyOf(bytes, size);
  }
}
