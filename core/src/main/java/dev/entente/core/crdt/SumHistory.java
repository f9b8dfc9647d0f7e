// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.causality.Dot;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * The changes that an assigned number is the sum of; see decision 38.
 *
 * <p>An assignment's value includes the change of every assignment in its context. So the sum of
 * several assignments is the value of one of them, plus each change that its context does not
 * contain. That is exact as long as all of these changes are known: everything older than what
 * {@code earlier} lists must be in that context too, which is so where the context contains {@code
 * floor}.
 *
 * @param own by how much the assignment changed the number that its author read
 * @param earlier the changes that the value includes, back to the floor
 * @param floor assignments that had seen everything that is included and not listed
 */
public record SumHistory(BigDecimal own, NavigableMap<Dot, BigDecimal> earlier, List<Dot> floor) {
  /** How many changes travel with an assignment; beyond, its history begins anew. */
  public static final int EARLIER_MAX = 32;

  private static final int FLOOR_MAX = 8;

  public SumHistory {
    own = own.stripTrailingZeros();
    NavigableMap<Dot, BigDecimal> sorted = new TreeMap<>();
    earlier.forEach((dot, change) -> sorted.put(dot, change.stripTrailingZeros()));
    earlier = Collections.unmodifiableNavigableMap(sorted);
    floor = floor.stream().sorted().distinct().toList();
  }

  /**
   * The history of a number that replaces others.
   *
   * @param value what is assigned
   * @param read the number that the author had read; absent where there was none
   * @param replaced the assignments that it covers
   */
  public static Optional<SumHistory> of(Json value, Json read, List<Assignment> replaced) {
    if (!(value instanceof JsonNumber(BigDecimal number))) {
      return Optional.empty();
    }
    BigDecimal before = read instanceof JsonNumber(BigDecimal n) ? n : BigDecimal.ZERO;
    BigDecimal own = number.subtract(before);
    if (!isRepresentable(own)) {
      return Optional.empty();
    }
    SumHistory anew =
        new SumHistory(own, new TreeMap<>(), replaced.stream().map(Assignment::dot).toList());
    // What was read is not their sum where a person or another rule had settled it.
    boolean isSum = total(replaced).filter(sum -> sum.compareTo(before) == 0).isPresent();
    return Optional.of(isSum ? anew.including(replaced) : anew);
  }

  private static boolean isRepresentable(BigDecimal number) {
    try {
      return Json.of(number) instanceof JsonNumber;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private SumHistory including(List<Assignment> replaced) {
    NavigableMap<Dot, BigDecimal> all = new TreeMap<>();
    TreeSet<Dot> oldest = new TreeSet<>();
    for (Assignment one : replaced) {
      SumHistory history = one.sumHistory().orElseThrow();
      history.earlier.forEach(all::putIfAbsent);
      all.putIfAbsent(one.dot(), history.own);
      oldest.addAll(history.floor);
    }
    return all.size() > EARLIER_MAX || oldest.size() > FLOOR_MAX
        ? this
        : new SumHistory(own, all, List.copyOf(oldest));
  }

  /**
   * The number that all changes behind some assignments add up to, each counted once; empty where
   * that cannot be told from what travels with them.
   */
  public static Optional<BigDecimal> total(List<Assignment> assignments) {
    if (assignments.isEmpty()) {
      return Optional.of(BigDecimal.ZERO);
    }
    for (Assignment assignment : assignments) {
      if (assignment.sumHistory().isEmpty() || !(assignment.value() instanceof JsonNumber)) {
        return Optional.empty();
      }
    }
    return assignments.stream()
        .filter(from -> assignments.stream().allMatch(other -> isExactFrom(from, other)))
        .findFirst()
        .map(from -> totalFrom(from, assignments));
  }

  private static boolean isExactFrom(Assignment from, Assignment other) {
    return from.dot().equals(other.dot())
        || other.sumHistory().orElseThrow().floor.stream().allMatch(dot -> includes(from, dot));
  }

  private static boolean includes(Assignment assignment, Dot dot) {
    return assignment.dot().equals(dot) || assignment.context().contains(dot);
  }

  private static BigDecimal totalFrom(Assignment from, List<Assignment> assignments) {
    NavigableMap<Dot, BigDecimal> changes = new TreeMap<>();
    for (Assignment other : assignments) {
      SumHistory history = other.sumHistory().orElseThrow();
      history.earlier.forEach(changes::putIfAbsent);
      changes.putIfAbsent(other.dot(), history.own);
    }
    BigDecimal sum = ((JsonNumber) from.value()).value();
    for (Map.Entry<Dot, BigDecimal> change : changes.entrySet()) {
      sum = includes(from, change.getKey()) ? sum : sum.add(change.getValue());
    }
    return sum;
  }

  /** The same with other dots, such as the first version in the place of a repetition. */
  public SumHistory renamed(UnaryOperator<Dot> names) {
    NavigableMap<Dot, BigDecimal> renamed = new TreeMap<>();
    earlier.forEach((dot, change) -> renamed.putIfAbsent(names.apply(dot), change));
    return new SumHistory(own, renamed, floor.stream().map(names).toList());
  }
}
