// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.merge.MergeLaws;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Resolution;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.Predicate;

/**
 * Tries the merge functions of a policy on values that competed before: what examples do not show,
 * real values may.
 */
final class RecordedMerges {
  /** Moments of conflict that are looked at, the newest first. */
  private static final int RECORDED_MAX = 200;

  private final IntFunction<List<RecordedConflict>> recorded;
  private final List<PolicyProblem> problems = new ArrayList<>();

  private RecordedMerges(IntFunction<List<RecordedConflict>> recorded) {
    this.recorded = recorded;
  }

  /**
   * Checks a policy that is about to come into force.
   *
   * @param recorded gives that many of the latest recorded conflicts; asked only where the policy
   *     has a merge function
   * @throws PolicyException with the counterexample where a function breaks a law of merging
   */
  static void check(Policy policy, IntFunction<List<RecordedConflict>> recorded)
      throws PolicyException {
    RecordedMerges check = new RecordedMerges(recorded);
    policy
        .fields()
        .forEach((path, rule) ->
            rule.strategy()
                .ifPresent(spec -> check.check(spec, unit -> unit.equals(Unit.field(path)))));
    policy
        .groups()
        .forEach(group ->
            group
                .strategy()
                .ifPresent(
                    spec -> check.check(spec, unit -> unit.equals(Unit.group(group.name())))));
    check.check(policy.fallback(), unit -> policy.strategyOf(unit).isEmpty());
    policy.rules().forEach(rule -> check.check(rule.then(), _ -> true));
    policy.escalations().forEach(rule -> check.check(rule.then(), _ -> true));
    if (!check.problems.isEmpty()) {
      throw new PolicyException(check.problems);
    }
  }

  private void check(StrategySpec spec, Predicate<Unit> units) {
    for (StrategySpec step : spec.chain()) {
      if (step.settings() instanceof Settings.Custom(var merge, boolean unchecked) && !unchecked) {
        Optional<String> broken = MergeLaws.counterexample(merge, values(units));
        broken.ifPresent(why ->
            problems.add(
                new PolicyProblem(
                    1, 1, step.name() + " cannot settle conflicts that there were: " + why)));
      }
    }
  }

  private List<Json> values(Predicate<Unit> units) {
    List<Json> values = new ArrayList<>();
    for (RecordedConflict conflict : recorded.apply(RECORDED_MAX)) {
      for (Resolution resolution : conflict.now().resolutions()) {
        if (!resolution.conflict().recordLevel() && units.test(resolution.conflict().unit())) {
          resolution.conflict().competing().stream().map(Assignment::value).forEach(values::add);
        }
      }
    }
    return values;
  }
}
