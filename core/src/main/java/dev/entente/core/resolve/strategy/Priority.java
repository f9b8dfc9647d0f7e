// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.List;

/**
 * Takes what ranks first in a declared list of values, authors or nodes. What is not listed ranks
 * last.
 */
final class Priority implements Strategy {
  @Override
  public String name() {
    return "priority";
  }

  @Override
  public String tieBreak() {
    return "among the same rank the last writer wins";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    int best = Integer.MAX_VALUE;
    for (Assignment assignment : dispute.competing()) {
      best = Math.min(best, rank(dispute, assignment));
    }
    if (best == Integer.MAX_VALUE) {
      return new Verdict.Unable(
          "none of " + Explain.offers(dispute.competing()) + " is in the list of priorities");
    }
    int rank = best;
    List<Assignment> first =
        dispute.competing().stream().filter(a -> rank(dispute, a) == rank).toList();
    String listed = Explain.value(dispute.spec().order().get(rank));
    if (first.stream().map(Assignment::value).distinct().count() > 1) {
      return new ByTime(true)
                  .decide(
                      new Dispute(
                          dispute.unit(),
                          first,
                          dispute.lastAgreed(),
                          dispute.spec(),
                          dispute.tolerance()))
              instanceof Verdict.Settled settled
          ? new Verdict.Settled(
              settled.value(),
              "Of equal rank " + listed + ": " + settled.why(),
              settled.uncertain())
          : new Verdict.Unable("no order among equals");
    }
    List<Assignment> others = dispute.competing().stream().filter(a -> !first.contains(a)).toList();
    return new Verdict.Settled(
        first.getFirst().value(),
        "Took "
            + Explain.offer(first.getFirst())
            + " because "
            + listed
            + " ranks before "
            + Explain.offers(others)
            + ".");
  }

  private static int rank(Dispute dispute, Assignment assignment) {
    Json subject =
        switch (dispute.spec().of()) {
          case VALUES -> assignment.value();
          case AUTHORS -> Json.of(assignment.author());
          case NODES -> Json.of(assignment.dot().node().value());
        };
    int index = dispute.spec().order().indexOf(subject);
    return index < 0 ? Integer.MAX_VALUE : index;
  }
}
