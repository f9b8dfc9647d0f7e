// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

/** How long values are as text, roughly and without printing them. */
public final class JsonSize {
  private JsonSize() {}

  /** The number of characters, give or take escapes and the digits of numbers. */
  public static long of(Json value) {
    return switch (value) {
      case JsonAbsent _, JsonNull _, JsonBool _ -> 4;
      case JsonNumber number -> number.value().precision();
      case JsonString(String text) -> 2L + text.length();
      case JsonArray array -> {
        long sum = 2;
        for (Json item : array.items()) {
          sum += 1 + of(item);
        }
        yield sum;
      }
      case JsonObject object -> {
        long sum = 2;
        for (int i = 0; i < object.members().size(); i++) {
          sum += 4L + object.members().key(i).length() + of(object.members().value(i));
        }
        yield sum;
      }
    };
  }
}
