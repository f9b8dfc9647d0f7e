// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

/**
 * Prints values in one canonical form: no white space, members sorted, numbers plain, and only what
 * JSON demands escaped. Absent prints as {@code null}.
 */
public final class JsonPrinter {
  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private JsonPrinter() {}

  public static String print(Json value) {
    StringBuilder out = new StringBuilder();
    print(value, out);
    return out.toString();
  }

  public static void print(Json value, StringBuilder out) {
    switch (value) {
      case JsonAbsent _, JsonNull _ -> out.append("null");
      case JsonBool bool -> out.append(bool.value());
      case JsonNumber number -> out.append(number);
      case JsonString(String text) -> quote(text, out);
      case JsonArray array -> {
        char separator = '[';
        for (Json item : array.items()) {
          print(item, out.append(separator));
          separator = ',';
        }
        out.append(separator == '[' ? "[]" : "]");
      }
      case JsonObject object -> {
        char separator = '{';
        for (int i = 0; i < object.members().size(); i++) {
          quote(object.members().key(i), out.append(separator));
          print(object.members().value(i), out.append(':'));
          separator = ',';
        }
        out.append(separator == '{' ? "{}" : "}");
      }
    }
  }

  /** Appends the text as a JSON string. */
  public static void quote(String text, StringBuilder out) {
    out.append('"');
    int done = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c != '"' && c != '\\') {
        continue;
      }
      out.append(text, done, i);
      done = i + 1;
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> out.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
      }
    }
    out.append(text, done, text.length()).append('"');
  }
}
