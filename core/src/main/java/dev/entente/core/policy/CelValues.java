// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import com.google.common.primitives.UnsignedLong;
import dev.cel.common.values.NullValue;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Values as expressions know them, and back. */
public final class CelValues {
  private CelValues() {}

  /**
   * Whole numbers become 64-bit integers where they fit, other numbers doubles; absent becomes
   * null.
   */
  public static @Nullable Object of(Json value) {
    return switch (value) {
      case JsonAbsent _, JsonNull _ -> NullValue.NULL_VALUE;
      case JsonBool bool -> bool.value();
      case JsonNumber number ->
          number.isLong() ? (Object) number.longValue() : (Object) number.value().doubleValue();
      case JsonString text -> text.value();
      case JsonArray array -> array.items().stream().map(CelValues::of).toList();
      case JsonObject object -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        object.members().forEach((name, member) -> map.put(name, of(member)));
        yield map;
      }
    };
  }

  /**
   * What an expression came to, as a text.
   *
   * @throws IllegalArgumentException where it is neither a text, a number nor a boolean
   */
  static String text(Object value) {
    return switch (value) {
      case String text -> text;
      case Double number when Double.isFinite(number) -> number.toString();
      case Long _, UnsignedLong _, Boolean _ -> value.toString();
      case NullValue _ -> throw new IllegalArgumentException("it is null; a text is needed");
      default ->
          throw new IllegalArgumentException(
              "it is neither a text, a number nor a boolean; name a member of it");
    };
  }

  /**
   * What an expression came to, as JSON.
   *
   * @throws IllegalArgumentException where it is nothing that JSON has: a type, a duration, an
   *     infinite number
   */
  static Json json(@Nullable Object value) {
    return switch (value) {
      case null -> JsonNull.NULL;
      case NullValue _ -> JsonNull.NULL;
      case String text -> Json.of(text);
      case Boolean flag -> Json.of(flag.booleanValue());
      case Long number -> Json.of(number.longValue());
      case UnsignedLong number -> Json.of(new BigDecimal(number.bigIntegerValue()));
      case Double number -> Json.of(new BigDecimal(number.toString()));
      case List<?> items -> {
        List<Json> list = new ArrayList<>();
        items.forEach(item -> list.add(json(item)));
        yield new JsonArray(list);
      }
      case Map<?, ?> map -> {
        TreeMap<String, Json> members = new TreeMap<>();
        map.forEach((name, member) -> members.put(String.valueOf(name), json(member)));
        yield JsonObject.of(members);
      }
      default -> throw new IllegalArgumentException("not a JSON value: " + value.getClass());
    };
  }
}
