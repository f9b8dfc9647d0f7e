// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.causality.Dot;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import java.util.List;

/**
 * A value that an assignment replaced, and the dots of the assignments that made it up. No dots:
 * there was nothing yet.
 */
public record Ancestor(List<Dot> dots, String author, Json value) {
  /** There was nothing before. */
  public static final Ancestor NOTHING = new Ancestor(List.of(), "", JsonAbsent.ABSENT);

  public Ancestor {
    dots = dots.stream().sorted().toList();
  }
}
