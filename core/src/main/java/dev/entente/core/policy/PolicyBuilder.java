// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Path;
import dev.entente.core.record.Unit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Puts a policy together in code, for those who embed the engine. Not thread-safe. */
public final class PolicyBuilder {
  private final String type;
  private String version = "";
  private Consistency consistency = Consistency.EVENTUAL;
  private ReplicaTerms replicas = ReplicaTerms.DEFAULT;
  private Set<WriteStyle> writes = EnumSet.allOf(WriteStyle.class);
  private Optional<Condition> identity = Optional.empty();
  private boolean recordUnit;
  private StrategySpec fallback = StrategySpec.of("manual-review");
  private Persistence persistence = Persistence.NONE;
  private final Map<Path, FieldRule> fields = new TreeMap<>();
  private final List<Group> groups = new ArrayList<>();
  private final List<Rule> rules = new ArrayList<>();
  private final List<Rule> escalations = new ArrayList<>();
  private final List<Invariant> invariants = new ArrayList<>();
  private final List<Limit> limits = new ArrayList<>();
  private final Set<String> neverAutomatic = new TreeSet<>();
  private double manualThreshold = 1;
  private ReviewTerms review = ReviewTerms.DEFAULT;
  private ClockTerms clock = ClockTerms.DEFAULT;
  private DeleteRule deletes = DeleteRule.MANUAL_REVIEW;

  PolicyBuilder(String type) {
    this.type = type;
  }

  public PolicyBuilder version(String name) {
    version = name;
    return this;
  }

  public PolicyBuilder consistency(Consistency level) {
    consistency = level;
    return this;
  }

  /** The terms of a {@code quorum} or {@code primary} type. */
  public PolicyBuilder replicas(ReplicaTerms terms) {
    replicas = terms;
    return this;
  }

  public PolicyBuilder writes(Collection<WriteStyle> styles) {
    writes = EnumSet.copyOf(styles);
    return this;
  }

  /** Derives a record's id from an event; see the policy file's {@code identity}. */
  public PolicyBuilder identity(Condition expression) {
    identity = Optional.of(expression);
    return this;
  }

  /** Makes the whole record one unit. */
  public PolicyBuilder wholeRecord() {
    recordUnit = true;
    return this;
  }

  /** What settles the units that name no strategy themselves; {@code default} in a file. */
  public PolicyBuilder defaultStrategy(StrategySpec strategy) {
    fallback = strategy;
    return this;
  }

  /** As {@link #defaultStrategy(StrategySpec)}. */
  public PolicyBuilder defaultStrategy(String strategy) {
    return defaultStrategy(StrategySpec.of(strategy));
  }

  /** Another name of {@link #defaultStrategy(String)}; see also {@link #onFailure(String)}. */
  public PolicyBuilder fallback(String strategy) {
    return defaultStrategy(strategy);
  }

  /** Another name of {@link #defaultStrategy(StrategySpec)}. */
  public PolicyBuilder fallback(StrategySpec strategy) {
    return defaultStrategy(strategy);
  }

  /**
   * What decides where a strategy of this policy cannot, or not in time, and names nothing else;
   * {@code fallback} in a file. What goes to people on purpose stays with them.
   */
  public PolicyBuilder onFailure(StrategySpec strategy) {
    persistence =
        new Persistence(persistence.timeout(), persistence.maxRetries(), Optional.of(strategy));
    return this;
  }

  /** As {@link #onFailure(StrategySpec)}. */
  public PolicyBuilder onFailure(String strategy) {
    return onFailure(StrategySpec.of(strategy));
  }

  /** How long votes without a time-out of their own wait. */
  public PolicyBuilder timeout(Duration howLong) {
    if (howLong.isNegative() || howLong.isZero()) {
      throw new IllegalArgumentException("a timeout is longer than nothing");
    }
    persistence =
        new Persistence(Optional.of(howLong), persistence.maxRetries(), persistence.fallback());
    return this;
  }

  /** How many more rounds a vote gets that waits for {@link #timeout}; at most 10. */
  public PolicyBuilder maxRetries(int retries) {
    if (retries < 0 || retries > Persistence.RETRIES_MAX) {
      throw new IllegalArgumentException(
          "max-retries lies between 0 and " + Persistence.RETRIES_MAX);
    }
    persistence = new Persistence(persistence.timeout(), retries, persistence.fallback());
    return this;
  }

  public PolicyBuilder field(String path, String strategy) {
    return field(path, FieldRule.of(StrategySpec.of(strategy)));
  }

