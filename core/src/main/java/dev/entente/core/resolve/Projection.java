// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Register;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordState;
import java.util.List;

/**
 * Reconstructs what authors had seen of a record from its state alone, as far as the registers and
 * what they replaced can tell. Counters and sets are as they are now.
 */
final class Projection {
  private Projection() {}

  /** The state as the author of an assignment left it. */
  static RecordState seenBy(RecordState state, Assignment assignment) {
    return seenByAll(state, List.of(assignment));
  }

  /** The state as far as the authors of all assignments had seen it. */
  static RecordState seenByAll(RecordState state, List<Assignment> assignments) {
    List<CausalContext> contexts =
        assignments.stream()
            .map(a -> a.context().with(List.of(a.dot())))
            .map(state.repetitions()::withRetractions)
            .toList();
    return state.with(
        state
            .cells()
            .merge(
                SortedArrayMap.<dev.entente.core.record.CellId, Cell>empty(),
                (cell, _) ->
                    switch (cell) {
                      case Register register -> project(register, contexts);
                      case Sequence sequence -> project(sequence, contexts);
                      case null, default -> cell;
                    }));
  }

  private static Sequence project(Sequence sequence, List<CausalContext> contexts) {
    Sequence projected = sequence;
    for (CausalContext seen : contexts) {
      Json value = projected.accepts(seen) ? projected.seenBy(seen) : projected.base();
      projected =
          contexts.size() > 1 && projected.accepts(seen)
              ? Sequence.restored(
                  projected.base(), projected.heads(), projected.open().filter(seen::contains))
              : new Sequence(value, projected.heads(), SortedArrayMap.empty(), value);
    }
    return projected;
  }

  private static Register project(Register register, List<CausalContext> contexts) {
    Register projected = Register.EMPTY;
    for (Assignment assignment : register.values()) {
      if (contexts.stream().allMatch(seen -> seen.contains(assignment.dot()))) {
        projected = new Register(projected.assignments().with(assignment.dot(), assignment));
      }
    }
    if (!projected.assignments().isEmpty() || register.values().isEmpty()) {
      return projected;
    }
    Json before =
        Ancestry.newest(register.values(), contexts)
            .map(Ancestor::value)
            .orElseGet(() ->
                register.values().stream().anyMatch(Projection::touches)
                    ? JsonObject.EMPTY
                    : JsonAbsent.ABSENT);
    Assignment first = register.values().getFirst();
    return new Register(SortedArrayMap.of(first.dot(), first.with(before)));
  }

  /** Whether an assignment only says that an object which its author had read is there. */
  static boolean touches(Assignment assignment) {
    return JsonObject.EMPTY.equals(assignment.value()) && assignment.ancestors().isEmpty();
  }
}
