// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Register;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Condition.ConditionException;
import dev.entente.core.policy.Invariant;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.Rule;
import dev.entente.core.policy.Severity;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.Work;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Resolution.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checks a record that concurrent versions were merged into: each side was valid and simple, the
 * merge may not be. Where it breaks an invariant, or more was changed on both sides than the policy
 * wants merged unseen, readers see what all heads last agreed on and the heads compete as whole
 * documents.
 */
final class RecordCheck {
  private final RecordKey key;
  private final RecordState state;
  private final Policy policy;
  private final View merged;
  private final List<Assignment> heads;

  private RecordCheck(RecordKey key, RecordState state, Policy policy, View merged) {
    this.key = key;
    this.state = state;
    this.policy = policy;
    this.merged = merged;
    List<Assignment> all = state.register(Unit.ALIVE).values();
    this.heads = all.subList(0, Math.min(Arbiter.COMPETING_MAX, all.size()));
  }

  static View check(RecordKey key, RecordState state, Policy policy, View merged) {
    if (!merged.exists() || (policy.invariants().isEmpty() && policy.manualThreshold() >= 1)) {
      return merged;
    }
    return new RecordCheck(key, state, policy, merged).checked();
  }

  /** The first invariant that the document breaks, with the reason. */
  static Optional<String> firstBroken(Policy policy, Json document, List<Invariant> brokenOut) {
    Map<String, ?> facts = Facts.ofData(document);
    Work work = Work.forAll();
    for (Invariant invariant : policy.invariants()) {
      try {
        if (!invariant.check().holds(facts, work)) {
          brokenOut.add(invariant);
          return Optional.of(invariant.name() + " (" + invariant.check().source() + ")");
        }
      } catch (ConditionException e) {
        brokenOut.add(invariant);
        return Optional.of(
            invariant.name()
                + " ("
                + invariant.check().source()
                + "), which could not be evaluated: "
                + e.getMessage());
      }
    }
    return Optional.empty();
  }

  private View checked() {
    List<Invariant> broken = new ArrayList<>();
    Optional<String> problem = firstBroken(policy, merged.data(), broken);
    if (problem.isPresent()) {
      return escalated(
          conflict(ConflictType.INVARIANT_VIOLATION, broken.getFirst().severity(), complexity()),
          "The merged record breaks the invariant " + problem.get());
    }
    double complexity = policy.manualThreshold() < 1 && !merged.hasPending() ? complexity() : 0;
    if (complexity > policy.manualThreshold()) {
      return escalated(
          conflict(ConflictType.SEMANTIC, Severity.MEDIUM, complexity),
          String.format(
              java.util.Locale.ROOT,
              "Both sides changed much (complexity %.2f, the threshold is %.2f)",
              complexity,
              policy.manualThreshold()));
    }
    return merged;
  }

  private Conflict conflict(ConflictType type, Severity severity, double complexity) {
    List<Assignment> competing = new ArrayList<>();
    for (Assignment head : heads) {
      competing.add(head.with(documentSeenBy(head.context().with(List.of(head.dot())))));
    }
    return new Conflict(
        key,
        Unit.ALIVE,
        true,
        type,
        severity,
        complexity,
        competing,
        Optional.of(agreedDocument()));
  }

  private Json documentSeenBy(CausalContext seen) {
    return Deriver.deriveUnchecked(key, Deriver.project(state, seen), policy).data();
  }

  /** What all heads have seen. */
  private Json agreedDocument() {
    RecordState common = state;
    for (Assignment head : heads) {
      common = Deriver.project(common, head.context().with(List.of(head.dot())));
    }
    return Deriver.deriveUnchecked(key, common, policy).data();
  }

  private View escalated(Conflict conflict, String why) {
    String strategy = conflict.severity() == Severity.CRITICAL ? "rollback" : "manual-review";
    String because = "";
    Optional<StrategySpec> asked = Optional.empty();
    for (Rule rule : policy.escalations()) {
      if (rule.when().holds(Facts.of(conflict))) {
        strategy = rule.then().name();
        asked = Optional.of(rule.then());
        because = " (escalation " + rule.name() + ")";
        break;
      }
    }
    String authors =
        String.join(
            " and ", conflict.competing().stream().map(Assignment::author).distinct().toList());
    Json agreed = conflict.lastAgreed().orElseThrow();
    Resolution resolution =
        new Resolution(
            conflict,
            Status.PENDING,
            strategy,
            agreed,
            why
                + ", though what "
                + authors
                + " wrote was valid by itself; readers see what was last agreed until a person"
                + " decides"
                + because
                + ".",
            false,
            strategy.equals("reject"),
            asked);
    List<Resolution> all = new ArrayList<>(merged.resolutions());
    all.add(resolution);
    return new View(agreed, merged.context(), merged.updatedAt(), merged.heads(), all);
  }

  /** From the smaller number of changes that any head made and another has not seen. */
  private double complexity() {
    int smallest = Integer.MAX_VALUE;
    for (Assignment head : heads) {
      smallest = Math.min(smallest, changesOnlyBy(head));
    }
    return Classifier.recordComplexity(smallest);
  }

  /** A new object with all its members is one change. */
  private int changesOnlyBy(Assignment head) {
    int changes = 0;
    Path created = null;
    for (int i = 0; i < state.cells().size(); i++) {
      Unit unit = state.cells().key(i).unit();
      if (created != null && !unit.isGroup() && created.contains(unit.path())) {
        continue;
      }
      Assignment change = changeOnlyBy(head, state.cells().value(i));
      if (change != null) {
        changes++;
        created = change.value() instanceof JsonObject ? unit.path() : null;
      }
    }
    return changes;
  }

  private @Nullable Assignment changeOnlyBy(Assignment head, Cell cell) {
    if (!(cell instanceof Register register)) {
      return null;
    }
    for (Assignment assignment : register.values()) {
      boolean touched =
          assignment.value() instanceof JsonObject object
              && object.isEmpty()
              && assignment.ancestors().isEmpty();
      Dot dot = assignment.dot();
      boolean headSaw = dot.equals(head.dot()) || head.context().contains(dot);
      if (!touched && headSaw && !seenByAllOthers(head, dot)) {
        return assignment;
      }
    }
    return null;
  }

  private boolean seenByAllOthers(Assignment head, Dot dot) {
    for (Assignment other : heads) {
      if (!other.dot().equals(head.dot())
          && !other.dot().equals(dot)
          && !other.context().contains(dot)) {
        return false;
      }
    }
    return true;
  }
}
