// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.json;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * An object with a list whose elements stand each for themselves. The elements are told apart by
 * their brackets alone, then each is read strictly on its own, so that one that is malformed, too
 * deep or too large costs none of the others. The rest of the object is read strictly as a whole.
 */
public final class JsonBatch {
  private final JsonObject rest;
  private final List<Element> elements;

  private JsonBatch(JsonObject rest, List<Element> elements) {
    this.rest = rest;
    this.elements = List.copyOf(elements);
  }

  /** The object, with an empty list. */
  public JsonObject rest() {
    return rest;
  }

  public List<Element> elements() {
    return elements;
  }

  /** One element of the list, as it was sent. */
  public static final class Element {
    private final byte[] utf8;

    private Element(byte[] utf8) {
      this.utf8 = utf8;
    }

    /**
     * Reads the element strictly.
     *
     * @throws JsonProblem where it cannot be read, or is too large in one of the bounded ways
     */
    public Json read() {
      return JsonReader.strict().read(utf8);
    }

    /** A text member of an element that cannot be read as a whole; nothing where it is unclear. */
    public Optional<String> text(String member) {
      Optional<String> found = Optional.empty();
      byte[] quoted = quoted(member);
      Scan scan = new Scan(utf8);
      int at = scan.skipSpace(0);
      if (!scan.is(at, '{')) {
        return found;
      }
      at = scan.skipSpace(at + 1);
      while (scan.is(at, '"')) {
        int end = scan.endOfString(at);
        int value = scan.valueAfter(end);
        if (end < 0 || value < 0) {
          return found;
        }
        int valueEnd = scan.endOfValue(value);
        int last = valueEnd < 0 ? utf8.length : valueEnd;
        if (Arrays.equals(utf8, at, end, quoted, 0, quoted.length)) {
          int quote = scan.is(value, '"') ? scan.endOfString(value) : -1;
          Optional<String> text =
              quote < 0 ? Optional.empty() : text(Arrays.copyOfRange(utf8, value, quote));
          if (found.isPresent() || text.isEmpty()) {
            return Optional.empty();
          }
          found = text;
        }
        at = scan.is(last, ',') ? scan.skipSpace(last + 1) : utf8.length;
      }
      return found;
    }

    private static Optional<String> text(byte[] value) {
      try {
        return JsonReader.strict().read(value) instanceof JsonString(String text)
            ? Optional.of(text)
            : Optional.empty();
      } catch (JsonProblem e) {
        return Optional.empty();
      }
    }

    /** The first characters of what was sent, for a log. */
    public String abbreviated(int charactersMax) {
      int bytes = Math.min(utf8.length, charactersMax);
      String text = new String(utf8, 0, bytes, StandardCharsets.UTF_8);
      return bytes < utf8.length ? text + "…" : text;
    }

    public int bytes() {
      return utf8.length;
    }
  }

  /**
   * Reads an object with a list.
   *
   * @param list the member that holds the list
   * @param elementsMax after how many elements it stops, with one more than that
   * @throws JsonProblem where what surrounds the elements is malformed
   * @throws IllegalArgumentException where it is well formed, but no object with such a list
   */
  public static JsonBatch read(byte[] utf8, String list, int elementsMax) {
    Scan scan = new Scan(utf8);
    int begin = scan.list(quoted(list));
    List<Element> elements = new ArrayList<>();
    int end = begin < 0 ? -1 : scan.elements(begin, elementsMax, elements);
    if (end < 0 && elements.size() <= elementsMax) {
      return whole(utf8, list);
    }
    if (end < 0) {
      return new JsonBatch(JsonObject.EMPTY, elements);
    }
    byte[] rest = new byte[begin + 1 + utf8.length - end];
    System.arraycopy(utf8, 0, rest, 0, begin + 1);
    System.arraycopy(utf8, end, rest, begin + 1, utf8.length - end);
    return JsonReader.strict().read(rest) instanceof JsonObject object
        ? new JsonBatch(object, elements)
        : whole(utf8, list);
  }

  /** Without telling elements apart: there is no such list, or nobody can say where it ends. */
  private static JsonBatch whole(byte[] utf8, String list) {
    if (!(JsonReader.strict().read(utf8) instanceof JsonObject object)) {
      throw new IllegalArgumentException("the body must be a JSON object");
    }
    if (!(object.get(list) instanceof JsonArray(List<Json> items))) {
      throw new IllegalArgumentException("\"" + list + "\" must be an array");
    }
    List<Element> elements =
        items.stream()
            .map(item -> new Element(item.toString().getBytes(StandardCharsets.UTF_8)))
            .toList();
    return new JsonBatch(object.with(list, JsonArray.EMPTY), elements);
  }

