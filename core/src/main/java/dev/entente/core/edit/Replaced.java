// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What an assignment replaces, to travel with it as its ancestors, newest first; see decisions 3
 * and 14.
 *
 * <p>Few values travel, so those stay from which others may have gone on: the newest one that the
 * author of a competing assignment had seen, and the newest one of each node. What one author wrote
 * at one node between two values of others is left out while nothing competes there.
 */
final class Replaced {
  private Replaced() {}

  /**
   * The ancestors of an assignment that covers others. Where these competed, the newest is the
   * value that the author read, which was derived from all of them.
   *
   * @param replaced what the author had seen of the register
   * @param rivals what the register holds that the author had not seen
   * @param read the unit's value as the author read it
   */
  static List<Ancestor> ancestors(
      List<Assignment> replaced, List<Assignment> rivals, Json read, String author) {
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
    int heads = ancestors.size();
    int max = agree ? Assignment.ANCESTORS_MAX : Assignment.ANCESTORS_OF_CONFLICT_MAX;
    ancestors.addAll(replaced.size() == 1 ? first.ancestors() : merged(replaced));
    Set<Ancestor> origins = origins(ancestors, rivals);
    if (rivals.isEmpty() && replaced.size() == 1 && first.author().equals(author)) {
      leaveOutRun(ancestors, author);
    }
    while (ancestors.size() > max) {
      ancestors.remove(leastNeeded(ancestors, heads, origins));
    }
    return ancestors;
  }

  /** Where the authors of rivals went on from. */
  private static Set<Ancestor> origins(List<Ancestor> ancestors, List<Assignment> rivals) {
    Set<Ancestor> origins = new HashSet<>();
    for (Assignment rival : rivals) {
      ancestors.stream()
          .filter(older -> rival.context().containsAll(older.dots()))
          .findFirst()
          .ifPresent(origins::add);
    }
    return origins;
  }

  /** Leaves out what the author of the newest ancestor wrote before it at the same node. */
  private static void leaveOutRun(List<Ancestor> ancestors, String author) {
    NodeId node = ancestors.getFirst().dots().getFirst().node();
    while (ancestors.size() > 1
        && ancestors.get(1).author().equals(author)
        && isFrom(node, ancestors.get(1))) {
      ancestors.remove(1);
    }
  }

  private static boolean isFrom(NodeId node, Ancestor ancestor) {
    return !ancestor.dots().isEmpty()
        && ancestor.dots().stream().allMatch(dot -> dot.node().equals(node));
  }

  private static boolean names(Ancestor ancestor, Dot ofNode) {
    return ancestor.dots().stream().anyMatch(dot -> dot.node().equals(ofNode.node()));
  }

  /** The oldest one that neither a rival nor another node is known to have gone on from. */
  private static int leastNeeded(List<Ancestor> ancestors, int heads, Set<Ancestor> origins) {
    for (int i = ancestors.size() - 1; i >= heads; i--) {
      Ancestor ancestor = ancestors.get(i);
      List<Ancestor> newer = ancestors.subList(0, i);
      boolean isNewestOfANode =
          ancestor.dots().stream().anyMatch(dot -> newer.stream().noneMatch(n -> names(n, dot)));
      if (!origins.contains(ancestor) && !isNewestOfANode) {
        return i;
      }
    }
    return ancestors.size() - 1;
  }

  private static List<Dot> dots(List<Assignment> replaced) {
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
