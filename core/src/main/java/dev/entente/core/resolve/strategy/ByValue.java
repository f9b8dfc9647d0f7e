// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNull;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.List;
import java.util.Optional;

/**
 * Takes the highest, or lowest, of the values: numbers, times, dates or version numbers, all of one
 * kind.
 */
final class ByValue implements Strategy {
  private final boolean highest;

  ByValue(boolean highest) {
    this.highest = highest;
  }

  @Override
  public String name() {
    return highest ? "highest-value" : "lowest-value";
  }

  @Override
  public String tieBreak() {
    return "equal values are no conflict; a value wins over null and over a removal;"
        + " values that compare equal but are written differently go to the later dot";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    List<Assignment> present =
        dispute.competing().stream()
            .filter(a -> !a.value().isAbsent() && !(a.value() instanceof JsonNull))
            .toList();
    if (present.isEmpty()) {
      return new Verdict.Unable("there is no value among " + Explain.offers(dispute.competing()));
    }
    Assignment best = present.getFirst();
    for (Assignment next : present.subList(1, present.size())) {
      Optional<Integer> order = Magnitude.compare(next.value(), best.value());
      if (order.isEmpty()) {
        return new Verdict.Unable(
            "cannot compare " + Explain.offer(best) + " with " + Explain.offer(next));
      }
      if ((highest ? order.get() : -order.get()) >= 0) {
        best = next;
      }
    }
    Json value = best.value();
    List<Assignment> others =
        dispute.competing().stream().filter(a -> !a.value().equals(value)).toList();
    return new Verdict.Settled(
        value,
        "Took the "
            + (highest ? "highest" : "lowest")
            + " value, "
            + Explain.offer(best)
            + ", over "
            + Explain.offers(others)
            + ".");
  }
}
