// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.json.Json;
import java.util.List;
import java.util.Optional;

/**
 * A strategy as a policy names it, with its settings.
 *
 * @param order for {@code priority}: what comes first wins
 * @param of what {@code order} lists
 * @param machine for {@code state-machine}
 * @param otherwise what decides where this one cannot; manual review if empty
 */
public record StrategySpec(
    String name,
    List<Json> order,
    PriorityOf of,
    Optional<StateMachine> machine,
    Optional<StrategySpec> otherwise) {

  /** What a {@code priority} ranks. */
  public enum PriorityOf {
    VALUES,
    AUTHORS,
    NODES
  }

  public StrategySpec {
    order = List.copyOf(order);
  }

  public static StrategySpec of(String name) {
    return new StrategySpec(name, List.of(), PriorityOf.VALUES, Optional.empty(), Optional.empty());
  }

  public static StrategySpec priority(PriorityOf of, List<Json> order) {
    return new StrategySpec("priority", order, of, Optional.empty(), Optional.empty());
  }

  public static StrategySpec of(StateMachine machine) {
    return new StrategySpec(
        "state-machine", List.of(), PriorityOf.VALUES, Optional.of(machine), Optional.empty());
  }

  public StrategySpec otherwise(StrategySpec next) {
    return new StrategySpec(name, order, of, machine, Optional.of(next));
  }
}
