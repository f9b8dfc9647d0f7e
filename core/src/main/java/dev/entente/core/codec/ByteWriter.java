// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Appends numbers and texts to a growing array of bytes: unsigned LEB128 for lengths and counts,
 * UTF-8 for texts. Not thread-safe.
 */
public final class ByteWriter {
  private byte[] bytes;
  private int size;

  public ByteWriter() {
    this(256);
  }

  /** A writer that has room for so many bytes without growing. */
  public ByteWriter(int capacity) {
    bytes = new byte[capacity];
  }

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
    byte[] into = bytes;
    int at = size;
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      into[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    into[at++] = (byte) rest;
    size = at;
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
      byte[] into = bytes;
      int at = size + 1;
      int i = 0;
      for (; i < length && text.charAt(i) < 0x80; i++) {
        into[at + i] = (byte) text.charAt(i);
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
  public ByteWriter ended(String text) {
    int length = text.length();
    room(length + 1);
    byte[] into = bytes;
    int at = size;
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        size = at;
        return raw(text.substring(i).getBytes(StandardCharsets.UTF_8)).u8(0);
      }
      into[at++] = (byte) c;
    }
    into[at++] = 0;
    size = at;
    return this;
  }

  public ByteWriter raw(byte[] more) {
    room(more.length);
    System.arraycopy(more, 0, bytes, size, more.length);
    size += more.length;
    return this;
  }

  public byte[] toBytes() {
    // A full array is given away as it is: to write on, this takes a longer one first.
    return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
  }
}
