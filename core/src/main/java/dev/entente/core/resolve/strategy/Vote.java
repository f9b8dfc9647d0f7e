// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import dev.entente.core.vote.Electorate;

/**
 * Leaves the decision to a quorum of named voters, people or nodes; readers see the last agreed
 * value meanwhile.
 */
final class Vote implements Strategy {
  @Override
  public String name() {
    return "vote";
  }

  @Override
  public String tieBreak() {
    return "none: without a quorum the next round, then otherwise, then a person decides";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    if (!(dispute.spec().settings() instanceof Settings.Voting(Electorate electorate))) {
      return new Verdict.Unable("the policy names no voters");
    }
    return new Verdict.Review(
        "Waits for the votes of "
            + String.join(", ", electorate.voters().keys())
            + " ("
            + electorate.quorum()
            + " of "
            + electorate.weight()
            + " decide): "
            + Explain.offers(dispute.competing())
            + ".");
  }
}
