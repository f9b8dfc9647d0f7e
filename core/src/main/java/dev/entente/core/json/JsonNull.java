// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

/** JSON's null: a value like any other, not the same as being absent. */
public final class JsonNull implements Json {
  public static final JsonNull NULL = new JsonNull();

  private JsonNull() {}

  @Override
  public String toString() {
    return "null";
  }
}
