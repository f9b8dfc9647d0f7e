// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.policy.Moment;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;

/**
 * Returns to the last agreed value, or to what it was at a checkpoint or time before the conflict;
 * the competing ones stay in the history.
 */
final class Rollback implements Strategy {
  @Override
  public String name() {
    return "rollback";
  }

  @Override
  public String tieBreak() {
    return "none is needed: what it goes back to is one value";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    if (dispute.spec().settings() instanceof Settings.Back(Moment to)) {
      return new Verdict.Review(
          "Goes back to what it was at "
              + Explain.time(to.beforeMillis(began(dispute)))
              + "; not taken: "
              + Explain.offers(dispute.competing())
              + ".");
    }
    Json agreed = dispute.lastAgreed().orElse(null);
    if (agreed == null) {
      return new Verdict.Unable("the last agreed value is no longer known");
    }
    return new Verdict.Settled(
        agreed,
        "Rolled back to the last agreed "
            + Explain.value(agreed)
            + "; not taken: "
            + Explain.offers(dispute.competing())
            + ".");
  }

  private static long began(Dispute dispute) {
    long began = Long.MAX_VALUE;
    for (Assignment assignment : dispute.competing()) {
      began = Math.min(began, assignment.acceptedAt().millis());
    }
    return began;
  }
}
