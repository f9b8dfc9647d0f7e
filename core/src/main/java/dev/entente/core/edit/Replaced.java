// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;

/**
 * What an assignment replaces, to travel with it as its ancestors, newest first; see decisions 3
 * and 14.
 */
final class Replaced {
  private Replaced() {}

  /**
   * The ancestors of an assignment that covers others. Where these competed, the newest is the
   * value that the author read, which was derived from all of them; of a run of one author only its
   * last value and what came before it are kept.
   *
   * @param replaced what the author had seen of the register
   * @param read the unit's value as the author read it
   */
  static List<Ancestor> ancestors(List<Assignment> replaced, Json read, String author) {
    if (replaced.isEmpty()) {
      return List.of(Ancestor.NOTHING);
    }
    Assignment first = replaced.getFirst();
    List<Ancestor> ancestors = new ArrayList<>();
    boolean agree = replaced.stream().allMatch(a -> a.value().equals(first.value()));
    if (agree) {
      // The register of an object holds an empty one; what was replaced is its content.
      boolean isObject = first.value() instanceof JsonObject o && o.isEmpty();
      Json value = isObject && read instanceof JsonObject ? read : first.value();
      ancestors.add(new Ancestor(dots(replaced), first.author(), value));
    } else {
      ancestors.add(new Ancestor(dots(replaced), "", read));
      replaced.stream()
          .limit(Assignment.ANCESTORS_MAX - 1)
          .forEach(
              one -> ancestors.add(new Ancestor(List.of(one.dot()), one.author(), one.value())));
    }
    int max = agree ? Assignment.ANCESTORS_MAX : Assignment.ANCESTORS_OF_CONFLICT_MAX;
    boolean ownRun = replaced.size() == 1 && first.author().equals(author);
    for (Ancestor older : replaced.size() == 1 ? first.ancestors() : merged(replaced)) {
      boolean insideRun = ownRun && older.author().equals(author) && !older.dots().isEmpty();
      if (!insideRun && ancestors.size() < max) {
        ancestors.add(older);
      }
      ownRun = insideRun;
    }
    return ancestors;
  }

  private static List<dev.entente.core.causality.Dot> dots(List<Assignment> replaced) {
    return replaced.stream().map(Assignment::dot).toList();
  }

  /** The ancestors of several assignments: none before one that another names as newer. */
  private static List<Ancestor> merged(List<Assignment> replaced) {
    List<List<Ancestor>> left = new ArrayList<>();
    replaced.stream()
        .limit(Assignment.ANCESTORS_OF_CONFLICT_MAX)
        .forEach(one -> left.add(new ArrayList<>(one.ancestors())));
    List<Ancestor> merged = new ArrayList<>();
    left.removeIf(List::isEmpty);
    while (!left.isEmpty()) {
      Ancestor newest = left.getFirst().getFirst();
      for (List<Ancestor> list : left) {
        Ancestor head = list.getFirst();
        if (left.stream().noneMatch(other -> other.indexOf(head) > 0)) {
          newest = head;
          break;
        }
      }
      merged.add(newest);
      Ancestor taken = newest;
      left.forEach(list -> list.remove(taken));
      left.removeIf(List::isEmpty);
    }
    return merged;
  }
}
