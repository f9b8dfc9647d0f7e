// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.policy.DeleteRule;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.record.Unit;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a strategy is asked to settle. Everything in here comes from the record's state and the
 * policy: the same on every node.
 *
 * @param competing at least two assignments with at least two different values, in canonical order;
 *     absent values among them are removals
 * @param lastAgreed the value that all had in common; empty where it is no longer known, absent
 *     where there was none
 * @param spec the strategy's settings
 * @param tolerance how far clocks may be apart
 * @param deletes who wins where a side removed a part of the value that another changed
 */
public record Dispute(
    Unit unit,
    List<Assignment> competing,
    Optional<Json> lastAgreed,
    StrategySpec spec,
    Duration tolerance,
    DeleteRule deletes) {
  public Dispute {
    List<Assignment> sorted = competing;
    for (int i = 1; i < competing.size(); i++) {
      if (competing.get(i - 1).compareTo(competing.get(i)) > 0) {
        sorted = competing.stream().sorted().toList();
        break;
      }
    }
    competing = List.copyOf(sorted);
  }

  /** A dispute whose removals of parts are left to people. */
  public Dispute(
      Unit unit,
      List<Assignment> competing,
      Optional<Json> lastAgreed,
      StrategySpec spec,
      Duration tolerance) {
    this(unit, competing, lastAgreed, spec, tolerance, DeleteRule.MANUAL_REVIEW);
  }

  public Dispute with(StrategySpec other) {
    return new Dispute(unit, competing, lastAgreed, other, tolerance, deletes);
  }

  /** What competes without the removals, in the order of time. */
  public List<Assignment> presentByTime() {
    return competing.stream()
        .filter(a -> !a.value().isAbsent())
        .sorted(Assignment.BY_TIME)
        .toList();
  }

  /** The different values, in the order of values. */
  public List<Json> values() {
    return competing.stream().map(Assignment::value).distinct().sorted().toList();
  }
}
