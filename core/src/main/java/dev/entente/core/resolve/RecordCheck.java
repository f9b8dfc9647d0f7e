// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

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
import dev.entente.core.policy.Severity;
import dev.entente.core.policy.Work;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Checks a record that concurrent versions were merged into: each side was valid and simple, the
 * merge may not be. Where it breaks an invariant, or more was changed on both sides than the policy
 * wants merged unseen, readers see what all heads last agreed on and the heads compete as whole
 * documents.
 */
final class RecordCheck {
  private static final String WAITING = "; readers see what was last agreed until a person decides";

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

  /**
   * The first invariant that the document breaks by what changed in it, with the reason. One of
   * which nothing changed that it is about was broken before and does not count.
   *
   * @param before the document that was changed; absent where everything is new
   */
  static Optional<String> firstBroken(
      Policy policy, Json document, Supplier<Json> before, List<Invariant> brokenOut) {
    Map<String, ?> facts = Facts.ofData(document);
    Work work = Work.forAll();
    for (Invariant invariant : policy.invariants()) {
      String suffix = "";
      try {
        if (invariant.check().holds(facts, work)) {
          continue;
        }
      } catch (ConditionException e) {
        suffix = ", which could not be evaluated: " + e.getMessage();
      }
      if (isTouched(invariant, before.get(), document)) {
        brokenOut.add(invariant);
        return Optional.of(invariant.name() + " (" + invariant.check().source() + ")" + suffix);
      }
    }
    return Optional.empty();
  }

  private static boolean isTouched(Invariant invariant, Json before, Json document) {
    return before.isAbsent()
        || invariant.check().reads().stream()
            .anyMatch(path -> !path.in(before).equals(path.in(document)));
  }

  /**
   * The first invariant that a view breaks. A pending unit shows what was last agreed beside units
   * that moved on: a mixture that nobody wrote and that proves nothing. So it is each side of the
   * pending conflicts that is looked at, and broken is what all of them break.
   */
  static Optional<String> firstBroken(
      Policy policy, View view, Supplier<Json> before, List<Invariant> brokenOut) {
    List<Conflict> open =
        view.resolutions().stream()
            .filter(r -> r.isPending() && !r.conflict().recordLevel())
            .map(Resolution::conflict)
            .sorted(Comparator.comparing(Conflict::unit))
            .toList();
    if (open.isEmpty()) {
      return firstBroken(policy, view.data(), before, brokenOut);
    }
    Map<Dot, Assignment> sides = new TreeMap<>();
    open.forEach(conflict -> conflict.competing().forEach(a -> sides.putIfAbsent(a.dot(), a)));
    Optional<String> first = Optional.empty();
    List<Invariant> broken = new ArrayList<>();
    int checked = 0;
    for (Assignment side : sides.values()) {
      Json document = asMeantBy(side, view.data(), open);
      Optional<String> problem =
          document.isAbsent() ? Optional.empty() : firstBroken(policy, document, before, broken);
      if (problem.isEmpty() || ++checked > Arbiter.COMPETING_MAX) {
        return Optional.empty();
      }
      first = first.or(() -> problem);
    }
    brokenOut.addAll(broken);
    return first;
  }

  /** A document in which the pending units have the values that one side gave or had seen. */
  private static Json asMeantBy(Assignment side, Json shown, List<Conflict> open) {
    Json document = shown;
    for (Conflict conflict : open) {
      Json value = valueFor(side, conflict.competing());
      Unit unit = conflict.unit();
      if (unit.isGroup() && value instanceof JsonObject tuple) {
        for (String field : tuple.members().keys()) {
          document = Path.of(field).set(document, tuple.get(field));
        }
      } else if (!unit.isGroup()) {
        document = unit.path().set(document, value);
      }
      if (document.isAbsent()) {
        return document;
      }
    }
    return document;
  }

  private static Json valueFor(Assignment side, List<Assignment> competing) {
    for (Assignment each : competing) {
      if (each.dot().equals(side.dot()) || side.context().contains(each.dot())) {
        return each.value();
      }
    }
    return competing.getFirst().value();
  }

  private View checked() {
    List<Invariant> broken = new ArrayList<>();
    Optional<String> problem = firstBroken(policy, merged, this::agreedDocument, broken);
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
      competing.add(head.with(documentOf(Projection.seenBy(state, head))));
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

  private Json documentOf(RecordState seen) {
    return Deriver.deriveUnchecked(key, seen, policy).data();
  }

  /** What all heads have seen. */
  private Json agreedDocument() {
    return documentOf(Projection.seenByAll(state, heads));
  }

  private View escalated(Conflict conflict, String why) {
    String authors =
        String.join(
            " and ", conflict.competing().stream().map(Assignment::author).distinct().toList());
    Resolution resolution =
        settled(conflict, why + ", though what " + authors + " wrote was valid by itself");
    List<Resolution> all = new ArrayList<>(merged.resolutions());
    all.add(resolution);
    return new View(resolution.value(), merged.context(), merged.updatedAt(), merged.heads(), all);
  }

  /** As a field is settled: escalations, critical, rules; without any of them a person decides. */
  private Resolution settled(Conflict conflict, String what) {
    Arbiter arbiter = new Arbiter(key, policy);
    boolean critical = conflict.severity() == Severity.CRITICAL;
    Optional<Arbiter.Asked> asked;
    try {
      asked = arbiter.escalation(conflict);
      if (asked.isEmpty() && !critical && conflict.type() == ConflictType.INVARIANT_VIOLATION) {
        asked = arbiter.rule(conflict);
      }
    } catch (ConditionException e) {
      return Arbiter.pending(
          conflict,
          "manual-review",
          what + WAITING + "; a condition of the policy failed: " + e.getMessage() + ".");
    }
    if (asked.isEmpty()) {
      return Arbiter.pending(
          conflict, critical ? "rollback" : "manual-review", what + WAITING + ".");
    }
    Resolution resolution = arbiter.chain(asked.get(), conflict, this::objection);
    return resolution.explained(
        what + (resolution.isPending() ? WAITING : "") + ". " + resolution.explanation());
  }

  /** The result is the whole record: it keeps the invariants, and what only people settle. */
  private Optional<String> objection(Json document) {
    if (!(document instanceof JsonObject)) {
      return Optional.of("the result would be no record");
    }
    Optional<String> broken =
        firstBroken(policy, document, this::agreedDocument, new ArrayList<>());
    if (broken.isPresent()) {
      return Optional.of("the result would break the invariant " + broken.get());
    }
    return policy.neverAutomaticPaths().stream()
        .filter(path -> !path.in(document).equals(path.in(merged.data())))
        .findFirst()
        .map(path -> "the result would change " + path + ", which is never settled automatically");
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
      Dot dot = assignment.dot();
      boolean headSaw = dot.equals(head.dot()) || head.context().contains(dot);
      if (!Projection.touches(assignment) && headSaw && !seenByAllOthers(head, dot)) {
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
