// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.merge.Clash;
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
    return "additions of the earlier dot come first; what both changed differently is for the next"
        + " step";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    Json base = dispute.lastAgreed().orElse(null);
    if (base == null) {
      return new Verdict.Unable("the value that both replaced is no longer known");
    }
    Optional<StrategySpec> clashes =
        dispute.spec().settings() instanceof Settings.Merging(StrategySpec spec)
            ? Optional.of(spec)
            : Optional.empty();
    return new Settling(dispute, clashes).merged(base);
  }

  /**
   * Settles each place that sides changed differently by a strategy of its own, or, where one side
   * removed it, by the policy's rule for removals; and merges the rest: one clash deep inside a
   * list does not cost everything else that a side did.
   */
  private static final class Settling {
    private static final int NAMED_MAX = 3;

    private final Dispute dispute;
    private final Optional<StrategySpec> clashes;
    private final List<Assignment> sides;
    private final List<String> settled = new ArrayList<>();
    private boolean uncertain;

    Settling(Dispute dispute, Optional<StrategySpec> clashes) {
      this.dispute = dispute;
      this.clashes = clashes;
      this.sides =
          clashes.isEmpty()
              ? dispute.competing()
              : dispute.competing().stream().sorted(Assignment.BY_TIME).toList();
    }

    Verdict merged(Json base) {
      StructuralMerge.Result result =
          StructuralMerge.merge(base, sides.stream().map(Assignment::value).toList(), this::settle);
      if (!result.isClean()) {
        return new Verdict.Unable(unsettled(result.clashes()));
      }
      return new Verdict.Settled(
          result.merged(),
          "Merged the changes of "
              + Explain.offers(dispute.competing())
              + (settled.isEmpty()
                  ? "; nothing was changed by both differently."
                  : ". Changed by both: " + first(settled, " ", " places."))
              + (result.sets().isEmpty()
                  ? ""
                  : " Merged as a set, since all only added to it: "
                      + first(
                          result.sets().stream()
                              .map(path -> Explain.place(path, "the list"))
                              .toList(),
                          ", ",
                          " lists")
                      + "."),
          uncertain);
    }

    private static String first(List<String> all, String between, String things) {
      int more = all.size() - NAMED_MAX;
      return String.join(between, all.subList(0, Math.min(NAMED_MAX, all.size())))
          + (more > 0 ? " And " + more + " more" + things : "");
    }

    private String unsettled(List<Clash> unsettled) {
      Clash first = unsettled.getFirst();
      String place = Explain.place(first.path(), "the value");
      return (clashes.isPresent()
              ? clashes.get().name() + " cannot settle " + place
              : "both changed "
                  + place
                  + " differently: "
                  + String.join(
                      " against ", first.competing().stream().map(Explain::value).toList()))
          + (unsettled.size() > 1 ? " (and " + (unsettled.size() - 1) + " more)" : "");
    }

    private Optional<Json> settle(Clash clash) {
      List<Assignment> competing = new ArrayList<>();
      for (int i = 0; i < sides.size(); i++) {
        Json value = clash.sides().get(i);
        if (!value.equals(clash.base())) {
          competing.add(sides.get(i).with(value));
        }
      }
      Optional<Json> removal = clash.isRemovalAgainstChange() ? removal(clash) : Optional.empty();
      if (removal.isPresent() || clashes.isEmpty()) {
        return removal;
      }
      Dispute inside =
          new Dispute(
              dispute.unit(),
              competing,
              Optional.of(clash.base()),
              clashes.get(),
              dispute.tolerance(),
              dispute.deletes());
      if (!(decide(inside, clashes.get()) instanceof Verdict.Settled verdict)) {
        return Optional.empty();
      }
      uncertain |= verdict.uncertain();
      settled.add(Explain.place(clash.path(), "the value") + ": " + verdict.why());
      return Optional.of(verdict.value());
    }

    private Optional<Json> removal(Clash clash) {
      List<Json> kept = clash.competing().stream().filter(value -> !value.isAbsent()).toList();
      Optional<Json> value =
          switch (dispute.deletes()) {
            case DELETE_WINS -> Optional.of(JsonAbsent.ABSENT);
            case EDIT_WINS -> kept.size() == 1 ? Optional.of(kept.getFirst()) : Optional.empty();
            case MANUAL_REVIEW -> Optional.empty();
          };
      if (value.isPresent()) {
        settled.add(
            Explain.place(clash.path(), "the value")
                + ": removed by one and changed by another to "
                + String.join(" and ", kept.stream().map(Explain::value).toList())
                + (value.get().isAbsent() ? "; the removal wins." : "; the change wins."));
      }
      return value;
    }

    private static Verdict decide(Dispute inside, StrategySpec first) {
      Verdict verdict = strategy(first).decide(inside);
      for (Optional<StrategySpec> next = first.otherwise();
          verdict instanceof Verdict.Unable && next.isPresent();
          next = next.get().otherwise()) {
        verdict = strategy(next.get()).decide(inside.with(next.get()));
      }
      return verdict;
    }

    private static Strategy strategy(StrategySpec spec) {
      return Objects.requireNonNull(Strategies.named(spec.name()));
    }
  }
}
