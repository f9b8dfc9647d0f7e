// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;

/** Leaves the decision to a person; readers see the last agreed value meanwhile. */
final class ManualReview implements Strategy {
  @Override
  public String name() {
    return "manual-review";
  }

  @Override
  public String tieBreak() {
    return "none: a person decides";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    return new Verdict.Review(
        "Waits for a person to decide: " + Explain.offers(dispute.competing()) + ".");
  }
}
