// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads an object whose members are all known: one that is missing, of another kind or not known is
 * refused with {@link IllegalArgumentException}. Call {@link #end} last. Not thread-safe.
 */
public final class Members {
  private final JsonObject object;
  private final Set<String> read = new HashSet<>();

  private Members(JsonObject object) {
    this.object = object;
  }

  /** The members of a value, which must be an object. */
  public static Members of(Json json) {
    if (json instanceof JsonObject object) {
      return new Members(object);
    }
    throw new IllegalArgumentException("an object is missing");
  }

  /** A member that need not be there. */
  public Optional<Json> optional(String name) {
    read.add(name);
    Json value = object.get(name);
    return value.isAbsent() ? Optional.empty() : Optional.of(value);
  }

  /** A member, or absent. */
  public Json valueOrAbsent(String name) {
    return optional(name).orElse(JsonAbsent.ABSENT);
  }

  public Json value(String name) {
    return optional(name).orElseThrow(() -> new IllegalArgumentException(name + " is missing"));
  }

  public String text(String name) {
    return text(value(name), name);
  }

  public Optional<String> optionalText(String name) {
    return optional(name).map(value -> text(value, name));
  }

  public long number(String name) {
    return number(value(name), name);
  }

  public List<Json> items(String name) {
    return items(value(name), name);
  }

  /** Refuses members that were not asked for. */
  public void end() {
    for (String name : object.members().keys()) {
      if (!read.contains(name)) {
        throw new IllegalArgumentException("unknown member " + name);
      }
    }
  }

  /** A text; {@code name} says what it is for. */
  public static String text(Json json, String name) {
    if (json instanceof JsonString(String text)) {
      return text;
    }
    throw new IllegalArgumentException(name + " is not a text");
  }

  /** A whole number of 64 bits. */
  public static long number(Json json, String name) {
    if (json instanceof JsonNumber number && number.isLong()) {
      return number.longValue();
    }
    throw new IllegalArgumentException(name + " is not a whole number of 64 bits");
  }

  /** A whole number of 32 bits. */
  public static int smallNumber(Json json, String name) {
    long number = number(json, name);
    if (number == (int) number) {
      return (int) number;
    }
    throw new IllegalArgumentException(name + " is not a whole number of 32 bits");
  }

  /** The items of a list. */
  public static List<Json> items(Json json, String name) {
    if (json instanceof JsonArray(List<Json> items)) {
      return items;
    }
    throw new IllegalArgumentException(name + " is not a list");
  }

  /** The items of a list of so many. */
  public static List<Json> items(Json json, int count, String name) {
    List<Json> items = items(json, name);
    if (items.size() != count) {
      throw new IllegalArgumentException(name + " is not a list of " + count);
    }
    return items;
  }
}
