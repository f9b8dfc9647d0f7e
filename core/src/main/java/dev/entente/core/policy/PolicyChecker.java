// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.json.Path;
import dev.entente.core.policy.StrategySpec.Settings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds contradictions in a policy, and whatever would let an accident decide: two rules of one
 * priority, a final state that something leaves, a field in two units, an automatic strategy for
 * what must never be automatic.
 */
final class PolicyChecker {
  private static final Set<String> FOR_PEOPLE = Set.of("manual-review", "reject", "vote");

  /** What decides by whose claim it is, not by its value. */
  private static final List<String> KEEPERS =
      List.of("first-writer-wins", "last-writer-wins", "priority", "manual-review");

  private static final Pattern OF_LIMITS =
      Pattern.compile("conflict\\.type\\s*==\\s*[\"']resource-contention[\"']");

  private final Policy policy;
  private final List<String> found = new ArrayList<>();

  private PolicyChecker(Policy policy) {
    this.policy = policy;
  }

  static List<String> contradictions(Policy policy) {
    PolicyChecker checker = new PolicyChecker(policy);
    checker.units();
    checker.priorities("rules", policy.rules());
    checker.priorities("escalations", policy.escalations());
    checker.strategies();
    policy.groups().forEach(group -> checker.machine(group));
    checker.limits();
    checker.terms();
    return checker.found;
  }

  /** Of escalations; earlier releases did not look for these in files. */
  static List<String> contradictionsOfEscalations(Policy policy) {
    PolicyChecker checker = new PolicyChecker(policy);
    policy
        .escalations()
        .forEach(rule -> checker.settings("the escalation " + rule.name(), rule.then()));
    return checker.found;
  }

  private void units() {
    Map<String, String> owner = new HashMap<>();
    for (Group group : policy.groups()) {
      for (String field : group.fields()) {
        String other = owner.put(field, group.name());
        if (other != null) {
          found.add(
              "the field "
                  + field
                  + " is in the groups "
                  + other
                  + " and "
                  + group.name()
                  + "; a field has one unit");
        }
      }
    }
    for (Path path : policy.fields().keys()) {
      if (!path.isRoot() && owner.containsKey(path.names().getFirst())) {
        found.add(
            "the field "
                + path
                + " is declared by itself and in the group "
                + owner.get(path.names().getFirst())
                + "; the group settles it as a whole");
      }
      for (int depth = 1; depth < path.depth(); depth++) {
        Path above = new Path(path.names().subList(0, depth));
        if (policy.isWhole(above)) {
          found.add("the field " + path + " lies inside " + above + ", which is one unit");
        }
      }
    }
    if (policy.recordUnit() && (!policy.fields().isEmpty() || !policy.groups().isEmpty())) {
      found.add(
          "unit: record makes the whole record one unit; it cannot have fields or groups of its"
              + " own");
    }
  }

  private void priorities(String where, List<Rule> rules) {
    Map<Integer, String> names = new HashMap<>();
    Set<String> seen = new HashSet<>();
    for (Rule rule : rules) {
      String other = names.put(rule.priority(), rule.name());
      if (other != null) {
        found.add(
            where
                + ": "
                + other
                + " and "
                + rule.name()
                + " share the priority "
                + rule.priority()
                + "; which of them decides would be an accident");
      }
      if (!seen.add(rule.name())) {
        found.add(where + ": two are named " + rule.name());
      }
    }
  }

  private void strategies() {
    policy
        .fields()
        .forEach((path, rule) -> rule.strategy().ifPresent(spec -> field(path, rule, spec)));
    policy
        .groups()
        .forEach(g ->
            g.strategy()
                .ifPresent(spec -> {
                  if (policy.neverAutomatic().contains(g.name())) {
                    neverAutomatic(g.name(), spec);
                  }
                  settings("the group " + g.name(), spec);
                }));
    settings("default", policy.fallback());
    policy.rules().forEach(rule -> settings("the rule " + rule.name(), rule.then()));
  }

  private void field(Path path, FieldRule rule, StrategySpec spec) {
    if (rule.cell() != CellKind.REGISTER) {
      found.add(
          "the field "
              + path
              + " is a "
              + rule.cell().label()
              + ", which never conflicts; a strategy ("
              + spec.name()
              + ") has nothing to decide there");
    }
    if (policy.neverAutomatic().contains(path.toString())) {
      neverAutomatic(path.toString(), spec);
    }
    if (spec.name().equals("state-machine") && spec.machine().isEmpty()) {
      found.add("the field " + path + " names state-machine; states belong to a group");
    }
    settings("the field " + path, spec);
  }

  private void neverAutomatic(String unit, StrategySpec spec) {
    if (spec.patience().isPresent()) {
      found.add(unit + " is never-automatic, yet a time-out would settle it automatically");
    }
    if (!FOR_PEOPLE.contains(spec.name())) {
      found.add(
          unit
              + " is never-automatic, yet its strategy "
              + spec.name()
              + " would settle it automatically");
    }
  }

