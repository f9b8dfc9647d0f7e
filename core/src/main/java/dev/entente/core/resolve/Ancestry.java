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
    List<Assignment> asked = assignments.subList(0, Math.min(ASKED_MAX, assignments.size()));
    Ancestor best = null;
    for (Assignment assignment : asked) {
      for (Ancestor ancestor : assignment.ancestors()) {
        if (seenByAll(ancestor, contexts)) {
          if (best == null || isNewer(ancestor, best, asked)) {
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

  /**
   * Of two values that all have seen, the one that an assignment names as newer; nothing at all is
   * oldest. Where none names both, it is the later one at a node that gave dots to both. Else, an
   * assignment that still names the beginning has left out what its author wrote in a row only, so
   * the other value is from that row, and newer. At last the greater dot decides.
   */
  private static boolean isNewer(Ancestor ancestor, Ancestor than, List<Assignment> asked) {
    if (!ancestor.equals(than) && ancestor.dots().containsAll(than.dots())) {
      return true;
    }
    if (than.dots().containsAll(ancestor.dots())) {
      return false;
    }
    if (ancestor.dots().isEmpty() || than.dots().isEmpty()) {
      return than.dots().isEmpty() && !ancestor.dots().isEmpty();
    }
    for (Assignment assignment : asked) {
      int at = assignment.ancestors().indexOf(ancestor);
      int thanAt = assignment.ancestors().indexOf(than);
      if (at >= 0 && thanAt >= 0) {
        return at < thanAt;
      }
    }
    int byNode = Boolean.compare(isLaterAtANode(ancestor, than), isLaterAtANode(than, ancestor));
    if (byNode != 0) {
      return byNode > 0;
    }
    if (reachesBeginning(ancestor, asked) != reachesBeginning(than, asked)) {
      return reachesBeginning(than, asked);
    }
    return ancestor.dots().getLast().compareTo(than.dots().getLast()) > 0;
  }

  private static boolean reachesBeginning(Ancestor ancestor, List<Assignment> asked) {
    return asked.stream()
        .map(Assignment::ancestors)
        .anyMatch(all -> all.contains(ancestor) && all.getLast().equals(Ancestor.NOTHING));
  }

  private static boolean isLaterAtANode(Ancestor ancestor, Ancestor than) {
    return ancestor.dots().stream()
        .anyMatch(dot ->
            than.dots().stream()
                .anyMatch(
                    other -> other.node().equals(dot.node()) && other.number() < dot.number()));
  }
}
