// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What clients of registers did and were told, to be checked afterwards: is there an order of all
 * operations, each at a moment between its call and its answer, in which every answer is right? Not
 * thread-safe.
 *
 * <p>Source: Wing and Gong, <i>Testing and verifying concurrent objects</i>, 1993, with the memory
 * of Lowe, <i>Testing for linearizability</i>, 2017: a set of operations done and a value is looked
 * at once.
 */
public final class History {
  /** The moment of an answer that never came. */
  public static final long NEVER = Long.MAX_VALUE;

  /** What an operation does to a register. The value of one that was never written is empty. */
  public sealed interface Act {
    /** It was answered with this value. */
    record Read(String value) implements Act {}

    /** The value is this from then on. */
    record Write(String value) implements Act {}

    /** The value was expected, and is another from then on; or it was not, and nothing happened. */
    record Swap(String expected, String value, boolean done) implements Act {}
  }

  /** An operation on a register. One whose answer never came may have happened, later or never. */
  public record Operation(String register, String client, long called, long answered, Act act) {
    boolean isUnknown() {
      return answered == NEVER;
    }
  }

  private final List<Operation> operations = new ArrayList<>();

  /** Adds an operation, in any order. */
  public void add(Operation operation) {
    // A read that nobody was told of says nothing.
    if (!(operation.isUnknown() && operation.act() instanceof Act.Read)) {
      operations.add(operation);
    }
  }

  /** How many operations there are. */
  public int size() {
    return operations.size();
  }

  /** The first register whose operations no order explains, with them; empty where all is well. */
  public Optional<String> unexplained() {
    Map<String, List<Operation>> byRegister =
        operations.stream()
            .collect(Collectors.groupingBy(Operation::register, TreeMap::new, Collectors.toList()));
    for (Map.Entry<String, List<Operation>> each : byRegister.entrySet()) {
      // First without what nobody was told of nor saw: that explains nothing but failed swaps.
      Search search = new Search(each.getValue());
      if (!new Search(seen(each.getValue())).finds() && !search.finds()) {
        return Optional.of("no order explains what happened to " + each.getKey() + search.told());
      }
    }
    return Optional.empty();
  }

  /** The operations that were answered, and those of the others whose values somebody met. */
  private static List<Operation> seen(List<Operation> operations) {
    Set<String> met = new HashSet<>();
    for (Operation operation : operations) {
      switch (operation.act()) {
        case Act.Read(String value) -> met.add(value);
        case Act.Swap(String expected, _, _) -> met.add(expected);
        case Act.Write _ -> {}
      }
    }
    return operations.stream()
        .filter(o -> !o.isUnknown() || met.contains(written(o.act())))
        .toList();
  }

  private static String written(Act act) {
    return switch (act) {
      case Act.Read(String value) -> value;
      case Act.Write(String value) -> value;
      case Act.Swap(_, String value, _) -> value;
    };
  }

  /** The search for an order of the operations on one register. */
  private static final class Search {
    /** So many states are looked at; more than histories with few unknown answers have. */
    private static final int STATES_MAX = 2_000_000;

    private final List<Operation> operations;
    private final Set<State> seen = new HashSet<>();

    /** The operations of the longest order that was found. */
    private BitSet furthest = new BitSet();

    /** What was done, and what the value is then. */
    private record State(BitSet done, String value) {}

    Search(List<Operation> operations) {
      this.operations =
          operations.stream().sorted((a, b) -> Long.compare(a.called(), b.called())).toList();
    }

    boolean finds() {
      List<State> open = new ArrayList<>();
      open.add(new State(new BitSet(), ""));
      while (!open.isEmpty()) {
        State state = open.removeLast();
        if (isComplete(state.done())) {
          return true;
        }
        if (seen.add(state)) {
          furthest = state.done().cardinality() > furthest.cardinality() ? state.done() : furthest;
          next(state, open);
        }
        if (seen.size() > STATES_MAX) {
          return false;
        }
      }
      return false;
    }

    /** All operations; those that the longest order could not take in are marked. */
    String told() {
      StringBuilder told = new StringBuilder();
      for (int i = 0; i < operations.size(); i++) {
        told.append(furthest.get(i) ? "\n  " : "\n! ").append(operations.get(i));
      }
      return told.toString();
    }

    /** All whose answers came are done; the others need not have happened. */
    private boolean isComplete(BitSet done) {
      for (int i = done.nextClearBit(0); i < operations.size(); i = done.nextClearBit(i + 1)) {
        if (!operations.get(i).isUnknown()) {
          return false;
        }
      }
      return true;
    }

    private void next(State state, List<State> open) {
      long firstAnswer = NEVER;
      for (int i = 0; i < operations.size(); i++) {
        if (!state.done().get(i)) {
          firstAnswer = Math.min(firstAnswer, operations.get(i).answered());
        }
      }
      // What was looked at last is gone on with first: what was answered before what was not.
      push(state, firstAnswer, true, open);
      push(state, firstAnswer, false, open);
    }

    private void push(State state, long firstAnswer, boolean unknown, List<State> open) {
      for (int i = 0; i < operations.size(); i++) {
        Operation each = operations.get(i);
        if (each.called() > firstAnswer) {
          break;
        }
        if (each.isUnknown() == unknown && !state.done().get(i)) {
          Optional<String> value = after(each, state.value());
          if (value.isPresent()) {
            BitSet done = (BitSet) state.done().clone();
            done.set(i);
            open.add(new State(done, value.get()));
          }
        }
      }
    }

    /** The value after an operation on a value; empty where its answer would be wrong. */
    private static Optional<String> after(Operation operation, String value) {
      return switch (operation.act()) {
        case Act.Read(String read) -> read.equals(value) ? Optional.of(value) : Optional.empty();
        case Act.Write(String written) -> Optional.of(written);
        case Act.Swap(String expected, String written, boolean done) -> {
          boolean fits = expected.equals(value);
          if (operation.isUnknown()) {
            yield Optional.of(fits ? written : value);
          }
          yield fits == done ? Optional.of(done ? written : value) : Optional.empty();
        }
      };
    }
  }
}
