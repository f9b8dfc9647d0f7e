// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import java.util.List;

/**
 * The values that competed for a unit, to compete again.
 *
 * @param recordLevel whether the whole record was in conflict
 */
public record Competing(Unit unit, boolean recordLevel, List<Json> values) {
  public Competing {
    values = List.copyOf(values);
  }

  static Competing of(Conflict conflict) {
    return new Competing(
        conflict.unit(),
        conflict.recordLevel(),
        conflict.competing().stream().map(Assignment::value).toList());
  }

  /** What waits for a decision in a view of a record. */
  static List<Competing> pending(View view) {
    return view.resolutions().stream()
        .filter(Resolution::isPending)
        .map(resolution -> of(resolution.conflict()))
        .toList();
  }
}
