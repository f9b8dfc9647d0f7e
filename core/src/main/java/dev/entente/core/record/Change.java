// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Counter.Tally;
import dev.entente.core.crdt.Splice;
import dev.entente.core.crdt.SumHistory;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.Path;
import dev.entente.core.record.CellId.CellClass;
import java.util.List;
import java.util.Optional;

/** One part of a version: what it does to one cell. */
public sealed interface Change {
  Unit unit();

  /**
   * Gives the unit's register a value (absent removes it), together with the values this replaced,
   * newest first.
   *
   * @param sumHistory which changes a number is the sum of, where its unit sums changes
   */
  record Assign(Unit unit, Json value, List<Ancestor> ancestors, Optional<SumHistory> sumHistory)
      implements Change {
    public Assign {
      ancestors = List.copyOf(ancestors);
    }

    /** An assignment to a unit that does not sum changes. */
    public Assign(Unit unit, Json value, List<Ancestor> ancestors) {
      this(unit, value, ancestors, Optional.empty());
    }
  }

  /**
   * Takes from every register and set what the author had seen of it, without saying what that was.
   */
  record Clear() implements Change {
    @Override
    public Unit unit() {
      return Unit.ALIVE;
    }
  }

  /**
   * Removes what the author had seen of the cells at a path that are not plain fields: the elements
   * of a set, and of a counter what each node had added. A concurrent addition stays, and brings
   * the field back with what it added. The items of a text or list are taken by an edit beside
   * this.
   *
   * @param counted the tallies of the counter as the author had seen it
   */
  record Remove(Path path, SortedArrayMap<NodeId, Tally> counted) implements Change {
    @Override
    public Unit unit() {
      return Unit.field(path);
    }
  }

  /** Undoes the removals of a path that the author had seen, or makes in the same version. */
  record Restore(Path path) implements Change {
    @Override
    public Unit unit() {
      return Unit.field(path);
    }
  }

  /** Adds a difference to a counter. */
  record Count(Path path, long difference) implements Change {
    @Override
    public Unit unit() {
      return Unit.field(path);
    }
  }

  /** Gives rights of a bounded counter from the accepting node to another. */
  record Give(Path path, NodeId to, long amount) implements Change {
    @Override
    public Unit unit() {
      return Unit.field(path);
    }
  }

  /**
   * Edits a text or a list, as the splices' items tell.
   *
   * @param seed what a plain field held before it became a text or list: it counts as the first
   *     edit, the same for all who start from it
   */
  record EditSequence(Path path, List<Splice> splices, Optional<Seed> seed) implements Change {
    /** A plain value and the assignment that gave it. */
    public record Seed(Dot dot, Json value) {}

    public EditSequence {
      splices = List.copyOf(splices);
      if (splices.isEmpty()) {
        throw new IllegalArgumentException("an edit without a splice");
      }
    }

    @Override
    public Unit unit() {
      return Unit.field(path);
    }

    /** The cell that this edits. */
    public CellId cell() {
      return new CellId(
          unit(),
          splices.getFirst().inserted() instanceof JsonArray ? CellClass.LIST : CellClass.TEXT);
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
