// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.StateMachine;
import dev.entente.core.policy.StateMachine.SameState;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Settles branches of a lifecycle: an absorbing state wins over all others; branches in the same
 * state are settled by the rule for that state; every other combination, and a state that the
 * machine does not know, is left to {@code otherwise}.
 */
final class Lifecycle implements Strategy {
  @Override
  public String name() {
    return "state-machine";
  }

  @Override
  public String tieBreak() {
    return "branches of one state that the same-state rule finds equal but that differ elsewhere are left to otherwise";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    StateMachine machine = dispute.spec().machine().orElse(null);
    if (machine == null) {
      return new Verdict.Unable("the policy names no states");
    }
    TreeSet<String> states = new TreeSet<>();
    for (Assignment branch : dispute.competing()) {
      String state = machine.stateOf(branch.value());
      if (!machine.knows(state)) {
        return new Verdict.Unable(
            Explain.offer(branch)
                + " is in no state that the policy knows ("
                + String.join(", ", machine.names())
                + ")");
      }
      states.add(state);
    }
    List<String> absorbing = states.stream().filter(machine.absorbing()::contains).toList();
    if (absorbing.size() > 1) {
      return new Verdict.Unable("two final states compete: " + String.join(" and ", absorbing));
    }
    if (absorbing.size() == 1) {
      List<Assignment> branches = inState(dispute, machine, absorbing.getFirst());
      if (sameValue(branches)) {
        return new Verdict.Settled(
            branches.getFirst().value(),
            "Took "
                + Explain.offer(branches.getFirst())
                + ", because "
                + absorbing.getFirst()
                + " is final, over "
                + dispute.competing().stream()
                    .filter(a -> !branches.contains(a))
                    .map(Explain::offer)
                    .collect(Collectors.joining(" and "))
                + ".");
      }
      return sameState(machine, absorbing.getFirst(), branches);
    }
    if (states.size() == 1) {
      return sameState(machine, states.first(), dispute.competing());
    }
    return new Verdict.Unable(
        "no rule settles "
            + String.join(" against ", states)
            + ": "
            + Explain.offers(dispute.competing()));
  }

  private static Verdict sameState(StateMachine machine, String state, List<Assignment> branches) {
    SameState rule = machine.sameState().get(state);
    if (rule == null) {
      return new Verdict.Unable(
          "two branches are " + state + " and no rule settles that: " + Explain.offers(branches));
    }
    Assignment best = branches.getFirst();
    for (Assignment next : branches.subList(1, branches.size())) {
      Optional<Integer> order = Magnitude.compare(by(rule, next), by(rule, best));
      if (order.isEmpty()) {
        return new Verdict.Unable(
            "cannot compare " + rule.by() + " of " + Explain.offers(branches));
      }
      if (order.get() == 0 && !next.value().equals(best.value())) {
        return new Verdict.Unable(
            "two branches are " + state + " with equal " + rule.by() + " but differ elsewhere");
      }
      if ((rule.highest() ? order.get() : -order.get()) > 0) {
        best = next;
      }
    }
    Assignment winner = best;
    List<Assignment> others =
        branches.stream().filter(a -> !a.value().equals(winner.value())).toList();
    return new Verdict.Settled(
        winner.value(),
        "Both are "
            + state
            + "; took the branch with the "
            + (rule.highest() ? "highest " : "lowest ")
            + rule.by()
            + ", "
            + Explain.offer(winner)
            + ", over "
            + Explain.offers(others)
            + ".");
  }

  private static List<Assignment> inState(Dispute dispute, StateMachine machine, String state) {
    return dispute.competing().stream()
        .filter(a -> machine.stateOf(a.value()).equals(state))
        .toList();
  }

  private static boolean sameValue(List<Assignment> branches) {
    return branches.stream().map(Assignment::value).distinct().count() == 1;
  }

  private static Json by(SameState rule, Assignment branch) {
    return branch.value() instanceof JsonObject object
        ? object.get(rule.by())
        : dev.entente.core.json.JsonAbsent.ABSENT;
  }
}
