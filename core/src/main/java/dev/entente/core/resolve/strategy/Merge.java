// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.merge.Clash;
import dev.entente.core.merge.ClashRule;
import dev.entente.core.merge.StructuralMerge;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.List;

/**
 * Merges by structure against the last agreed value, member by member and element by element. What
 * both changed differently is left to the next step of the policy, for the whole unit.
 */
final class Merge implements Strategy {
  @Override
  public String name() {
    return "merge";
  }

  @Override
  public String tieBreak() {
    return "additions of the earlier dot come first; what both changed differently is for the next step";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    Json base = dispute.lastAgreed().orElse(null);
    if (base == null) {
      return new Verdict.Unable("the value that both replaced is no longer known");
    }
    List<Json> sides = dispute.competing().stream().map(Assignment::value).toList();
    StructuralMerge.Result result = StructuralMerge.mergeAll(base, sides, ClashRule.NONE);
    if (!result.isClean()) {
      Clash first = result.clashes().getFirst();
      return new Verdict.Unable(
          "both changed "
              + (first.path().isRoot() ? "the value" : first.path())
              + " differently: "
              + Explain.value(first.left())
              + " against "
              + Explain.value(first.right())
              + (result.clashes().size() > 1
                  ? " (and " + (result.clashes().size() - 1) + " more)"
                  : ""));
    }
    return new Verdict.Settled(
        result.merged(),
        "Merged the changes of "
            + Explain.offers(dispute.competing())
            + "; nothing was changed by both differently.");
  }
}
