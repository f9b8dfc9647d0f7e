// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.math.BigDecimal;

/**
 * Adds up what each author changed: last agreed number plus the sum of the differences. Right for a
 * balance kept as a plain field.
 */
final class SumOfChanges implements Strategy {
  @Override
  public String name() {
    return "sum-of-changes";
  }

  @Override
  public String tieBreak() {
    return "none is needed: sums do not depend on order";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    Json agreed = dispute.lastAgreed().orElse(null);
    if (agreed == null) {
      return new Verdict.Unable("the number that the changes started from is no longer known");
    }
    if (!(agreed.isAbsent() || agreed instanceof JsonNumber)) {
      return new Verdict.Unable(
          "the changes did not start from a number but from " + Explain.value(agreed));
    }
    BigDecimal start = agreed instanceof JsonNumber(BigDecimal number) ? number : BigDecimal.ZERO;
    BigDecimal sum = start;
    StringBuilder changes = new StringBuilder();
    for (Assignment assignment : dispute.competing()) {
      if (!(assignment.value() instanceof JsonNumber(BigDecimal number))) {
        return new Verdict.Unable(Explain.offer(assignment) + " is not a number");
      }
      BigDecimal change = number.subtract(start);
      sum = sum.add(change);
      changes
          .append(changes.isEmpty() ? "" : ", ")
          .append(change.signum() < 0 ? "" : "+")
          .append(change.toPlainString())
          .append(" by ")
          .append(assignment.author());
    }
    try {
      return new Verdict.Settled(
          Json.of(sum),
          "Added the changes to the last agreed "
              + Json.of(start)
              + ": "
              + changes
              + " makes "
              + Json.of(sum)
              + ".");
    } catch (IllegalArgumentException e) {
      return new Verdict.Unable("the sum is out of range");
    }
  }
}