  private static byte[] quoted(String member) {
    return ('"' + member + '"').getBytes(StandardCharsets.UTF_8);
  }

  /** Finds where values end, whatever is in them. Not thread-safe. */
  private static final class Scan {
    private final byte[] utf8;

    /** The open brackets around a place in a value; set where one is an object's. */
    private final BitSet objects = new BitSet();

    private int depth;

    /** How many of them are an array's, so that nothing is looked for that is not there. */
    private int arrays;

    Scan(byte[] utf8) {
      this.utf8 = utf8;
    }

    boolean is(int at, char c) {
      return at >= 0 && at < utf8.length && utf8[at] == c;
    }

    int skipSpace(int from) {
      int at = from;
      while (at < utf8.length
          && (utf8[at] == ' ' || utf8[at] == '\n' || utf8[at] == '\r' || utf8[at] == '\t')) {
        at++;
      }
      return at;
    }

    /** Behind the closing quote; negative where there is none. */
    int endOfString(int quote) {
      for (int at = quote + 1; at < utf8.length; at++) {
        if (utf8[at] == '\\') {
          at++;
        } else if (utf8[at] == '"') {
          return at + 1;
        }
      }
      return -1;
    }

    /** Where a member's value begins; negative where none does. */
    int valueAfter(int name) {
      int colon = name < 0 ? -1 : skipSpace(name);
      return is(colon, ':') ? skipSpace(colon + 1) : -1;
    }

    /** Where the list that is this member begins; negative where there is none. */
    int list(byte[] quoted) {
      int at = skipSpace(0);
      if (!is(at, '{')) {
        return -1;
      }
      at = skipSpace(at + 1);
      while (is(at, '"')) {
        int end = endOfString(at);
        int value = valueAfter(end);
        if (value < 0) {
          return -1;
        }
        if (is(value, '[') && Arrays.equals(utf8, at, end, quoted, 0, quoted.length)) {
          return value;
        }
        int next = endOfValue(value);
        at = is(next, ',') ? skipSpace(next + 1) : -1;
      }
      return -1;
    }

    /** The elements of a list; where its closing bracket is, negative where that is unclear. */
    int elements(int begin, int elementsMax, List<Element> into) {
      int at = skipSpace(begin + 1);
      if (is(at, ']')) {
        return at;
      }
      while (into.size() <= elementsMax) {
        int end = endOfValue(at, true);
        if (end < 0) {
          return -1;
        }
        into.add(new Element(Arrays.copyOfRange(utf8, at, end)));
        if (is(end, ']')) {
          return end;
        }
        at = skipSpace(end + 1);
      }
      return -1;
    }

    /** Where a value ends: at the comma or the bracket behind it; negative where none comes. */
    int endOfValue(int from) {
      return endOfValue(from, false);
    }

    private int endOfValue(int from, boolean inList) {
      depth = 0;
      arrays = 0;
      boolean afterComma = false;
      int comma = -1;
      for (int at = from; at < utf8.length; at++) {
        byte c = utf8[at];
        boolean space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        switch (c) {
          case '"' -> {
            int end = endOfString(at);
            if (end < 0) {
              return -1;
            }
            at = end - 1;
          }
          case '{', '[' -> {
            if (c == '{' && afterComma && objects.get(depth - 1)) {
              // Behind a comma in an object stands a name: the element was never closed.
              return comma;
            }
            objects.set(depth++, c == '{');
            arrays += c == '[' ? 1 : 0;
          }
          case '}', ']' -> {
            boolean closesList = c == ']' && (depth == 0 || (arrays == 0 && endsList(at)));
            if (closesList || (depth == 0 && !inList)) {
              return at;
            }
            close(c == '}');
          }
          case ',' -> {
            if (depth == 0) {
              return at;
            }
            comma = at;
          }
          default -> {}
        }
        afterComma = c == ',' || (afterComma && space);
      }
      return -1;
    }

    /** Closes up to the nearest bracket of this kind; one that closes nothing is left alone. */
    private void close(boolean object) {
      boolean found = object ? depth == arrays : arrays == 0;
      while (!found) {
        depth--;
        found = objects.get(depth) == object;
        arrays -= objects.get(depth) ? 0 : 1;
      }
    }

    /** Whether a bracket that closes nothing of the element closes the list around it. */
    private boolean endsList(int at) {
      int next = skipSpace(at + 1);
      return is(next, '}')
          ? skipSpace(next + 1) == utf8.length
          : is(next, ',') && is(skipSpace(next + 1), '"');
    }
  }
}
