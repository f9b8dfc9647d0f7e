// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.Resolution.Status;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import dev.entente.core.resolve.View;
import dev.entente.core.resolve.strategy.Strategies;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Learns from recorded conflicts: what a draft of a policy would make of them, and which strategy
 * would have done what people did. Changes nothing. Not thread-safe.
 */
public final class Judgement {
  /** Fewer decisions than this are no ground for a recommendation. */
  private static final int DECISIONS_MIN = 3;

  /** The share of decisions that a strategy must have foreseen to be recommended. */
  private static final double AGREEMENT_MIN = 0.8;

  private static final List<String> CANDIDATES =
      List.of(
          "merge",
          "union",
          "sum-of-changes",
          "highest-value",
          "lowest-value",
          "last-writer-wins",
          "first-writer-wins",
          "append",
          "rollback");

  private Judgement() {}

  /** A conflict that would end differently: the unit, what became of it, what would have. */
  public record Change(
      RecordedConflict conflict,
      String unit,
      Optional<Resolution> now,
      Optional<Resolution> then,
      Optional<Json> decided) {}

  /**
   * What a draft would change.
   *
   * @param units how many units in conflict were looked at
   * @param settledNow how many of them the policy in force settles by rule
   * @param settledThen how many the draft would settle by rule
   * @param decided how many of them people decided
   * @param alike in how many of those the draft's rules would have done the same
   */
  public record Preview(
      int units, int settledNow, int settledThen, int decided, int alike, List<Change> changes) {}

  /** Looks at recorded conflicts with the eyes of a draft. */
  public static Preview preview(List<RecordedConflict> recorded, Policy draft) {
    int settledNow = 0;
    int settledThen = 0;
    int decidedByPeople = 0;
    int alike = 0;
    int units = 0;
    List<Change> changes = new ArrayList<>();
    for (RecordedConflict one : recorded) {
      View then = Deriver.derive(one.version().key(), one.state(), draft);
      Map<String, Resolution> before = byUnit(one.now());
      Map<String, Resolution> after = byUnit(then);
      Map<String, Resolution> all = new TreeMap<>(after);
      all.putAll(before);
      for (String unit : all.keySet()) {
        units++;
        Optional<Resolution> was = Optional.ofNullable(before.get(unit));
        Optional<Resolution> becomes = Optional.ofNullable(after.get(unit));
        Optional<Json> decided = was.flatMap(r -> one.decided().apply(r.conflict().id()));
        settledNow += isSettled(was) ? 1 : 0;
        settledThen += isSettled(becomes) ? 1 : 0;
        decidedByPeople += decided.isPresent() ? 1 : 0;
        alike +=
            decided.isPresent()
                    && becomes.filter(r -> isSettled(Optional.of(r))).isPresent()
                    && Describe.orNull(becomes.get().value()).equals(decided.get())
                ? 1
                : 0;
        if (!outcome(was).equals(outcome(becomes))) {
          changes.add(new Change(one, unit, was, becomes, decided));
        }
      }
    }
    return new Preview(units, settledNow, settledThen, decidedByPeople, alike, changes);
  }

  private static boolean isSettled(Optional<Resolution> resolution) {
    return resolution.isPresent() && resolution.get().status() == Status.RESOLVED;
  }

  private static List<Object> outcome(Optional<Resolution> resolution) {
    return resolution
        .map(r -> List.<Object>of(r.status(), r.strategy(), r.value()))
        .orElse(List.of());
  }

  private static Map<String, Resolution> byUnit(View view) {
    Map<String, Resolution> units = new TreeMap<>();
    view.resolutions().forEach(r -> units.put(r.conflict().label(), r));
    return units;
  }

  /**
   * A recommendation for one unit. It is never put in force by itself.
   *
   * @param proposal as a policy file has it: {@code {cell: set}} or a strategy's name
   * @param why one sentence
   * @param effect what it would have changed
   */
  public record Advice(
      String unit, int conflicts, int decisions, String proposal, String why, String effect) {}

