// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

import java.util.List;

/** A JSON array. */
public record JsonArray(List<Json> items) implements Json {
  public static final JsonArray EMPTY = new JsonArray(List.of());

  public JsonArray {
    items = List.copyOf(items);
  }

  public int size() {
    return items.size();
  }

  int compareItems(JsonArray other) {
    for (int i = 0; i < Math.min(size(), other.size()); i++) {
      int order = items.get(i).compareTo(other.items.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(size(), other.size());
  }

  @Override
  public String toString() {
    return JsonPrinter.print(this);
  }
}
