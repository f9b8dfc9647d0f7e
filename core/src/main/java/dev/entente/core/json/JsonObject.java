// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

import dev.entente.core.SortedArrayMap;
import java.util.Map;
import java.util.Optional;

/** A JSON object with its members sorted by name (UTF-16 code units, as in RFC 8785). */
public record JsonObject(SortedArrayMap<String, Json> members) implements Json {
  public static final JsonObject EMPTY = new JsonObject(SortedArrayMap.empty());

  public static JsonObject of(Map<String, Json> members) {
    return new JsonObject(SortedArrayMap.copyOf(members));
  }

  public static JsonObject of(String name, Json value) {
    return new JsonObject(SortedArrayMap.of(name, value));
  }

  /** The member's value, or absent. */
  public Json get(String name) {
    return members.getOrDefault(name, JsonAbsent.ABSENT);
  }

  /** The member's text; empty where there is no such member, or it is no text. */
  public Optional<String> text(String name) {
    return get(name) instanceof JsonString(String text) ? Optional.of(text) : Optional.empty();
  }

  public boolean isEmpty() {
    return members.isEmpty();
  }

  /** This object with one member set, or removed where the value is absent. */
  public JsonObject with(String name, Json value) {
    return new JsonObject(value.isAbsent() ? members.without(name) : members.with(name, value));
  }

  /** This object with all members of another over its own. */
  public JsonObject overlaid(JsonObject over) {
    if (isEmpty()) {
      return over;
    }
    return new JsonObject(
        members.merge(over.members, (mine, theirs) -> theirs == null ? mine : theirs));
  }

  int compareMembers(JsonObject other) {
    for (int i = 0; i < Math.min(members.size(), other.members.size()); i++) {
      int order = members.key(i).compareTo(other.members.key(i));
      order = order != 0 ? order : members.value(i).compareTo(other.members.value(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(members.size(), other.members.size());
  }

  @Override
  public String toString() {
    return JsonPrinter.print(this);
  }
}
