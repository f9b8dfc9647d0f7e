// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.SumHistory;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Adds up what each author changed: the last agreed number plus the sum of the differences, each
 * change once whoever had read it. Right for a balance kept as a plain field.
 */
final class SumOfChanges implements Strategy {
  @Override
  public String name() {
    return StrategySpec.SUM_OF_CHANGES;
  }

  @Override
  public String tieBreak() {
    return "none is needed: sums do not depend on order";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    List<Assignment> competing = dispute.competing();
    for (Assignment assignment : competing) {
      if (!(assignment.value() instanceof JsonNumber)) {
        return new Verdict.Unable(Explain.offer(assignment) + " is not a number");
      }
    }
    Optional<BigDecimal> total = SumHistory.total(competing);
    if (total.isEmpty() && competing.stream().allMatch(a -> a.sumHistory().isPresent())) {
      return new Verdict.Unable("which earlier changes the numbers have in common is not known");
    }
    Verdict fromAgreed = addedToAgreed(dispute);
    if (total.isEmpty()
        || (fromAgreed instanceof Verdict.Settled settled
            && settled.value() instanceof JsonNumber(BigDecimal sum)
            && sum.compareTo(total.get()) == 0)) {
      return fromAgreed;
    }
    String numbers = competing.stream().map(Explain::offer).collect(Collectors.joining(", "));
    return settled(
        total.get(), sum -> "Counted every change once that led to " + numbers + ": " + sum + ".");
  }

  /** The last agreed number, and what each has changed since. */
  private static Verdict addedToAgreed(Dispute dispute) {
    Json agreed = dispute.lastAgreed().orElse(null);
    if (agreed == null) {
      return new Verdict.Unable("the number that the changes started from is no longer known");
    }
    if (!(agreed.isAbsent() || agreed instanceof JsonNumber)) {
      return new Verdict.Unable(
          "the changes did not start from a number but from " + Explain.value(agreed));
    }
    BigDecimal start = agreed instanceof JsonNumber(BigDecimal number) ? number : BigDecimal.ZERO;
    BigDecimal total = start;
    StringBuilder changes = new StringBuilder();
    for (Assignment assignment : dispute.competing()) {
      BigDecimal change = ((JsonNumber) assignment.value()).value().subtract(start);
      total = total.add(change);
      changes
          .append(changes.isEmpty() ? "" : ", ")
          .append(change.signum() < 0 ? "" : "+")
          .append(change.toPlainString())
          .append(" by ")
          .append(assignment.author());
    }
    return settled(
        total,
        sum ->
            "Added the changes to the last agreed "
                + Json.of(start)
                + ": "
                + changes
                + " makes "
                + sum
                + ".");
  }

  private static Verdict settled(BigDecimal total, Function<Json, String> explanation) {
    try {
      Json sum = Json.of(total);
      return new Verdict.Settled(sum, explanation.apply(sum));
    } catch (IllegalArgumentException e) {
      return new Verdict.Unable("the sum is out of range");
    }
  }
}
