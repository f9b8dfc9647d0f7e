// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A JSON file as somebody laid it out: the value, and beside it the order of members, the way
 * numbers are written and the indentation, so that a merged file differs from theirs only where
 * something changed.
 */
record JsonFile(
    Json value, Shape shape, String indent, boolean mark, String lineEnd, boolean endsWithLine) {
  private static final Pattern INDENT = Pattern.compile("\\A\\uFEFF?\\s*[\\[{]\\r?\\n([ \\t]+)");

  /** How a value was written: members in their order, items, or the text of a number. */
  record Shape(Map<String, Shape> members, List<Shape> items, @Nullable String number) {
    static final Shape NONE = new Shape(Map.of(), List.of(), null);

    Shape member(String name) {
      return members.getOrDefault(name, NONE);
    }

    Shape item(int index) {
      return index < items.size() ? items.get(index) : NONE;
    }
  }

  /**
   * Reads a file leniently, warning of duplicate members.
   *
   * @throws IllegalArgumentException where it is no JSON
   */
  static JsonFile read(Path file, PrintWriter warnings) throws IOException {
    String text;
    try {
      text = Files.readString(file);
    } catch (MalformedInputException e) {
      throw new IllegalArgumentException(file + ": the text is not valid UTF-8", e);
    }
    if (text.isBlank()) {
      return new JsonFile(JsonObject.EMPTY, Shape.NONE, "  ", false, "\n", true);
    }
    try {
      Json value =
          JsonReader.lenient(name ->
                  warnings.println(
                      file + ": the member \"" + name + "\" stands twice; the last one counts"))
              .read(text);
      Matcher indent = INDENT.matcher(text);
      return new JsonFile(
          value,
          shape(text),
          indent.find() ? indent.group(1) : text.strip().contains("\n") ? "" : "compact",
          text.startsWith("\uFEFF"),
          text.contains("\r\n") ? "\r\n" : "\n",
          text.endsWith("\n"));
    } catch (JsonProblem e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  private static Shape shape(String text) {
    try (JsonParser parser =
        new JsonFactory()
            .createParser(
                ObjectReadContext.empty(), text.startsWith("\uFEFF") ? text.substring(1) : text)) {
      parser.nextToken();
      return shape(parser);
    }
  }

  private static Shape shape(JsonParser parser) {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, Shape> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          members.put(name, shape(parser));
        }
        yield new Shape(members, List.of(), null);
      }
      case START_ARRAY -> {
        List<Shape> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          items.add(shape(parser));
        }
        yield new Shape(Map.of(), items, null);
      }
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT ->
          new Shape(Map.of(), List.of(), parser.getString());
      default -> Shape.NONE;
    };
  }

  /** A value in this file's layout; what this file does not have is laid out as in the others. */
  String layOut(Json merged, JsonFile right, JsonFile base) {
    StringBuilder out = new StringBuilder(mark ? "\uFEFF" : "");
    write(merged, List.of(shape, right.shape, base.shape), 0, out);
    String text = out.append(endsWithLine ? "\n" : "").toString();
    return lineEnd.equals("\n") ? text : text.replace("\n", lineEnd);
  }

  private void write(Json json, List<Shape> shapes, int depth, StringBuilder out) {
    switch (json) {
      case JsonObject object when !object.isEmpty() -> {
        out.append('{');
        boolean first = true;
        for (String name : order(object, shapes)) {
          separate(first, depth + 1, out);
          JsonPrinter.quote(name, out);
          out.append(compact() ? ":" : ": ");
          write(
              object.get(name), shapes.stream().map(s -> s.member(name)).toList(), depth + 1, out);
          first = false;
        }
        close('}', depth, out);
      }
      case JsonArray array when array.size() > 0 -> {
        out.append('[');
        for (int i = 0; i < array.size(); i++) {
          int index = i;
          separate(i == 0, depth + 1, out);
          write(
              array.items().get(i),
              shapes.stream().map(s -> s.item(index)).toList(),
              depth + 1,
              out);
        }
        close(']', depth, out);
      }
      case JsonNumber number -> out.append(written(number, shapes));
      default -> JsonPrinter.print(json, out);
    }
  }

  private static String written(JsonNumber number, List<Shape> shapes) {
    for (Shape shape : shapes) {
      String text = shape.number();
      if (text != null && new java.math.BigDecimal(text).compareTo(number.value()) == 0) {
        return text;
      }
    }
    return number.toString();
  }

  /**
   * This file's members in their order; each further one after what it stood after in the other
   * files.
   */
  private static List<String> order(JsonObject object, List<Shape> shapes) {
    List<String> order = new ArrayList<>();
    for (Shape shape : shapes) {
      int at = 0;
      for (String name : shape.members().keySet()) {
        if (object.get(name).isAbsent()) {
          continue;
        }
        int known = order.indexOf(name);
        if (known < 0) {
          order.add(at, name);
          known = at;
        }
        at = known + 1;
      }
    }
    Set<String> all = new LinkedHashSet<>(order);
    all.addAll(object.members().keys());
    return List.copyOf(all);
  }

  private boolean compact() {
    return indent.equals("compact");
  }

  private void separate(boolean first, int depth, StringBuilder out) {
    out.append(first ? "" : ",");
    if (!compact()) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void close(char bracket, int depth, StringBuilder out) {
    if (!compact()) {
      out.append('\n').append(indent.repeat(depth));
    }
    out.append(bracket);
  }
}
