// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.json.Json;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;

/** Returns to the last agreed value; the competing ones stay in the history. */
final class Rollback implements Strategy {
  @Override
  public String name() {
    return "rollback";
  }

  @Override
  public String tieBreak() {
    return "none is needed: the last agreed value is one";
  }

  @Override
  public Verdict decide(Dispute dispute) {
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
}
