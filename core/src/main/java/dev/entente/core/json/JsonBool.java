// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

/** A JSON boolean. */
public record JsonBool(boolean value) implements Json {
  public static final JsonBool TRUE = new JsonBool(true);
  public static final JsonBool FALSE = new JsonBool(false);

  @Override
  public String toString() {
    return String.valueOf(value);
  }
}
