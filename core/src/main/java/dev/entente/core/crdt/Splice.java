// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonString;

/**
 * One change inside a text or a list: takes {@code deleted} items away at a position and puts
 * others there. Texts count code points, lists elements.
 *
 * @param inserted a string or an array, as the sequence is
 */
public record Splice(int position, int deleted, Json inserted) {
  public Splice {
    if (position < 0 || deleted < 0) {
      throw new IllegalArgumentException("a splice at " + position + " of " + deleted);
    }
    if (!(inserted instanceof JsonString || inserted instanceof JsonArray)) {
      throw new IllegalArgumentException("a splice inserts a string or an array");
    }
  }
}
