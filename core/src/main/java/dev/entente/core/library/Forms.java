// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/**
 * The binary form of a JSON value: equal values have equal bytes, and only those bytes are read.
 * See {@code docs/formats}. Format 1: the bytes {@code E N L 1}, then the value: one byte for its
 * kind, then for numbers (in decimal digits) and texts the length and UTF-8, for lists and objects
 * the number of members and these, names in order. Lengths are varints.
 */
final class Forms {
  private static final byte[] MAGIC = {'E', 'N', 'L', 1};
  private static final int DEPTH_MAX = 200;
  private static final int DIGITS_MAX = 1_000;

  private Forms() {}

  static byte[] toBytes(Json value) {
    Buffer out = new Buffer();
    out.writeBytes(MAGIC);
    write(out, value);
    return Arrays.copyOf(out.bytes, out.length);
  }

  /** Bytes that grow at their end. */
  private static final class Buffer {
    private byte[] bytes = new byte[256];
    private int length;

    void write(int octet) {
      writeBytes(new byte[] {(byte) octet});
    }

    void writeBytes(byte[] more) {
      int next = Math.addExact(length, more.length);
      if (next > bytes.length) {
        bytes = Arrays.copyOf(bytes, (int) Math.min(Integer.MAX_VALUE - 8L, 2L * next));
      }
      System.arraycopy(more, 0, bytes, length, more.length);
      length = next;
    }
  }

  private static void write(Buffer out, Json value) {
    switch (value) {
      case JsonNull _ -> out.write(0);
      case JsonBool bool -> out.write(bool.value() ? 2 : 1);
      case JsonNumber number -> text(out, 3, number.toString());
      case JsonString(String text) -> text(out, 4, text);
      case JsonArray(List<Json> items) -> {
        out.write(5);
        varint(out, items.size());
        items.forEach(item -> write(out, item));
      }
      case JsonObject object -> {
        out.write(6);
        varint(out, object.members().size());
        object
            .members()
            .forEach((name, member) -> {
              text(out, 4, name);
              write(out, member);
            });
      }
      case JsonAbsent _ -> throw new IllegalArgumentException("nothing has no form");
    }
  }

  private static void text(Buffer out, int kind, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.write(kind);
    varint(out, utf8.length);
    out.writeBytes(utf8);
  }

  private static void varint(Buffer out, int value) {
    int rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      out.write((rest & 0x7f) | 0x80);
    }
    out.write(rest);
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws IllegalArgumentException where the bytes are anything else; never takes more memory
   *     than a small multiple of their number
   */
  static Json fromBytes(byte[] bytes) {
    if (!Arrays.equals(bytes, 0, Math.min(3, bytes.length), MAGIC, 0, 3)) {
      throw new IllegalArgumentException("not a replica's state");
    }
    if (bytes.length < 4 || bytes[3] != MAGIC[3]) {
      throw new IllegalArgumentException("a format that this release does not read");
    }
    Reader reader = new Reader(ByteBuffer.wrap(bytes, MAGIC.length, bytes.length - MAGIC.length));
    Json value = reader.read(0);
    if (!Arrays.equals(toBytes(value), bytes)) {
      throw new IllegalArgumentException("not in the one form that this value has");
    }
    return value;
  }

  private record Reader(ByteBuffer in) {
    Json read(int depth) {
      if (depth > DEPTH_MAX) {
        throw new IllegalArgumentException("nested more than " + DEPTH_MAX + " deep");
      }
      int kind = octet();
      return switch (kind) {
        case 0 -> JsonNull.NULL;
        case 1 -> Json.of(false);
        case 2 -> Json.of(true);
        case 3 -> number();
        case 4 -> Json.of(text());
        case 5 -> {
          List<Json> items = new ArrayList<>();
          for (int left = count(1); left > 0; left--) {
            items.add(read(depth + 1));
          }
          yield new JsonArray(items);
        }
        case 6 -> {
          TreeMap<String, Json> members = new TreeMap<>();
          for (int left = count(3); left > 0; left--) {
            if (octet() != 4) {
              throw new IllegalArgumentException("a name that is no text");
            }
            members.put(text(), read(depth + 1));
          }
          yield JsonObject.of(members);
        }
        default -> throw new IllegalArgumentException("no kind of value: " + kind);
      };
    }

    private Json number() {
      String digits = text();
      if (digits.length() > DIGITS_MAX) {
        throw new IllegalArgumentException("a number of more than " + DIGITS_MAX + " digits");
      }
      return new JsonNumber(new BigDecimal(digits));
    }

    private String text() {
      int length = count(1);
      ByteBuffer utf8 = in.slice(in.position(), length);
      in.position(in.position() + length);
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
      } catch (CharacterCodingException e) {
        throw new IllegalArgumentException("a text that is not UTF-8", e);
      }
    }

    private int octet() {
      if (!in.hasRemaining()) {
        throw new IllegalArgumentException("it ends too early");
      }
      return in.get();
    }

    /** A number of things that take at least {@code each} bytes. */
    private int count(int each) {
      long value = 0;
      for (int shift = 0; shift < 35; shift += 7) {
        int next = octet();
        value |= (long) (next & 0x7f) << shift;
        if (next >= 0) {
          if (value * each > in.remaining()) {
            throw new IllegalArgumentException("it ends too early");
          }
          return (int) value;
        }
      }
      throw new IllegalArgumentException("a length that is none");
    }
  }
}
