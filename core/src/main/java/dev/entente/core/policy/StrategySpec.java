// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.merge.SemanticMerge;
import dev.entente.core.vote.Electorate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A strategy as a policy names it, with its settings.
 *
 * @param patience how long a strategy that waits for people is waited for; for ever if empty
 * @param otherwise what decides where this one cannot, or not in time; manual review if empty
 */
public record StrategySpec(
    String name, Settings settings, Optional<Patience> patience, Optional<StrategySpec> otherwise) {

  /** What one strategy needs to know beside the dispute. */
  public sealed interface Settings {
    /** Nothing. */
    record None() implements Settings {}

    /**
     * For {@code priority}: what comes first wins.
     *
     * @param of what {@code order} lists
     * @param members for roles who has them, by role
     */
    record Ranking(PriorityOf of, List<Json> order, SortedArrayMap<String, List<String>> members)
        implements Settings {
      public Ranking {
        order = List.copyOf(order);
      }
    }

    /** For {@code merge}: what settles the places that both sides changed differently. */
    record Merging(StrategySpec clashes) implements Settings {}

    /** For {@code state-machine}. */
    record States(StateMachine machine) implements Settings {}

    /** For {@code vote}. */
    record Voting(Electorate electorate) implements Settings {}

    /** For {@code rollback} to another value than the last agreed one. */
    record Back(Moment to) implements Settings {}

    /**
     * For {@code semantic:<name>}.
     *
     * @param unchecked true where the policy takes the function whatever laws it breaks
     */
    record Custom(SemanticMerge merge, boolean unchecked) implements Settings {}
  }

  /** What a {@code priority} ranks. */
  public enum PriorityOf {
    VALUES,
    AUTHORS,
    ROLES,
    NODES
  }

  /**
   * How long to wait for an answer.
   *
   * @param retries how many more times a vote is called
   */
  public record Patience(Duration timeOut, int retries) {}

  /** The name of the strategy that adds up what each author changed. */
  public static final String SUM_OF_CHANGES = "sum-of-changes";

  private static final Settings NONE = new Settings.None();

  public static StrategySpec of(String name) {
    return of(name, NONE);
  }

  public static StrategySpec of(String name, Settings settings) {
    return new StrategySpec(name, settings, Optional.empty(), Optional.empty());
  }

  public static StrategySpec priority(PriorityOf of, List<Json> order) {
    return of("priority", new Settings.Ranking(of, order, SortedArrayMap.empty()));
  }

  public static StrategySpec of(StateMachine machine) {
    return of("state-machine", new Settings.States(machine));
  }

  public static StrategySpec vote(Electorate electorate) {
    return of("vote", new Settings.Voting(electorate));
  }

  public static StrategySpec semantic(SemanticMerge merge) {
    return of("semantic:" + merge.name(), new Settings.Custom(merge, false));
  }

  public StrategySpec with(StateMachine machine) {
    return with(new Settings.States(machine));
  }

  StrategySpec with(Settings other) {
    return new StrategySpec(name, other, patience, otherwise);
  }

  public StrategySpec otherwise(StrategySpec next) {
    return new StrategySpec(name, settings, patience, Optional.of(next));
  }

  public StrategySpec patience(Patience howLong) {
    return new StrategySpec(name, settings, Optional.of(howLong), otherwise);
  }

  /** This step and those behind it. */
  public List<StrategySpec> chain() {
    List<StrategySpec> steps = new ArrayList<>();
    for (Optional<StrategySpec> step = Optional.of(this);
        step.isPresent();
        step = step.get().otherwise()) {
      steps.add(step.get());
    }
    return steps;
  }

  /** The state machine, where this is one. */
  public Optional<StateMachine> machine() {
    return settings instanceof Settings.States(StateMachine machine)
        ? Optional.of(machine)
        : Optional.empty();
  }
}
