// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

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
    Ancestor best = null;
    for (Assignment assignment : competing.subList(0, Math.min(ASKED_MAX, competing.size()))) {
      for (Ancestor ancestor : assignment.ancestors()) {
        if (seenByAll(ancestor, competing)) {
          if (best == null || isNewer(ancestor, best)) {
            best = ancestor;
          }
          break;
        }
      }
    }
    if (best != null) {
      return Optional.of(best.value());
    }
    boolean fromNothing = competing.stream().allMatch(a -> a.ancestors().isEmpty());
    return fromNothing ? Optional.of(JsonAbsent.ABSENT) : Optional.empty();
  }

  private static boolean seenByAll(Ancestor ancestor, List<Assignment> competing) {
    for (Assignment assignment : competing) {
      if (!assignment.context().containsAll(ancestor.dots())) {
        return false;
      }
    }
    return true;
  }

  /** Of two values that all have seen, the one with the later dots; nothing at all is oldest. */
  private static boolean isNewer(Ancestor ancestor, Ancestor than) {
    if (ancestor.dots().isEmpty() || than.dots().isEmpty()) {
      return than.dots().isEmpty() && !ancestor.dots().isEmpty();
    }
    return ancestor.dots().getLast().compareTo(than.dots().getLast()) > 0;
  }
}
