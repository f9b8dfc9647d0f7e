// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.crdt.Ancestor;
import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import java.util.List;

/** One part of a version: what it does to one cell. */
public sealed interface Change {
  Unit unit();

  /**
   * Gives the unit's register a value (absent removes it), together with the values this replaced,
   * newest first.
   */
  record Assign(Unit unit, Json value, List<Ancestor> ancestors) implements Change {
    public Assign {
      ancestors = List.copyOf(ancestors);
    }
  }

  /** Adds a difference to a counter. */
  record Count(Path path, long difference) implements Change {
    @Override
    public Unit unit() {
      return Unit.field(path);
    }
  }

  /** Adds and removes elements of a set. */
  record EditSet(Path path, List<Json> add, List<Json> remove, boolean removeWins)
      implements Change {
    public EditSet {
      add = List.copyOf(add);
      remove = List.copyOf(remove);
    }

    @Override
    public Unit unit() {
      return Unit.field(path);
    }
  }
}
