// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

/** A JSON string: a sequence of Unicode code points, never normalised. */
public record JsonString(String value) implements Json {
  @Override
  public String toString() {
    return JsonPrinter.print(this);
  }
}
