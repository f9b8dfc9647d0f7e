// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonSize;
import dev.entente.core.policy.Condition.ConditionException;
import dev.entente.core.policy.DeleteRule;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.Rule;
import dev.entente.core.policy.Severity;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.Work;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Resolution.Status;
import dev.entente.core.resolve.strategy.Strategies;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Settles one conflict by a policy. The order, first match wins:
 *
 * <ol>
 *   <li>an undeclared list whose sides merge by structure without a clash is merged: there is no
 *       conflict left;
 *   <li>never automatic: review;
 *   <li>the policy's escalations, by priority;
 *   <li>critical: roll back to the last agreed value, and review;
 *   <li>more complex than the manual threshold: review;
 *   <li>the policy's rules, by priority; where the unit names a strategy of its own only those that
 *       say that they override it;
 *   <li>a removal of something that has no strategy of its own, or of an element of an undeclared
 *       list: the {@code deletes} rule;
 *   <li>the unit's own strategy, else the type's default.
 * </ol>
 *
 * A strategy that is unable hands on to its {@code otherwise}, and at the end to review, always for
 * the whole unit. So does a condition that fails.
 */
final class Arbiter {
  /** What a rule makes of values may not grow beyond what one write could bring. */
  private static final int RESULT_CHARACTERS_MAX = 4_000_000;

  /** Beyond this a rule could take long, and would hide that something is wrong. */
  static final int COMPETING_MAX = 100;

  private static final StrategySpec MERGE = StrategySpec.of("merge");
  private final RecordKey key;
  private final Policy policy;

  /** What all conditions of one derivation may use together. */
  private final Work work = Work.forAll();

  Arbiter(RecordKey key, Policy policy) {
    this.key = key;
    this.policy = policy;
  }

  Resolution settle(Unit unit, List<Assignment> competing, Optional<Json> lastAgreed) {
    Conflict conflict = Classifier.classify(key, unit, competing, lastAgreed, policy);
    Optional<StrategySpec> own = policy.strategyOf(unit);
    boolean neverAutomatic = policy.isNeverAutomatic(unit);
    if (competing.size() > COMPETING_MAX) {
      return pending(
          conflict,
          "manual-review",
          competing.size()
              + " values compete, more than the "
              + COMPETING_MAX
              + " that rules are asked about; a person decides between "
              + Explain.offers(competing)
              + ".");
    }
    if (own.isEmpty() && !neverAutomatic && areLists(competing)) {
      Verdict merged = verdict(MERGE, conflict, DeleteRule.MANUAL_REVIEW);
      if (merged instanceof Verdict.Settled settled) {
        return resolution(conflict, "merge", settled, settled.why());
      }
    }
    if (neverAutomatic && own.filter(spec -> spec.name().equals("vote")).isPresent()) {
      return chain(own.get(), conflict, "");
    }
    if (neverAutomatic) {
      return pending(
          conflict,
          "manual-review",
          "The policy says that "
              + unit.label()
              + " is never settled automatically; a person decides between "
              + Explain.offers(competing)
              + ".");
    }
    try {
      return byPolicy(conflict, own);
    } catch (ConditionException e) {
      return pending(
          conflict,
          "manual-review",
          "A condition of the policy failed: "
              + e.getMessage()
              + "; a person decides between "
              + Explain.offers(competing)
              + ".");
    }
  }

  /** The strategy that an escalation or a rule names, and which of them. */
  record Asked(StrategySpec strategy, String because) {}

  /** Why a value cannot be the result; empty where it can. */
  interface Objection {
    Optional<String> to(Json value);
  }

  private static final Objection NO_OBJECTION = _ -> Optional.empty();

  /**
   * What the policy's escalations ask for.
   *
   * @throws ConditionException where a condition fails
   */
  Optional<Asked> escalation(Conflict conflict) {
    return policy.escalations().isEmpty() ? Optional.empty() : escalation(Facts.of(conflict));
  }

  /** What the policy's rules ask for; throws as {@link #escalation}. */
  Optional<Asked> rule(Conflict conflict) {
    return policy.rules().isEmpty() ? Optional.empty() : rule(Facts.of(conflict), false);
  }