  /** What to declare for units that keep coming up, the most frequent first. */
  public static List<Advice> advise(List<RecordedConflict> recorded, Policy policy) {
    Map<String, Evidence> units = new TreeMap<>();
    for (RecordedConflict one : recorded) {
      for (Resolution resolution : one.now().resolutions()) {
        Conflict conflict = resolution.conflict();
        if (!conflict.recordLevel() && !policy.isNeverAutomatic(conflict.unit())) {
          units
              .computeIfAbsent(conflict.label(), _ -> new Evidence())
              .add(resolution, one.decided().apply(conflict.id()), policy);
        }
      }
    }
    List<Advice> advice = new ArrayList<>();
    units.forEach((unit, evidence) -> evidence.advice(unit).ifPresent(advice::add));
    advice.sort((a, b) -> Integer.compare(b.conflicts(), a.conflicts()));
    return advice;
  }

  /** What is known about the conflicts of one unit. */
  private static final class Evidence {
    private int conflicts;
    private int pending;
    private int decisions;
    private int lists;
    private int differences;
    private String current = "";
    private final Map<String, Integer> foreseen = new TreeMap<>();

    void add(Resolution resolution, Optional<Json> decided, Policy policy) {
      Conflict conflict = resolution.conflict();
      conflicts++;
      pending += resolution.isPending() ? 1 : 0;
      current = resolution.strategy();
      lists += conflict.competing().stream().allMatch(a -> isSetLike(a.value())) ? 1 : 0;
      differences += movesByDifferences(conflict) ? 1 : 0;
      if (decided.isEmpty()) {
        return;
      }
      decisions++;
      for (String name : CANDIDATES) {
        Strategy strategy = Strategies.named(name);
        Dispute dispute =
            new Dispute(
                conflict.unit(),
                conflict.competing(),
                conflict.lastAgreed(),
                StrategySpec.of(name),
                policy.clockOf(conflict.unit()).tolerance());
        if (strategy != null
            && strategy.decide(dispute) instanceof Verdict.Settled settled
            && Describe.orNull(settled.value()).equals(decided.get())) {
          foreseen.merge(name, 1, Integer::sum);
        }
      }
    }

    private static boolean isSetLike(Json value) {
      return value instanceof JsonArray array
          && array.items().stream().distinct().count() == array.size()
          && array.items().stream()
              .noneMatch(item -> item instanceof JsonObject || item instanceof JsonArray);
    }

    /** Whole numbers near what all had before: more likely counted than chosen. */
    private static boolean movesByDifferences(Conflict conflict) {
      Json agreed = conflict.lastAgreed().orElse(JsonAbsent.ABSENT);
      return agreed instanceof JsonNumber number
          && number.isLong()
          && conflict.competing().stream()
              .allMatch(a ->
                  a.value() instanceof JsonNumber changed
                      && changed.isLong()
                      && Math.abs((double) changed.longValue() - number.longValue())
                          <= Math.max(10, Math.abs((double) number.longValue()) / 10));
    }

    Optional<Advice> advice(String unit) {
      if (decisions >= DECISIONS_MIN) {
        Optional<String> best =
            CANDIDATES.stream()
                .filter(name -> foreseen.getOrDefault(name, 0) >= AGREEMENT_MIN * decisions)
                .max((a, b) ->
                    Integer.compare(foreseen.getOrDefault(a, 0), foreseen.getOrDefault(b, 0)));
        if (best.isEmpty() || best.get().equals(current)) {
          return Optional.empty();
        }
        int times = foreseen.getOrDefault(best.get(), 0);
        return Optional.of(
            new Advice(
                unit,
                conflicts,
                decisions,
                proposal(best.get()),
                "people decided "
                    + times
                    + " of "
                    + decisions
                    + " such conflicts as "
                    + best.get()
                    + " would have",
                pending + " of " + conflicts + " would not have waited for a person"));
      }
      if (conflicts < DECISIONS_MIN) {
        return Optional.empty();
      }
      if (lists == conflicts) {
        return guess(unit, "{cell: set}", "only lists of distinct values ever competed here");
      }
      if (differences == conflicts) {
        return guess(
            unit, "{cell: counter}", "only whole numbers near the last agreed one competed here");
      }
      return Optional.empty();
    }

    private String proposal(String strategy) {
      return strategy.equals("union") && lists == conflicts
          ? "{cell: set}"
          : strategy.equals("sum-of-changes") && differences == conflicts
              ? "{cell: counter}"
              : strategy;
    }

    private Optional<Advice> guess(String unit, String proposal, String why) {
      return Optional.of(
          new Advice(
              unit,
              conflicts,
              decisions,
              proposal,
              why + " (" + conflicts + " times)",
              "none of the " + conflicts + " would have been a conflict"));
    }
  }
}
