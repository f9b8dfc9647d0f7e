// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.crdt.Splice;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.Path;
import dev.entente.core.record.CellId;
import dev.entente.core.record.CellId.CellClass;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The removals of counters, sets, texts and lists in one version: what an author had seen of them
 * goes, and what they write afterwards starts from nothing. Plain fields need none of this, because
 * assigning a register covers what it held.
 */
final class CellRemovals {
  private static final List<CellClass> SEQUENCES = List.of(CellClass.TEXT, CellClass.LIST);

  private final RecordState seen;
  private final boolean onlyRegisters;
  private final Set<Path> removed = new TreeSet<>();
  private final List<Change> changes = new ArrayList<>();

  CellRemovals(RecordState seen) {
    this.seen = seen;
    this.onlyRegisters = holdsOnlyRegisters(seen);
  }

  private static boolean holdsOnlyRegisters(RecordState state) {
    for (int i = 0; i < state.cells().size(); i++) {
      if (state.cells().key(i).cellClass() != CellClass.REGISTER) {
        return false;
      }
    }
    return true;
  }

  /** Removes the cells at a path. */
  void remove(Path path) {
    take(path);
    for (CellClass each : SEQUENCES) {
      deletion(path, each)
          .ifPresent(
              all -> changes.add(new Change.EditSequence(path, List.of(all), Optional.empty())));
    }
  }

  /**
   * Removes the cells at a path, which the same version writes again; the items of texts and lists
   * of the given class are left for that to replace.
   */
  void renew(Path path, CellClass replaced) {
    take(path);
    changes.add(new Change.Restore(path));
    for (CellClass each : SEQUENCES) {
      if (each != replaced) {
        deletion(path, each)
            .ifPresent(
                all -> changes.add(new Change.EditSequence(path, List.of(all), Optional.empty())));
      }
    }
  }

  private void take(Path path) {
    Counter counter = cell(path, CellClass.COUNTER) instanceof Counter c ? c : Counter.EMPTY;
    changes.add(new Change.Remove(path, counter.tallies()));
    removed.add(path);
  }

  /** What deletes all items of a text or list; empty where it has none. */
  Optional<Splice> deletion(Path path, CellClass cellClass) {
    if (!(cell(path, cellClass) instanceof Sequence sequence)) {
      return Optional.empty();
    }
    int length = Sequence.length(sequence.value());
    return length == 0
        ? Optional.empty()
        : Optional.of(new Splice(0, length, Sequence.empty(sequence.isText()).value()));
  }

  /** The items of a text or list, also in an object that is not there; absent where it has none. */
  Json items(Path path, CellClass cellClass) {
    return cell(path, cellClass) instanceof Sequence sequence
            && deletion(path, cellClass).isPresent()
        ? sequence.value()
        : JsonAbsent.ABSENT;
  }

  private @Nullable Cell cell(Path path, CellClass cellClass) {
    return onlyRegisters && cellClass != CellClass.REGISTER
        ? null
        : seen.cells().get(new CellId(Unit.field(path), cellClass));
  }

  /** Whether there is a cell at the path beside its register. */
  boolean holdsCells(Path path) {
    if (onlyRegisters) {
      return false;
    }
    for (CellClass each : CellClass.values()) {
      if (each != CellClass.REGISTER && cell(path, each) != null) {
        return true;
      }
    }
    return false;
  }

  /** Whether such a cell would show in the object around it. */
  boolean holdsContent(Path path) {
    return holdsCells(path)
        && (!isRemoved(path)
            || (cell(path, CellClass.COUNTER) instanceof Counter counter && counter.isPresent())
            || (cell(path, CellClass.SET) instanceof ObservedSet set && !set.members().isEmpty())
            || SEQUENCES.stream().anyMatch(each -> deletion(path, each).isPresent()));
  }

  private boolean isRemoved(Path path) {
    List<Assignment> plain = seen.register(Unit.field(path)).values();
    return !plain.isEmpty() && plain.stream().allMatch(a -> a.value().isAbsent());
  }

  /**
   * All changes of a version, parents before members: the given ones with the removals before them.
   * A cell that was removed earlier and is written now counts as removed no longer.
   */
  List<Change> before(List<Change> written) {
    List<Change> all = new ArrayList<>(changes);
    all.addAll(written);
    Set<Path> restored = new TreeSet<>();
    for (Change change : written) {
      Path path = change.unit().path();
      if (isOfCell(change) && isRemoved(path) && !removed.contains(path) && restored.add(path)) {
        all.add(new Change.Restore(path));
      }
    }
    all.sort(Comparator.comparing(Change::unit).thenComparingInt(CellRemovals::rank));
    return all;
  }

  /** Whether a change is of a counter, set, text or list. */
  static boolean isOfCell(Change change) {
    return switch (change) {
      case Change.Count _, Change.Give _, Change.EditSet _, Change.EditSequence _ -> true;
      case Change.Assign _, Change.Clear _, Change.Remove _, Change.Restore _ -> false;
    };
  }

  private static int rank(Change change) {
    return change instanceof Change.Remove ? 0 : change instanceof Change.Restore ? 1 : 2;
  }
}