  private Optional<Asked> escalation(Map<String, ?> facts) {
    return Rule.first(policy.escalations(), facts, work)
        .map(rule -> new Asked(rule.then(), " (escalation " + rule.name() + ")"));
  }

  private Optional<Asked> rule(Map<String, ?> facts, boolean hasOwnStrategy) {
    List<Rule> rules =
        hasOwnStrategy
            ? policy.rules().stream().filter(Rule::overridesFields).toList()
            : policy.rules();
    return Rule.first(rules, facts, work)
        .map(rule -> new Asked(rule.then(), " (rule " + rule.name() + ")"));
  }

  private Resolution byPolicy(Conflict conflict, Optional<StrategySpec> own) {
    Map<String, ?> facts =
        policy.rules().isEmpty() && policy.escalations().isEmpty() ? Map.of() : Facts.of(conflict);
    Optional<Asked> escalation = escalation(facts);
    if (escalation.isPresent()) {
      return chain(escalation.get(), conflict, NO_OBJECTION);
    }
    if (conflict.severity() == Severity.CRITICAL) {
      return pending(
          conflict,
          "rollback",
          "Critical: rolled back to the last agreed value until a person decides between "
              + Explain.offers(conflict.competing())
              + ".");
    }
    if (conflict.complexity() > policy.manualThreshold()) {
      return pending(
          conflict,
          "manual-review",
          String.format(
              java.util.Locale.ROOT,
              "Complexity %.2f is over the threshold of %.2f; a person decides between %s.",
              conflict.complexity(),
              policy.manualThreshold(),
              Explain.offers(conflict.competing())));
    }
    Optional<Asked> rule = rule(facts, own.isPresent());
    if (rule.isPresent()) {
      return chain(rule.get(), conflict, NO_OBJECTION);
    }
    if (own.isEmpty() && conflict.competing().stream().anyMatch(a -> a.value().isAbsent())) {
      return removal(conflict);
    }
    if (own.isEmpty()
        && areLists(conflict.competing())
        && verdict(MERGE, conflict, policy.deletes()) instanceof Verdict.Settled merged) {
      return resolution(conflict, "deletes: " + policy.deletes().label(), merged, merged.why());
    }
    return chain(own.orElse(policy.fallback()), conflict, "");
  }

  private static boolean areLists(List<Assignment> competing) {
    for (Assignment assignment : competing) {
      if (!(assignment.value() instanceof JsonArray)) {
        return false;
      }
    }
    return true;
  }

  private Resolution removal(Conflict conflict) {
    List<Assignment> kept =
        conflict.competing().stream().filter(a -> !a.value().isAbsent()).toList();
    Assignment removal =
        conflict.competing().stream().filter(a -> a.value().isAbsent()).findFirst().orElseThrow();
    String what = conflict.unit().path().isRoot() ? "the record" : conflict.label();
    return switch (policy.deletes()) {
      case MANUAL_REVIEW ->
          pending(
              conflict,
              "manual-review",
              removal.author()
                  + " removed "
                  + what
                  + " at "
                  + Explain.time(removal)
                  + " while it was changed by "
                  + kept.getFirst().author()
                  + " at "
                  + Explain.time(kept.getFirst())
                  + "; a person decides.");
      case DELETE_WINS ->
          resolution(
              conflict,
              "deletes: " + DeleteRule.DELETE_WINS.label(),
              new Verdict.Settled(JsonAbsent.ABSENT, ""),
              removal.author()
                  + " removed "
                  + what
                  + "; a removal wins over "
                  + Explain.offers(kept)
                  + ".");
      case EDIT_WINS -> {
        if (kept.stream().map(Assignment::value).distinct().count() == 1) {
          yield resolution(
              conflict,
              "deletes: " + DeleteRule.EDIT_WINS.label(),
              new Verdict.Settled(kept.getFirst().value(), ""),
              "A change wins over its removal by "
                  + removal.author()
                  + ": kept "
                  + Explain.value(kept.getFirst().value())
                  + " by "
                  + String.join(
                      " and ",
                      kept.stream().map(a -> a.author() + " at " + Explain.time(a)).toList())
                  + ".");
        }
        yield chain(
            policy.fallback(),
            new Conflict(
                key,
                conflict.unit(),
                false,
                conflict.type(),
                conflict.severity(),
                conflict.complexity(),
                kept,
                conflict.lastAgreed()),
            "");
      }
    };
  }

