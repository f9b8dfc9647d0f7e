// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a value stands in a document: the names of the members that lead to it. The empty path is
 * the document itself. Written as a JSON pointer (RFC 6901) without its leading slash: {@code
 * address/city}; {@code ~1} stands for a slash in a name, {@code ~0} for a tilde.
 */
public record Path(List<String> names) implements Comparable<Path> {
  public static final Path ROOT = new Path(List.of());

  public Path {
    names = List.copyOf(names);
  }

  public static Path of(String... names) {
    return new Path(List.of(names));
  }

  /** Parses a pointer, with or without its leading slash. The empty text and "/" are the root. */
  public static Path parse(String pointer) {
    String rest = pointer.startsWith("/") ? pointer.substring(1) : pointer;
    if (rest.isEmpty()) {
      return ROOT;
    }
    return new Path(
        List.of(rest.split("/", -1)).stream()
            .map(name -> name.replace("~1", "/").replace("~0", "~"))
            .toList());
  }

  public boolean isRoot() {
    return names.isEmpty();
  }

  public int depth() {
    return names.size();
  }

  public Path child(String name) {
    String[] longer = names.toArray(new String[names.size() + 1]);
    longer[names.size()] = name;
    return new Path(List.of(longer));
  }

  /** The path without its last name. The root has none: an IndexOutOfBoundsException. */
  public Path parent() {
    return new Path(names.subList(0, names.size() - 1));
  }

  public String last() {
    return names.getLast();
  }

  /** True for this path itself and everything below it. */
  public boolean contains(Path other) {
    return other.names.size() >= names.size()
        && (names.isEmpty() || other.names.subList(0, names.size()).equals(names));
  }

  /** The value at this path, or absent. */
  public Json in(Json document) {
    Json here = document;
    for (String name : names) {
      here = here instanceof JsonObject object ? object.get(name) : JsonAbsent.ABSENT;
    }
    return here;
  }

  /**
   * The document with the value at this path set (objects on the way are made), or removed where it
   * is absent.
   */
  public Json set(Json document, Json value) {
    return set(document, 0, value);
  }

  private Json set(Json here, int index, Json value) {
    if (index == names.size()) {
      return value;
    }
    JsonObject object = here instanceof JsonObject existing ? existing : JsonObject.EMPTY;
    if (value.isAbsent() && object.get(names.get(index)).isAbsent()) {
      return here;
    }
    return object.with(names.get(index), set(object.get(names.get(index)), index + 1, value));
  }

  /** As that of the list, without its iterator: states compare many paths. */
  @Override
  public boolean equals(@Nullable Object o) {
    if (!(o instanceof Path other) || names.size() != other.names.size()) {
      return false;
    }
    for (int i = names.size() - 1; i >= 0; i--) {
      if (!names.get(i).equals(other.names.get(i))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    return names.hashCode();
  }

  @Override
  public int compareTo(Path other) {
    for (int i = 0; i < Math.min(names.size(), other.names.size()); i++) {
      int order = names.get(i).compareTo(other.names.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(names.size(), other.names.size());
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (String name : names) {
      text.append(text.isEmpty() ? "" : "/").append(name.replace("~", "~0").replace("/", "~1"));
    }
    return text.toString();
  }
}
