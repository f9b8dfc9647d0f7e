// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.policy.StrategySpec.Patience;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a policy says for all its strategies: how long votes wait, how many more rounds they get,
 * and what decides where a strategy cannot, or not in time. What a strategy says itself counts
 * more, and what is sent to people on purpose stays with them.
 *
 * @param fallback a person decides where it is empty
 */
record Persistence(Optional<Duration> timeout, int maxRetries, Optional<StrategySpec> fallback) {
  static final int RETRIES_MAX = 10;
  static final Persistence NONE = new Persistence(Optional.empty(), 0, Optional.empty());
  private static final StrategySpec REVIEW = StrategySpec.of("manual-review");

  /** Strategies that end with people, whatever else is said. */
  private static final Set<String> ENDS = Set.of("manual-review", "reject");

  FieldRule in(FieldRule rule) {
    return new FieldRule(rule.cell(), rule.strategy().map(this::in), rule.severity(), rule.terms());
  }

  Group in(Group group) {
    return new Group(
        group.name(),
        group.fields(),
        group.strategy().map(this::in),
        group.severity(),
        group.terms());
  }

  List<Rule> in(List<Rule> rules) {
    return rules.stream()
        .map(r -> new Rule(r.name(), r.when(), in(r.then()), r.priority(), r.overridesFields()))
        .toList();
  }

  StrategySpec in(StrategySpec spec) {
    return equals(NONE) ? spec : in(spec, new HashSet<>());
  }

  private StrategySpec in(StrategySpec spec, Set<String> asked) {
    asked.add(spec.name());
    if (ENDS.contains(spec.name())) {
      return spec;
    }
    Optional<Patience> patience =
        spec.name().equals("vote")
            ? spec.patience().or(() -> timeout.map(time -> new Patience(time, maxRetries)))
            : spec.patience();
    Optional<StrategySpec> otherwise =
        spec.otherwise().isPresent()
            ? spec.otherwise().map(next -> in(next, asked))
            : fallback
                .filter(last -> last.chain().stream().noneMatch(s -> asked.contains(s.name())))
                .or(() -> patience.map(_ -> REVIEW));
    return new StrategySpec(spec.name(), spec.settings(), patience, otherwise);
  }
}
