// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.merge.Clash;
import dev.entente.core.merge.ClashRule;
import dev.entente.core.merge.StructuralMerge;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Merges by structure against the last agreed value, member by member and element by element. What
 * both changed differently is left to the next step of the policy, for the whole unit; or, with
 * {@code clashes}, settled place by place by the strategy named there.
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
    if (dispute.spec().settings() instanceof Settings.Merging(StrategySpec clashes)) {
      return new Settling(dispute, clashes).merged(base);
    }
    List<Json> sides = dispute.competing().stream().map(Assignment::value).toList();
    StructuralMerge.Result result = StructuralMerge.mergeAll(base, sides, ClashRule.NONE);
    if (!result.isClean()) {
      Clash first = result.clashes().getFirst();
      return new Verdict.Unable(
          "both changed "
              + Explain.place(first.path(), "the value")
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

  /**
   * Settles each place that sides changed differently by a strategy of its own, and merges the
   * rest: one clash deep inside a list does not cost everything else that a side did.
   */
  private static final class Settling {
    private static final int NAMED_MAX = 3;

    private final Dispute dispute;
    private final Strategy strategy;
    private final StrategySpec spec;
    private final List<String> settled = new ArrayList<>();
    private boolean uncertain;

    Settling(Dispute dispute, StrategySpec spec) {
      this.dispute = dispute;
      this.spec = spec;
      this.strategy = Objects.requireNonNull(Strategies.named(spec.name()));
    }

    /** From the earliest side to the latest, so that what is merged already counts as earlier. */
    Verdict merged(Json base) {
      List<Assignment> sides = dispute.competing().stream().sorted(Assignment.BY_TIME).toList();
      Json merged = sides.getFirst().value();
      for (int i = 1; i < sides.size(); i++) {
        Assignment earlier = sides.get(i - 1);
        Assignment later = sides.get(i);
        StructuralMerge.Result result =
            StructuralMerge.merge(
                base, merged, later.value(), clash -> settle(clash, earlier, later));
        if (!result.isClean()) {
          Clash first = result.clashes().getFirst();
          return new Verdict.Unable(
              spec.name() + " cannot settle " + Explain.place(first.path(), "the value"));
        }
        merged = result.merged();
      }
      int more = settled.size() - NAMED_MAX;
      return new Verdict.Settled(
          merged,
          "Merged the changes of "
              + Explain.offers(dispute.competing())
              + (settled.isEmpty()
                  ? "; nothing was changed by both differently."
                  : ". Changed by both: "
                      + String.join(" ", settled.subList(0, Math.min(NAMED_MAX, settled.size())))
                      + (more > 0 ? " And " + more + " more places." : "")),
          uncertain);
    }

    private Optional<Json> settle(Clash clash, Assignment earlier, Assignment later) {
      Dispute inside =
          new Dispute(
              dispute.unit(),
              List.of(earlier.with(clash.left()), later.with(clash.right())),
              Optional.of(clash.base()),
              spec,
              dispute.tolerance());
      if (!(decide(inside) instanceof Verdict.Settled verdict)) {
        return Optional.empty();
      }
      uncertain |= verdict.uncertain();
      settled.add(Explain.place(clash.path(), "the value") + ": " + verdict.why());
      return Optional.of(verdict.value());
    }

    private Verdict decide(Dispute inside) {
      Verdict verdict = strategy.decide(inside);
      for (Optional<StrategySpec> next = spec.otherwise();
          verdict instanceof Verdict.Unable && next.isPresent();
          next = next.get().otherwise()) {
        verdict =
            Objects.requireNonNull(Strategies.named(next.get().name()))
                .decide(inside.with(next.get()));
      }
      return verdict;
    }
  }
}
