// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** JSON values as bytes: one tag byte, then the content; members in their sorted order. */
public final class JsonCodec {
  private static final int ABSENT = 0;
  private static final int NULL = 1;
  private static final int FALSE = 2;
  private static final int TRUE = 3;
  private static final int LONG = 4;
  private static final int DECIMAL = 5;
  private static final int STRING = 6;
  private static final int ARRAY = 7;
  private static final int OBJECT = 8;

  /** Documents are nested at most 128 deep; what holds them adds little. */
  private static final int DEPTH_MAX = 400;

  /** A number has at most 709 digits. */
  private static final int DIGITS_BYTES_MAX = 300;

  private static final int SCALE_BOUND = JsonNumber.EXPONENT_MAX + JsonNumber.SCALE_MAX;

  private JsonCodec() {}

  public static void write(ByteWriter out, Json value) {
    switch (value) {
      case JsonAbsent _ -> out.u8(ABSENT);
      case JsonNull _ -> out.u8(NULL);
      case JsonBool bool -> out.u8(bool.value() ? TRUE : FALSE);
      case JsonNumber number when number.isLong() -> out.u8(LONG).zigzag(number.longValue());
      case JsonNumber number -> {
        byte[] digits = number.value().unscaledValue().toByteArray();
        out.u8(DECIMAL).zigzag(number.value().scale()).varint(digits.length).raw(digits);
      }
      case JsonString(String text) -> out.u8(STRING).text(text);
      case JsonArray array -> {
        out.u8(ARRAY).varint(array.size());
        array.items().forEach(item -> write(out, item));
      }
      case JsonObject object -> {
        out.u8(OBJECT).varint(object.members().size());
        object.members().forEach((name, member) -> write(out.text(name), member));
      }
    }
  }

  /**
   * Reads a value.
   *
   * @throws DamagedException where there is none, or one that is nested too deep
   * @throws IllegalArgumentException where a value is out of range or members are out of order
   */
  public static Json read(ByteReader in) {
    return read(in, 0);
  }

  private static Json read(ByteReader in, int depth) {
    if (depth > DEPTH_MAX) {
      throw new DamagedException("a value is nested more than " + DEPTH_MAX + " deep");
    }
    int tag = in.u8();
    return switch (tag) {
      case ABSENT -> JsonAbsent.ABSENT;
      case NULL -> JsonNull.NULL;
      case FALSE -> JsonBool.FALSE;
      case TRUE -> JsonBool.TRUE;
      case LONG -> JsonNumber.of(in.zigzag());
      case DECIMAL -> decimal(in);
      case STRING -> new JsonString(in.text());
      case ARRAY -> {
        int size = in.count();
        List<Json> items = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
          items.add(read(in, depth + 1));
        }
        yield new JsonArray(items);
      }
      case OBJECT -> {
        int size = in.count();
        List<String> names = new ArrayList<>(size);
        List<Json> values = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
          names.add(in.text());
          values.add(read(in, depth + 1));
        }
        yield new JsonObject(SortedArrayMap.ofSorted(names, values));
      }
      default -> throw new DamagedException("no JSON value begins with " + tag);
    };
  }

  private static Json decimal(ByteReader in) {
    long scale = in.zigzag();
    int length = in.count();
    if (scale < -SCALE_BOUND || scale > SCALE_BOUND || length == 0 || length > DIGITS_BYTES_MAX) {
      throw new DamagedException("a number out of range");
    }
    return new JsonNumber(new BigDecimal(new BigInteger(in.raw(length)), (int) scale));
  }

  public static byte[] toBytes(Json value) {
    ByteWriter out = new ByteWriter();
    write(out, value);
    return out.toBytes();
  }

  public static Json fromBytes(byte[] bytes) {
    return ByteReader.readAll(bytes, JsonCodec::read);
  }
}
