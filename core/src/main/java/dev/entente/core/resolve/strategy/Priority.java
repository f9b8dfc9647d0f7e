// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.StrategySpec.PriorityOf;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.List;

/**
 * Takes what ranks first in a declared list of values, authors, roles or nodes. What is not listed
 * ranks last.
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
    if (!(dispute.spec().settings() instanceof Settings.Ranking ranking)) {
      return new Verdict.Unable("the policy names no order");
    }
    return decide(dispute, ranking);
  }

  private static Verdict decide(Dispute dispute, Settings.Ranking ranking) {
    int best = Integer.MAX_VALUE;
    for (Assignment assignment : dispute.competing()) {
      best = Math.min(best, rank(ranking, assignment));
    }
    if (best == Integer.MAX_VALUE) {
      return new Verdict.Unable(
          "none of " + Explain.offers(dispute.competing()) + " is in the list of priorities");
    }
    int rank = best;
    List<Assignment> first =
        dispute.competing().stream().filter(a -> rank(ranking, a) == rank).toList();
    String listed = Explain.value(ranking.order().get(rank));
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

  private static int rank(Settings.Ranking ranking, Assignment assignment) {
    if (ranking.of() == PriorityOf.ROLES) {
      return rankOfRoles(ranking, assignment.author());
    }
    Json subject =
        switch (ranking.of()) {
          case VALUES -> assignment.value();
          case AUTHORS -> Json.of(assignment.author());
          case NODES -> Json.of(assignment.dot().node().name());
          case ROLES -> throw new IllegalStateException("an author may have several roles");
        };
    int index = ranking.order().indexOf(subject);
    if (index < 0 && ranking.of() == PriorityOf.NODES) {
      // A policy of an earlier release had to name the incarnation.
      index = ranking.order().indexOf(Json.of(assignment.dot().node().value()));
    }
    return index < 0 ? Integer.MAX_VALUE : index;
  }

  /** Who has several roles counts by the best of them. */
  private static int rankOfRoles(Settings.Ranking ranking, String author) {
    for (int i = 0; i < ranking.order().size(); i++) {
      if (ranking.order().get(i) instanceof JsonString(String role)
          && ranking.members().getOrDefault(role, List.of()).contains(author)) {
        return i;
      }
    }
    return Integer.MAX_VALUE;
  }
}