  /** Asks a strategy, and what it hands on to. */
  Resolution chain(StrategySpec first, Conflict conflict, String because) {
    return chain(new Asked(first, because), conflict, NO_OBJECTION);
  }

  /** The same; a strategy whose result is objected to counts as unable. */
  Resolution chain(Asked asked, Conflict conflict, Objection objection) {
    String because = asked.because();
    StringBuilder unable = new StringBuilder();
    for (StrategySpec spec = asked.strategy(); ; spec = spec.otherwise().orElseThrow()) {
      Verdict verdict = objected(verdict(spec, conflict), objection);
      if (verdict instanceof Verdict.Unable) {
        unable
            .append(unable.isEmpty() ? "" : "; ")
            .append(spec.name())
            .append(": ")
            .append(verdict.why());
        if (spec.otherwise().isPresent()) {
          continue;
        }
        return pending(
            conflict, spec.name(), "A person must decide" + because + ": " + unable + ".");
      }
      String why =
          verdict.why() + (unable.isEmpty() ? "" : " Before that, " + unable + ".") + because;
      return verdict instanceof Verdict.Review
          ? pending(conflict, spec.name(), why).asking(spec)
          : resolution(conflict, spec.name(), verdict, why);
    }
  }

  private static Verdict objected(Verdict verdict, Objection objection) {
    Optional<String> why =
        switch (verdict) {
          case Verdict.Settled settled -> objection.to(settled.value());
          case Verdict.SideBySide kept -> objection.to(kept.value());
          case Verdict.Review _, Verdict.Refused _, Verdict.Unable _ -> Optional.empty();
        };
    return why.<Verdict>map(Verdict.Unable::new).orElse(verdict);
  }

  private Verdict verdict(StrategySpec spec, Conflict conflict) {
    return verdict(spec, conflict, policy.deletes());
  }

  private Verdict verdict(StrategySpec spec, Conflict conflict, DeleteRule deletes) {
    Strategy strategy = Strategies.named(spec.name());
    if (strategy == null) {
      return new Verdict.Unable("there is no strategy of this name here");
    }
    Verdict verdict =
        strategy.decide(
            new Dispute(
                conflict.unit(),
                conflict.competing(),
                conflict.lastAgreed(),
                spec,
                policy.clockOf(conflict.unit()).tolerance(),
                deletes));
    return verdict instanceof Verdict.Settled(Json value, _, _)
            && JsonSize.of(value) > RESULT_CHARACTERS_MAX
        ? new Verdict.Unable(
            "the result would be longer than " + RESULT_CHARACTERS_MAX + " characters")
        : verdict;
  }

  private Resolution resolution(Conflict conflict, String strategy, Verdict verdict, String why) {
    return switch (verdict) {
      case Verdict.Settled settled
          when settled.uncertain() && policy.clockOf(conflict.unit()).reviewUncertain() ->
          new Resolution(
              conflict,
              Status.PENDING,
              strategy,
              whilePending(conflict),
              "Uncertain, so a person decides: " + why,
              true,
              false);
      case Verdict.Settled settled ->
          new Resolution(
              conflict,
              Status.RESOLVED,
              strategy,
              settled.value(),
              why,
              settled.uncertain(),
              false);
      case Verdict.SideBySide kept ->
          new Resolution(conflict, Status.SIBLINGS, strategy, kept.value(), why, false, false);
      case Verdict.Review _, Verdict.Unable _ -> pending(conflict, strategy, why);
      case Verdict.Refused _ ->
          new Resolution(
              conflict, Status.PENDING, strategy, whilePending(conflict), why, false, true);
    };
  }

  static Resolution pending(Conflict conflict, String strategy, String why) {
    return new Resolution(
        conflict, Status.PENDING, strategy, whilePending(conflict), why, false, false);
  }

  /** Readers see the last agreed value; where it is no longer known, nothing. */
  private static Json whilePending(Conflict conflict) {
    return conflict.lastAgreed().orElse(JsonAbsent.ABSENT);
  }
}
