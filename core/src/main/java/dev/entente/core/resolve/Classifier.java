// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.Severity;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import java.util.List;
import java.util.Optional;

/**
 * Says what kind of conflict competing assignments are, how much is at stake, and how hard it is to
 * see through.
 */
final class Classifier {
  private Classifier() {}

  static Conflict classify(
      RecordKey key,
      Unit unit,
      List<Assignment> competing,
      Optional<Json> lastAgreed,
      Policy policy) {
    Severity severity = policy.severityOf(unit);
    boolean removal = false;
    boolean mixed = false;
    int rank = competing.getFirst().value().rank();
    for (Assignment assignment : competing) {
      removal |= assignment.value().isAbsent();
      mixed |= assignment.value().rank() != rank;
    }
    if (severity == Severity.LOW && (removal || mixed || competing.size() > 2)) {
      severity = Severity.MEDIUM;
    }
    return new Conflict(
        key,
        unit,
        false,
        ConflictType.CONCURRENT_UPDATE,
        severity,
        complexity(competing, mixed),
        competing,
        lastAgreed);
  }

  private static double complexity(List<Assignment> competing, boolean mixed) {
    Json first = competing.getFirst().value();
    int leaves = 0;
    for (Assignment other : competing) {
      leaves = Math.max(leaves, differingLeaves(first, other.value()));
    }
    double x = (competing.size() - 2) + Math.max(0, leaves - 1) / 4.0 + (mixed ? 1 : 0);
    return x / (x + 4);
  }

  /**
   * The complexity of merging two records of which the less changed one changed {@code units}
   * units.
   */
  static double recordComplexity(int units) {
    return units / (units + 10.0);
  }

  private static int differingLeaves(Json a, Json b) {
    if (a.equals(b)) {
      return 0;
    }
    if (a instanceof JsonObject x && b instanceof JsonObject y) {
      int[] count = {0};
      x.members()
          .merge(
              y.members(),
              (left, right) -> {
                count[0] += left == null || right == null ? 1 : differingLeaves(left, right);
                return null;
              });
      return count[0];
    }
    if (a instanceof JsonArray x && b instanceof JsonArray y) {
      int count = Math.abs(x.size() - y.size());
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        count += x.items().get(i).equals(y.items().get(i)) ? 0 : 1;
      }
      return count;
    }
    return 1;
  }
}
