// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What sessions of clients did with causally consistent registers, and whether causality explains
 * it: there is an order of what happened before what, in which a session's operations follow each
 * other and a read follows the write it reads from; no read returns what a write before it had
 * replaced; and concurrent writes are settled alike for everybody. Every value is written once. Not
 * thread-safe.
 *
 * <p>What is looked for are the bad patterns that an explicable history lacks and any other has:
 * <i>CyclicCO, ThinAirRead, WriteCOInitRead, WriteCORead</i> and <i>CyclicCF</i> of Bouajjani,
 * Enea, Guerraoui and Hamza, <i>On verifying causal consistency</i>, 2017.
 */
public final class CausalHistory {
  private record Operation(
      int number, boolean isWrite, String session, String register, String value) {
    @Override
    public String toString() {
      return session
          + (isWrite ? " writes " : " reads ")
          + (value.isEmpty() ? "nothing" : value)
          + (isWrite ? " to " : " from ")
          + register;
    }
  }

  private final List<Operation> operations = new ArrayList<>();

  /** What directly follows each operation. */
  private final List<Set<Integer>> next = new ArrayList<>();

  private final Map<String, Integer> lastOf = new HashMap<>();
  private final Map<String, Integer> writes = new HashMap<>();

  private int add(boolean isWrite, String session, String register, String value) {
    int number = operations.size();
    operations.add(new Operation(number, isWrite, session, register, value));
    next.add(new HashSet<>());
    Integer before = lastOf.get(session);
    if (before != null) {
      next.get(before).add(number);
    }
    return number;
  }

  /**
   * A session wrote.
   *
   * @param known whether it was told so; what may have happened comes before nothing else of it
   */
  public void write(String session, String register, String value, boolean known) {
    int number = add(true, session, register, value);
    if (writes.put(register + "=" + value, number) != null) {
      throw new IllegalArgumentException(value + " is written twice");
    }
    if (known) {
      lastOf.put(session, number);
    }
  }

  /** A session read a value; empty where there was none. */
  public void read(String session, String register, String value) {
    lastOf.put(session, add(false, session, register, value));
  }

  /** How many operations there are. */
  public int size() {
    return operations.size();
  }

  /** What causality does not explain; empty where it explains all. */
  public Optional<String> unexplained() {
    int[] source = new int[operations.size()];
    for (Operation operation : operations) {
      if (operation.isWrite || operation.value.isEmpty()) {
        continue;
      }
      Integer write = writes.get(operation.register + "=" + operation.value);
      if (write == null) {
        return Optional.of(operation + ", which nobody wrote");
      }
      source[operation.number] = write;
      next.get(write).add(operation.number);
    }
    List<Integer> order = ordered(next);
    if (order == null) {
      return Optional.of("what is read comes before it is written");
    }
    List<BitSet> before = before(order);
    List<Set<Integer>> settled = new ArrayList<>();
    next.forEach(after -> settled.add(new HashSet<>(after)));
    Map<String, List<Integer>> byRegister = new HashMap<>();
    writes
        .values()
        .forEach(number ->
            byRegister
                .computeIfAbsent(operations.get(number).register, _ -> new ArrayList<>())
                .add(number));
    for (Operation read : operations) {
      if (!read.isWrite) {
        for (int write : byRegister.getOrDefault(read.register, List.of())) {
          if (!before.get(read.number).get(write)) {
            continue;
          }
          if (read.value.isEmpty()) {
            return Optional.of(read + ", though " + operations.get(write) + " comes before");
          }
          int from = source[read.number];
          if (write != from && before.get(write).get(from)) {
            return Optional.of(read + ", though " + operations.get(write) + " replaced it before");
          }
          if (write != from) {
            settled.get(write).add(from);
          }
        }
      }
    }
    return ordered(settled) == null
        ? Optional.of("concurrent writes are settled one way here and another way there")
        : Optional.empty();
  }

  /** An order in which everything comes before what follows it; null where there is none. */
  private static @Nullable List<Integer> ordered(List<Set<Integer>> next) {
    int[] open = new int[next.size()];
    next.forEach(after -> after.forEach(number -> open[number]++));
    Deque<Integer> ready = new ArrayDeque<>();
    for (int i = 0; i < open.length; i++) {
      if (open[i] == 0) {
        ready.add(i);
      }
    }
    List<Integer> order = new ArrayList<>();
    while (!ready.isEmpty()) {
      int number = ready.removeFirst();
      order.add(number);
      for (int after : next.get(number)) {
        if (--open[after] == 0) {
          ready.add(after);
        }
      }
    }
    return order.size() == next.size() ? order : null;
  }

  /** All that comes before each operation. */
  private List<BitSet> before(List<Integer> order) {
    List<BitSet> before = new ArrayList<>();
    for (int i = 0; i < operations.size(); i++) {
      before.add(new BitSet());
    }
    for (int number : order) {
      for (int after : next.get(number)) {
        before.get(after).or(before.get(number));
        before.get(after).set(number);
      }
    }
    return before;
  }
}
