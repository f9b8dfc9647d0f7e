// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Reads what {@link Column} wrote, or throws {@link TextFormatException}: nothing in the bytes is
 * believed, and nothing is made larger than {@link #BYTES_MAX}. Not thread-safe.
 */
final class ColumnReader {
  /** The most bytes that a column may unfold to. */
  static final int BYTES_MAX = 1 << 26;

  private final byte[] bytes;
  private final int end;
  private int at;

  ColumnReader(byte[] bytes, int from, int end) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  boolean atEnd() {
    return at == end;
  }

  int left() {
    return end - at;
  }

  int number() {
    int value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (at >= end) {
        throw new TextFormatException("a history that ends too early");
      }
      int next = bytes[at++];
      value |= (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new TextFormatException("a number that is too long");
  }

  int count(int max) {
    int count = number();
    if (count < 0 || count > max) {
      throw new TextFormatException("a count of " + count + ", at most " + max + " is possible");
    }
    return count;
  }

  int signed() {
    int value = number();
    return (value >>> 1) ^ -(value & 1);
  }

  String text() {
    int length = count(left());
    at += length;
    return decoded(bytes, at - length, length);
  }

  /** Takes bytes into an array. */
  void bytes(byte[] into, int from, int length) {
    if (length > left()) {
      throw new TextFormatException("a history that ends too early");
    }
    System.arraycopy(bytes, at, into, from, length);
    at += length;
  }

  /** A column inside this one. */
  ColumnReader column() {
    int raw = count(BYTES_MAX);
    int packed = count(left());
    if (packed > 0) {
      at += packed;
      return new ColumnReader(inflate(at - packed, packed, raw), 0, raw);
    }
    if (raw > left()) {
      throw new TextFormatException("a history that ends too early");
    }
    at += raw;
    return new ColumnReader(bytes, at - raw, at);
  }

  private byte[] inflate(int from, int packed, int raw) {
    byte[] unfolded = new byte[Math.min(raw, 1 << 16)];
    int length = 0;
    try (Inflater inflater = new Inflater(true)) {
      inflater.setInput(bytes, from, packed);
      while (length < raw) {
        if (length == unfolded.length) {
          unfolded = Arrays.copyOf(unfolded, Math.min(raw, length * 2));
        }
        int read = inflater.inflate(unfolded, length, unfolded.length - length);
        if (read == 0) {
          throw new TextFormatException("a column that ends too early");
        }
        length += read;
      }
    } catch (DataFormatException e) {
      throw new TextFormatException("a damaged column");
    }
    return unfolded;
  }

  static String decoded(byte[] bytes, int from, int length) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, from, length))
          .toString();
    } catch (CharacterCodingException e) {
      throw new TextFormatException("a text that is not UTF-8");
    }
  }
}
