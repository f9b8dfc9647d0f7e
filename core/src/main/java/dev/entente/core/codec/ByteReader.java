// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.record.RecordKey;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;

/**
 * Reads what {@link ByteWriter} wrote. Damaged bytes are an error, never skipped. Not thread-safe.
 */
public final class ByteReader {
  private final byte[] bytes;
  private int at;

  public ByteReader(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The bytes cannot be what they should be. */
  public static final class DamagedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public DamagedException(String message) {
      super(message);
    }

    DamagedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Reads one value that takes all the bytes.
   *
   * @throws DamagedException where they are anything else, also where a part of the value refuses
   *     what it would be made of
   */
  public static <T> T readAll(byte[] bytes, Function<ByteReader, T> value) {
    ByteReader in = new ByteReader(bytes);
    try {
      T read = value.apply(in);
      in.expectEnd();
      return read;
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new DamagedException("before byte " + in.at + ": " + e.getMessage(), e);
    }
  }

  private void need(long count) {
    if (count < 0 || count > bytes.length - at) {
      throw new DamagedException(
          "the bytes end at " + bytes.length + ", " + count + " more were due at " + at);
    }
  }

  public int u8() {
    need(1);
    return bytes[at++] & 0xFF;
  }

  public long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7F) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw new DamagedException("a number is longer than 64 bits at " + at);
  }

  /** A count of things that each take at least one byte. */
  public int count() {
    long count = varint();
    need(count);
    return (int) count;
  }

  public long zigzag() {
    long value = varint();
    return (value >>> 1) ^ -(value & 1);
  }

  public long u64() {
    need(8);
    long value = 0;
    for (int i = 0; i < 8; i++) {
      value = (value << 8) | (bytes[at++] & 0xFF);
    }
    return value;
  }

  public String text() {
    int length = count();
    String text = new String(bytes, at, length, StandardCharsets.UTF_8);
    at += length;
    return text;
  }

  /** Reads a text that names a tenant, a type or a record. */
  public String name() {
    String name = text();
    String problem = RecordKey.problemWith(name);
    if (problem != null) {
      throw new DamagedException("a name " + problem);
    }
    return name;
  }

  public byte[] raw(int length) {
    need(length);
    at += length;
    return Arrays.copyOfRange(bytes, at - length, at);
  }

  /** All that is left. */
  public byte[] rest() {
    return raw(bytes.length - at);
  }

  public boolean atEnd() {
    return at == bytes.length;
  }

  public void expectEnd() {
    if (!atEnd()) {
      throw new DamagedException((bytes.length - at) + " bytes follow the end at " + at);
    }
  }
}
