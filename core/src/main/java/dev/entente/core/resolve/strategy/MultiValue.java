// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;

/**
 * Leaves the values side by side for the application; a plain read shows the last writer's and says
 * that there are more.
 */
final class MultiValue implements Strategy {
  @Override
  public String name() {
    return "multi-value";
  }

  @Override
  public String tieBreak() {
    return "readers see the last writer's value first";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    Assignment latest = dispute.competing().stream().max(Assignment.BY_TIME).orElseThrow();
    return new Verdict.SideBySide(
        latest.value(),
        "Kept side by side for the application: " + Explain.offers(dispute.competing()) + ".");
  }
}
