// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.json.Path;

/**
 * What one register covers: a field (nested ones by path), a group of fields, or, at the empty
 * path, the record itself.
 */
public record Unit(Kind kind, Path path) implements Comparable<Unit> {
  /** The unit whose register says whether the record exists. */
  public static final Unit ALIVE = field(Path.ROOT);

  /** The kinds of units. */
  public enum Kind {
    FIELD,
    GROUP
  }

  public static Unit field(Path path) {
    return new Unit(Kind.FIELD, path);
  }

  public static Unit group(String name) {
    return new Unit(Kind.GROUP, Path.of(name));
  }

  public boolean isGroup() {
    return kind == Kind.GROUP;
  }

  /** Its name as users see it: the path, the group's name, or {@code alive}. */
  public String label() {
    return path.isRoot() ? "alive" : path.toString();
  }

  @Override
  public int compareTo(Unit other) {
    int order = kind.compareTo(other.kind);
    return order != 0 ? order : path.compareTo(other.path);
  }

  @Override
  public String toString() {
    return isGroup() ? "group " + path : label();
  }
}