  public PolicyBuilder field(String path, CellKind cell) {
    return field(path, FieldRule.of(cell));
  }

  public PolicyBuilder field(String path, FieldRule rule) {
    fields.put(Path.parse(path), rule);
    return this;
  }

  public PolicyBuilder group(Group group) {
    groups.add(group);
    return this;
  }

  public PolicyBuilder rule(Rule rule) {
    rules.add(rule);
    return this;
  }

  public PolicyBuilder escalation(Rule rule) {
    escalations.add(rule);
    return this;
  }

  /** Adds a rule for what names no strategy of its own; see {@link When}. */
  public PolicyBuilder rule(String name, Condition when, String then, int priority) {
    return rule(name, when, StrategySpec.of(then), priority);
  }

  /** As {@link #rule(String, Condition, String, int)}. */
  public PolicyBuilder rule(String name, Condition when, StrategySpec then, int priority) {
    return rule(new Rule(name, when, then, priority));
  }

  /** Adds an escalation, which comes before everything but {@code never-automatic}. */
  public PolicyBuilder escalation(String name, Condition when, String action, int priority) {
    return escalation(name, when, StrategySpec.of(action), priority);
  }

  /** As {@link #escalation(String, Condition, String, int)}. */
  public PolicyBuilder escalation(String name, Condition when, StrategySpec action, int priority) {
    return escalation(new Rule(name, when, action, priority));
  }

  /**
   * Adds a rule whose condition is a CEL expression over {@code conflict} and {@code severity}.
   *
   * @throws IllegalArgumentException where the expression does not compile
   */
  public PolicyBuilder rule(String name, String when, StrategySpec then, int priority) {
    return rule(new Rule(name, compiled(when, CelConditions.About.CONFLICT), then, priority));
  }

  /**
   * Adds an invariant whose check is a CEL expression over {@code data}; throws as {@link #rule}.
   */
  public PolicyBuilder invariant(String name, String check, Severity severity) {
    return invariant(new Invariant(name, compiled(check, CelConditions.About.RECORD), severity));
  }

  private static Condition compiled(String source, CelConditions.About about) {
    try {
      return CelConditions.compile(source, about);
    } catch (PolicyProblem.Unacceptable e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  public PolicyBuilder invariant(Invariant invariant) {
    invariants.add(invariant);
    return this;
  }

  /** No two live records of the type may hold the same value here. */
  public PolicyBuilder unique(String path) {
    return limit(Limit.unique(Path.parse(path)));
  }

  public PolicyBuilder limit(Limit limit) {
    limits.add(limit);
    return this;
  }

  public PolicyBuilder neverAutomatic(String unit) {
    neverAutomatic.add(unit);
    return this;
  }

  public PolicyBuilder manualThreshold(double complexity) {
    manualThreshold = complexity;
    return this;
  }

  public PolicyBuilder review(ReviewTerms terms) {
    review = terms;
    return this;
  }

  public PolicyBuilder clock(ClockTerms terms) {
    clock = terms;
    return this;
  }

  public PolicyBuilder deletes(DeleteRule rule) {
    deletes = rule;
    return this;
  }

  /**
   * The policy.
   *
   * @throws IllegalArgumentException where it contradicts itself; the message names every
   *     contradiction
   */
  public Policy build() {
    Policy policy = assembled();
    List<String> contradictions = new ArrayList<>(PolicyChecker.contradictions(policy));
    contradictions.addAll(PolicyChecker.contradictionsOfEscalations(policy));
    if (!contradictions.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", contradictions));
    }
    return policy;
  }

  Policy assembled() {
    Policy plain = assembled(Persistence.NONE, _ -> false);
    return persistence.equals(Persistence.NONE)
        ? plain
        : assembled(persistence, plain::isNeverAutomatic);
  }

  private Policy assembled(Persistence all, Predicate<Unit> exempt) {
    Map<Path, FieldRule> ruled = new TreeMap<>(fields);
    ruled.replaceAll((path, rule) -> exempt.test(Unit.field(path)) ? rule : all.in(rule));
    return new Policy(
        type,
        version,
        consistency,
        replicas,
        writes,
        identity,
        recordUnit,
        all.in(fallback),
        SortedArrayMap.copyOf(ruled),
        groups.stream()
            .map(group -> exempt.test(Unit.group(group.name())) ? group : all.in(group))
            .toList(),
        all.in(rules),
        all.in(escalations),
        invariants,
        limits,
        neverAutomatic,
        manualThreshold,
        review,
        clock,
        deletes);
  }
}
