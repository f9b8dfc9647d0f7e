// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;

/**
 * Refuses the second writer at the door; where both were already accepted elsewhere, a person
 * decides.
 */
final class RejectLater implements Strategy {
  @Override
  public String name() {
    return "reject";
  }

  @Override
  public String tieBreak() {
    return "none: whoever comes second is told";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    return new Verdict.Refused(
        "The policy refuses concurrent changes here: " + Explain.offers(dispute.competing()) + ".");
  }
}
