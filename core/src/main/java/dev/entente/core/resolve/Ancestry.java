// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import java.util.List;
import java.util.Optional;

/** Finds what competing assignments last had in common; see decision 3 in the documentation. */
final class Ancestry {
  /**
   * Of very many assignments only the first are asked what they replaced: what all have seen they
   * name too, if perhaps an older one.
   */
  private static final int ASKED_MAX = Arbiter.COMPETING_MAX;

  private Ancestry() {}

  /**
   * The newest replaced value that all of the assignments have seen: among the ancestors of all, in
   * canonical order, the one whose dots all contexts hold and that has seen the most of the others.
   * Empty where it no longer travels with them.
   */
  static Optional<Json> lastAgreed(List<Assignment> competing) {
    Optional<Ancestor> newest =
        newest(competing, competing.stream().map(Assignment::context).toList());
    boolean fromNothing =
        newest.isEmpty() && competing.stream().allMatch(a -> a.ancestors().isEmpty());
    return fromNothing ? Optional.of(JsonAbsent.ABSENT) : newest.map(Ancestor::value);
  }

  /** The newest value replaced by any of the assignments that all of the contexts hold. */
  static Optional<Ancestor> newest(List<Assignment> assignments, List<CausalContext> contexts) {
    Ancestor best = null;
    for (Assignment assignment : assignments.subList(0, Math.min(ASKED_MAX, assignments.size()))) {
      for (Ancestor ancestor : assignment.ancestors()) {
        if (seenByAll(ancestor, contexts)) {
          if (best == null || isNewer(ancestor, best)) {
            best = ancestor;
          }
          break;
        }
      }
    }
    return Optional.ofNullable(best);
  }

  private static boolean seenByAll(Ancestor ancestor, List<CausalContext> contexts) {
    for (CausalContext context : contexts) {
      if (!context.containsAll(ancestor.dots())) {
        return false;
      }
    }
    return true;
  }

  /** Of two values that all have seen, the one with the later dots; nothing at all is oldest. */
  private static boolean isNewer(Ancestor ancestor, Ancestor than) {
    if (!ancestor.equals(than) && ancestor.dots().containsAll(than.dots())) {
      return true;
    }
    if (than.dots().containsAll(ancestor.dots())) {
      return false;
    }
    if (ancestor.dots().isEmpty() || than.dots().isEmpty()) {
      return than.dots().isEmpty() && !ancestor.dots().isEmpty();
    }
    return ancestor.dots().getLast().compareTo(than.dots().getLast()) > 0;
  }
}
