// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

/** Where a record lives. The same type and id under another tenant is another record. */
public record RecordKey(String tenant, String type, String id) implements Comparable<RecordKey> {
  /** The longest name, in UTF-16 code units. */
  public static final int NAME_MAX = 256;

  public RecordKey {
    requireName("tenant", tenant);
    requireName("type", type);
    requireName("id", id);
  }

  private static void requireName(String what, String name) {
    String problem = problemWith(name);
    if (problem != null) {
      throw new IllegalArgumentException(what + " " + problem);
    }
  }

  /** Why a text cannot name a tenant, type or record; null where it can. */
  public static @org.jspecify.annotations.Nullable String problemWith(String name) {
    if (name.isEmpty()) {
      return "is empty";
    }
    if (name.length() > NAME_MAX) {
      return "is longer than " + NAME_MAX + " characters";
    }
    if (name.equals(".") || name.equals("..")) {
      return "must not be a dot name";
    }
    for (int i = 0; i < name.length(); ) {
      int c = name.codePointAt(i);
      int kind = Character.getType(c);
      if (kind == Character.CONTROL
          || kind == Character.FORMAT
          || kind == Character.SURROGATE
          || kind == Character.LINE_SEPARATOR
          || kind == Character.PARAGRAPH_SEPARATOR) {
        return "holds an invisible character (U+" + String.format("%04X", c) + ")";
      }
      i += Character.charCount(c);
    }
    return null;
  }

  @Override
  public int compareTo(RecordKey other) {
    int order = tenant.compareTo(other.tenant);
    order = order != 0 ? order : type.compareTo(other.type);
    return order != 0 ? order : id.compareTo(other.id);
  }

  /**
   * The record as text, as in audit entries. No two records have the same: in the tenant and the
   * type {@code /} and {@code %} are percent-encoded.
   */
  @Override
  public String toString() {
    return scope(tenant, type) + "/" + id;
  }

  /** A tenant in the form in which records' texts begin with it. */
  public static String scope(String tenant) {
    return tenant.replace("%", "%25").replace("/", "%2F");
  }

  /** A type in the form in which its records' texts begin with it. */
  public static String scope(String tenant, String type) {
    return scope(tenant) + "/" + scope(type);
  }

  /** The name that {@link #scope(String)} encoded. */
  public static String nameOf(String scope) {
    return scope.replace("%2F", "/").replace("%25", "%");
  }
}