  private void settings(String where, StrategySpec spec) {
    Set<String> chain = new HashSet<>();
    for (Optional<StrategySpec> step = Optional.of(spec);
        step.isPresent();
        step = step.get().otherwise()) {
      StrategySpec one = step.get();
      boolean custom = one.settings() instanceof Settings.Custom;
      if (!custom && !Names.STRATEGIES.contains(one.name())) {
        found.add(
            where
                + " names the strategy "
                + one.name()
                + ", which there is not"
                + StrategyNames.suggestion(one.name()));
        return;
      }
      if (one.name().equals("priority")
          && !(one.settings() instanceof Settings.Ranking(_, var order, _) && !order.isEmpty())) {
        found.add(
            where + " names priority without an order; whoever comes first would be an accident");
      }
      if (!chain.add(one.name())) {
        found.add(
            where + " falls back on " + one.name() + " twice; the second time it cannot do better");
        return;
      }
    }
  }

  private void machine(Group group) {
    Optional<StateMachine> found = group.strategy().flatMap(StrategySpec::machine);
    if (found.isPresent()) {
      machine(group, found.get());
    }
  }

  private void machine(Group group, StateMachine machine) {
    String where = "the group " + group.name();
    if (!group.fields().contains(machine.field())) {
      found.add(where + " has no field " + machine.field() + " that could hold its state");
    }
    machine
        .states()
        .forEach((from, to) ->
            to.forEach(state -> {
              if (!machine.knows(state)) {
                found.add(
                    where
                        + ": "
                        + from
                        + " may change to "
                        + state
                        + ", which is no state"
                        + Names.suggestion(state, machine.names()));
              }
            }));
    for (String state : machine.absorbing()) {
      if (!machine.knows(state)) {
        found.add(
            where
                + ": absorbing names "
                + state
                + ", which is no state"
                + Names.suggestion(state, machine.names()));
      } else if (machine.states().getOrDefault(state, Set.of()).stream()
          .anyMatch(next -> !next.equals(state))) {
        found.add(
            where
                + ": "
                + state
                + " is absorbing, yet it may change to "
                + String.join(", ", machine.states().getOrDefault(state, Set.of())));
      }
    }
    machine
        .sameState()
        .forEach((state, rule) -> {
          if (!machine.knows(state)) {
            found.add(
                where
                    + ": same-state names "
                    + state
                    + ", which is no state"
                    + Names.suggestion(state, machine.names()));
          }
          if (!group.fields().contains(rule.by())) {
            found.add(
                where
                    + ": same-state of "
                    + state
                    + " compares "
                    + rule.by()
                    + ", which is not in the group"
                    + Names.suggestion(rule.by(), group.fields()));
          }
        });
  }

  private void limits() {
    Set<String> names = new HashSet<>();
    for (Limit limit : policy.limits()) {
      if (!names.add(limit.name())) {
        found.add("two limits are named " + limit.name());
      }
      for (Optional<StrategySpec> step = Optional.of(limit.keep());
          step.isPresent();
          step = step.get().otherwise()) {
        if (!KEEPERS.contains(step.get().name())) {
          found.add(
              limit.name()
                  + ": "
                  + step.get().name()
                  + " cannot say which record keeps a claim; known are "
                  + String.join(", ", KEEPERS));
        }
      }
      settings(limit.name(), limit.keep());
      if (limit.by().isEmpty()
          && limit.loser().isEmpty()
          && !limit.keep().name().equals("manual-review")) {
        found.add(
            limit.name() + " has no by that a record could give up; say under loser what happens");
      }
    }
  }

  /** Why a strategy cannot settle what its condition is about, where that is limits alone. */
  static Optional<String> whyNotOfLimits(Condition when, StrategySpec then) {
    return OF_LIMITS.matcher(when.source()).find()
            && !when.source().contains("||")
            && !KEEPERS.contains(then.name())
        ? Optional.of(
            then.name()
                + " cannot say which record keeps a claim; known are "
                + String.join(", ", KEEPERS))
        : Optional.empty();
  }

  private void terms() {
    if (policy.writes().isEmpty()) {
      found.add("writes allows no style, so nobody could write");
    }
    if (policy.review().escalateAfter().compareTo(policy.review().sla()) < 0) {
      found.add(
          "review: it is escalated after "
              + policy.review().escalateAfter()
              + ", before it is due ("
              + policy.review().sla()
              + ")");
    }
    if (policy.manualThreshold() < 0 || policy.manualThreshold() > 1) {
      found.add(
          "manual-threshold is a complexity between 0 and 1, not " + policy.manualThreshold());
    }
  }
}
