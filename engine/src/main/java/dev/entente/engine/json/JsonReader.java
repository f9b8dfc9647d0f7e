// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.json;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;

/**
 * Reads JSON text, bounded in depth, lengths and magnitudes. <b>Strict</b> is for what arrives over
 * the network: UTF-8 and nothing but RFC 8259, no byte-order mark, no duplicate member.
 * <b>Lenient</b> is for files that people have: a byte-order mark is skipped, and of duplicate
 * members the last one counts, as in every browser; each is reported. Thread-safe.
 */
public final class JsonReader {
  /** The nesting of a document; what wraps documents may add {@link #ENVELOPE_DEPTH}. */
  public static final int DEPTH_MAX = 128;

  private static final int ENVELOPE_DEPTH = 8;
  public static final int NAME_MAX = 50_000;
  public static final int STRING_MAX = 4_000_000;
  public static final int NUMBER_MAX = 1_000;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEPTH_MAX + ENVELOPE_DEPTH)
                  .maxNameLength(NAME_MAX)
                  .maxStringLength(STRING_MAX)
                  .maxNumberLength(NUMBER_MAX)
                  .build())
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .disable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
          .build();

  private static final char REPLACEMENT = '\uFFFD';

  private final @Nullable Consumer<String> duplicates;

  private JsonReader(@Nullable Consumer<String> duplicates) {
    this.duplicates = duplicates;
  }

  public static JsonReader strict() {
    return new JsonReader(null);
  }

  /** Lenient; the consumer is told the name of each duplicate member. */
  public static JsonReader lenient(Consumer<String> duplicates) {
    return new JsonReader(duplicates);
  }

  /**
   * Reads exactly one value.
   *
   * @throws JsonProblem where the bytes are no JSON, or too large in one of the bounded ways
   */
  public Json read(byte[] utf8) {
    String text = new String(utf8, StandardCharsets.UTF_8);
    if (text.indexOf(REPLACEMENT) >= 0) {
      // It was sent, or stands for bytes that are not UTF-8.
      requireUtf8(utf8);
    }
    return read(text);
  }

  private static void requireUtf8(byte[] bytes) {
    try {
      CharBuffer _ = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
    } catch (CharacterCodingException e) {
      throw new JsonProblem(false, "the text is not valid UTF-8");
    }
  }

  /** Reads exactly one value; see {@link #read(byte[])}. */
  public Json read(String text) {
    if (text.startsWith("\uFEFF")) {
      if (duplicates == null) {
        throw new JsonProblem(false, "the text begins with a byte-order mark");
      }
      text = text.substring(1);
    }
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
      if (parser.nextToken() == null) {
        throw new JsonProblem(false, "there is no JSON value");
      }
      Json value = value(parser);
      if (parser.nextToken() != null) {
        throw new JsonProblem(false, "text follows the JSON value at " + where(parser));
      }
      return value;
    } catch (StreamConstraintsException e) {
      boolean number = String.valueOf(e.getOriginalMessage()).contains("Number");
      throw new JsonProblem(!number, plain(e.getOriginalMessage()));
    } catch (StreamReadException e) {
      throw new JsonProblem(
          false,
          plain(e.getOriginalMessage())
              + (e.getLocation() == null
                  ? ""
                  : " at line "
                      + e.getLocation().getLineNr()
                      + ", column "
                      + e.getLocation().getColumnNr()));
    }
  }

  /**
   * Gives the document back if it is not nested too deeply.
   *
   * @throws JsonProblem where it is
   */
  public static Json document(Json document) {
    if (isDeeper(document, DEPTH_MAX)) {
      throw new JsonProblem(true, "a document is nested at most " + DEPTH_MAX + " deep");
    }
    return document;
  }

  private static boolean isDeeper(Json value, int levels) {
    return switch (value) {
      case JsonArray array ->
          levels == 0 || array.items().stream().anyMatch(item -> isDeeper(item, levels - 1));
      case JsonObject object ->
          levels == 0
              || object.members().values().stream()
                  .anyMatch(member -> isDeeper(member, levels - 1));
      default -> false;
    };
  }

  private Json value(JsonParser parser) {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> array(parser);
      case VALUE_STRING -> new JsonString(wellFormed(parser.getString(), parser));
      case VALUE_NUMBER_INT -> {
        JsonParser.NumberType type = parser.getNumberType();
        yield type == JsonParser.NumberType.INT || type == JsonParser.NumberType.LONG
            ? JsonNumber.of(parser.getLongValue())
            : number(parser);
      }
      case VALUE_NUMBER_FLOAT -> number(parser);
      case VALUE_TRUE -> Json.of(true);
      case VALUE_FALSE -> Json.of(false);
      case VALUE_NULL -> JsonNull.NULL;
      default ->
          throw new JsonProblem(
              false, "unexpected " + parser.currentToken() + " at " + where(parser));
    };
  }

  private Json object(JsonParser parser) {
    List<String> names = new ArrayList<>();
    List<Json> values = new ArrayList<>();
    boolean ascending = true;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = wellFormed(parser.currentName(), parser);
      parser.nextToken();
      ascending = ascending && (names.isEmpty() || names.getLast().compareTo(name) < 0);
      names.add(name);
      values.add(value(parser));
    }
    if (ascending) {
      return names.isEmpty()
          ? JsonObject.EMPTY
          : new JsonObject(SortedArrayMap.ofSorted(names, values));
    }
    Map<String, Json> members = HashMap.newHashMap(names.size());
    for (int i = 0; i < names.size(); i++) {
      if (members.put(names.get(i), values.get(i)) != null) {
        if (duplicates == null) {
          throw new JsonProblem(
              false, "the member \"" + abbreviated(names.get(i)) + "\" stands twice in one object");
        }
        duplicates.accept(names.get(i));
      }
    }
    return JsonObject.of(members);
  }

  private Json array(JsonParser parser) {
    List<Json> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value(parser));
    }
    return new JsonArray(items);
  }

  private static Json number(JsonParser parser) {
    String text = parser.getString();
    int exponent = Math.max(text.indexOf('e'), text.indexOf('E'));
    if (exponent >= 0 && text.length() - exponent > 6) {
      throw new JsonProblem(false, "the number at " + where(parser) + " is out of range");
    }
    try {
      return new JsonNumber(new BigDecimal(text));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new JsonProblem(false, "the number at " + where(parser) + " is out of range");
    }
  }

  private static String wellFormed(String text, JsonParser parser) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        if (Character.isHighSurrogate(c)
            && i + 1 < text.length()
            && Character.isLowSurrogate(text.charAt(i + 1))) {
          i++;
        } else {
          throw new JsonProblem(false, "a lone surrogate in the string at " + where(parser));
        }
      }
    }
    return text;
  }

  private static String where(JsonParser parser) {
    var location = parser.currentTokenLocation();
    return "line " + location.getLineNr() + ", column " + location.getColumnNr();
  }

  private static String abbreviated(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "…";
  }

  private static String plain(@Nullable String message) {
    return message == null
        ? "not JSON"
        : abbreviatedLine(message.lines().findFirst().orElse("not JSON"));
  }

  private static String abbreviatedLine(String line) {
    return line.length() <= 200 ? line : line.substring(0, 200) + "…";
  }
}
