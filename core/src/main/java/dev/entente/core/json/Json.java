// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A JSON value, immutable and canonical: equal values are equal objects and print as equal bytes.
 * Object members are sorted; numbers have one form ({@code 1.0}, {@code 1e0} and {@code 1} are the
 * same number). {@link JsonAbsent} says that nothing is there; it never stands inside an array or
 * an object.
 *
 * <p>The order among values of different kinds is absent, null, booleans, numbers, strings, arrays,
 * objects.
 */
public sealed interface Json extends Comparable<Json>
    permits JsonAbsent, JsonNull, JsonBool, JsonNumber, JsonString, JsonArray, JsonObject {

  static Json of(@Nullable String value) {
    return value == null ? JsonNull.NULL : new JsonString(value);
  }

  static Json of(boolean value) {
    return value ? JsonBool.TRUE : JsonBool.FALSE;
  }

  static Json of(long value) {
    return JsonNumber.of(value);
  }

  static Json of(BigDecimal value) {
    return new JsonNumber(value);
  }

  /**
   * Takes maps, lists, strings, numbers, booleans and null, nested; the shapes that parsers of JSON
   * and YAML give out.
   *
   * @throws IllegalArgumentException for anything else
   */
  static Json of(@Nullable Object value) {
    return switch (value) {
      case null -> JsonNull.NULL;
      case Json json -> json;
      case String text -> new JsonString(text);
      case Boolean flag -> of(flag.booleanValue());
      case BigDecimal number -> new JsonNumber(number);
      case Integer number -> JsonNumber.of(number);
      case Long number -> JsonNumber.of(number);
      case Number number -> new JsonNumber(new BigDecimal(number.toString()));
      case Map<?, ?> map -> {
        TreeMap<String, Json> members = new TreeMap<>();
        map.forEach((k, v) -> members.put(String.valueOf(k), of((Object) v)));
        yield JsonObject.of(members);
      }
      case Iterable<?> items -> {
        List<Json> list = new ArrayList<>();
        items.forEach(item -> list.add(of((Object) item)));
        yield new JsonArray(list);
      }
      default -> throw new IllegalArgumentException("not a JSON value: " + value.getClass());
    };
  }

  default boolean isAbsent() {
    return this == JsonAbsent.ABSENT;
  }

  /** The rank of the kind in the order of values. */
  default int rank() {
    return switch (this) {
      case JsonAbsent _ -> 0;
      case JsonNull _ -> 1;
      case JsonBool _ -> 2;
      case JsonNumber _ -> 3;
      case JsonString _ -> 4;
      case JsonArray _ -> 5;
      case JsonObject _ -> 6;
    };
  }

  /** A total order, consistent with equals. */
  @Override
  default int compareTo(Json other) {
    return switch (this) {
      case JsonBool(boolean a) when other instanceof JsonBool(boolean b) -> Boolean.compare(a, b);
      case JsonNumber(BigDecimal a) when other instanceof JsonNumber(BigDecimal b) ->
          a.compareTo(b);
      case JsonString(String a) when other instanceof JsonString(String b) -> a.compareTo(b);
      case JsonArray a when other instanceof JsonArray b -> a.compareItems(b);
      case JsonObject a when other instanceof JsonObject b -> a.compareMembers(b);
      default -> Integer.compare(rank(), other.rank());
    };
  }
}
