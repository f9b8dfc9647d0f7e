// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What clients of registers did and were told, to be checked afterwards: is there an order of all
 * operations, each at a moment between its call and its answer, in which every answer is right? Not
 * thread-safe.
 *
 * <p>Source: Wing and Gong, <i>Testing and verifying concurrent objects</i>, 1993, with the memory
 * and the order of Lowe, <i>Testing for linearizability</i>, 2017: what has happened and a value is
 * looked at once, answer by answer (just-in-time linearization).
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
      Search search = new Search(each.getValue());
      if (!search.finds()) {
        return Optional.of("no order explains what happened to " + each.getKey() + search.told());
      }
    }
    return Optional.empty();
  }

  /**
   * The search for an order of the operations on one register: answer by answer, all states that
   * the register may be in by then.
   *
   * <p>What was never answered and whose value nobody met can explain nothing but that a swap
   * failed, and for that one is as good as another: they are used in the order of their calls. A
   * swap that was never answered is past with the value that it expects.
   */
  private static final class Search {
    /** Any value that nobody met. */
    private static final String UNMET = "\0";

    /** So many states at one answer are looked at; histories with few unknown answers have few. */
    private static final int STATES_MAX = 2_000_000;

    private static final BitSet NOTHING = new BitSet();

    private final List<Operation> operations;

    /** By number: what was called and has not been answered, in order. */
    private final NavigableSet<Integer> open = new TreeSet<>();

    /** By number: what was never answered. */
    private final BitSet unknown = new BitSet();

    /** By number, for what was never answered nor met: what goes before it; else -1. */
    private final int[] before;

    /** The values that somebody met. */
    private final Set<String> met = new HashSet<>();

    /** By value that comes once and is met: the swaps for it that were never answered. */
    private final Map<String, BitSet> past = new HashMap<>();

    /** The first operation whose answer nothing explains; none yet. */
    private int unexplained = -1;

    private boolean gaveUp;

    /** Which of the open operations have happened, and what the value is then. */
    private record State(BitSet happened, String value) {
      State with(int operation, String then, BitSet past) {
        BitSet more = (BitSet) happened.clone();
        more.set(operation);
        more.andNot(past);
        return new State(more, then);
      }

      State without(int operation) {
        BitSet less = (BitSet) happened.clone();
        less.clear(operation);
        return new State(less, value);
      }
    }

    /**
     * States of which none makes another needless: of two that differ only in what was never
     * answered, that in which less has happened, since the rest may happen yet, or never.
     */
    private final class Least {
      /** By the value and what of the answered has happened: what of the others has. */
      private final Map<State, List<BitSet>> least = new HashMap<>();

      private int size;

      /** Takes a state in, unless one that is there makes it needless. */
      boolean add(State state) {
        List<BitSet> there = least.computeIfAbsent(answered(state), _ -> new ArrayList<>());
        BitSet never = never(state);
        if (there.stream().anyMatch(less -> isWithin(less, never))) {
          return false;
        }
        int before = there.size();
        there.removeIf(more -> isWithin(never, more));
        there.add(never);
        size += there.size() - before;
        return true;
      }

      /** Whether nothing has made a state needless that was taken in. */
      boolean holds(State state) {
        return least.getOrDefault(answered(state), List.of()).contains(never(state));
      }

      Set<State> states() {
        Set<State> states = new HashSet<>();
        least.forEach((state, all) -> {
          for (BitSet never : all) {
            BitSet happened = (BitSet) state.happened().clone();
            happened.or(never);
            states.add(new State(happened, state.value()));
          }
        });
        return states;
      }

      private State answered(State state) {
        BitSet happened = (BitSet) state.happened().clone();
        happened.andNot(unknown);
        return new State(happened, state.value());
      }

      private BitSet never(State state) {
        BitSet happened = (BitSet) state.happened().clone();
        happened.and(unknown);
        return happened;
      }

      private static boolean isWithin(BitSet less, BitSet more) {
        BitSet beyond = (BitSet) less.clone();
        beyond.andNot(more);
        return beyond.isEmpty();
      }
    }

    /** A call, or an answer; at one moment, calls come first. */
    private record Event(long at, boolean isAnswer, int operation) {}

    Search(List<Operation> operations) {
      this.operations =
          operations.stream().sorted(Comparator.comparingLong(Operation::called)).toList();
      before = new int[operations.size()];
      Map<String, Integer> written = new HashMap<>(Map.of("", 1));
      for (Operation operation : operations) {
        switch (operation.act()) {
          case Act.Read(String value) -> met.add(value);
          case Act.Write(String value) -> written.merge(value, 1, Integer::sum);
          case Act.Swap(String expected, String value, _) -> {
            met.add(expected);
            written.merge(value, 1, Integer::sum);
          }
        }
      }
      Map<String, Integer> last = new HashMap<>();
      for (int i = 0; i < this.operations.size(); i++) {
        Operation operation = this.operations.get(i);
        unknown.set(i, operation.isUnknown());
        before[i] = -1;
        if (operation.isUnknown()) {
          String kind = operation.act() instanceof Act.Swap swap ? "=" + swap.expected() : "";
          if (value(operation).equals(UNMET)) {
            Integer earlier = last.put(kind, i);
            before[i] = earlier == null ? -1 : earlier;
          }
          if (operation.act() instanceof Act.Swap swap
              && written.getOrDefault(swap.expected(), 0) <= 1) {
            past.computeIfAbsent(swap.expected(), _ -> new BitSet()).set(i);
          }
        }
      }
    }

    /** What an operation leaves, as far as it matters. */
    private String value(Operation operation) {
      String value =
          switch (operation.act()) {
            case Act.Read(String read) -> read;
            case Act.Write(String written) -> written;
            case Act.Swap(_, String written, _) -> written;
          };
      return met.contains(value) ? value : UNMET;
    }

    boolean finds() {
      Set<State> states = Set.of(new State(new BitSet(), ""));
      for (Event event : events()) {
        if (!event.isAnswer()) {
          open.add(event.operation());
          continue;
        }
        states = answered(states, event.operation());
        open.remove(event.operation());
        if (states.isEmpty()) {
          unexplained = event.operation();
          return false;
        }
      }
      return true;
    }

    private List<Event> events() {
      List<Event> events = new ArrayList<>();
      for (int i = 0; i < operations.size(); i++) {
        events.add(new Event(operations.get(i).called(), false, i));
        if (!operations.get(i).isUnknown()) {
          events.add(new Event(operations.get(i).answered(), true, i));
        }
      }
      events.sort(Comparator.comparingLong(Event::at).thenComparing(Event::isAnswer));
      return events;
    }

    /** The states in which an operation has happened, whatever else has until then. */
    private Set<State> answered(Set<State> before, int operation) {
      Least seen = new Least();
      Least after = new Least();
      // Those in which less has happened first: they make most of the others needless.
      PriorityQueue<State> left =
          new PriorityQueue<>(Comparator.comparingInt((State s) -> s.happened().cardinality()));
      before.stream().filter(seen::add).forEach(left::add);
      for (State state = left.poll(); state != null; state = left.poll()) {
        if (seen.size > STATES_MAX) {
          gaveUp = true;
          return Set.of();
        }
        if (state.happened().get(operation)) {
          after.add(state.without(operation));
        } else if (seen.holds(state)) {
          goOn(state, seen, left);
        }
      }
      return after.states();
    }

    private void goOn(State state, Least seen, Collection<State> left) {
      for (int each : open) {
        if (!state.happened().get(each)
            && (before[each] < 0 || state.happened().get(before[each]))) {
          after(operations.get(each), state.value())
              .map(value -> state.with(each, value, leaving(state.value(), value)))
              .filter(seen::add)
              .ifPresent(left::add);
        }
      }
    }

    /** What cannot happen any more once the value changes. */
    private BitSet leaving(String value, String then) {
      return value.equals(then) ? NOTHING : past.getOrDefault(value, NOTHING);
    }

    /** Why not, and all operations up to there, the one that nothing explains marked. */
    String told() {
      StringBuilder told =
          new StringBuilder(gaveUp ? "; the search gave up after " + STATES_MAX + " states" : "");
      for (int i = 0; i < operations.size(); i++) {
        told.append(i == unexplained ? "\n! " : "\n  ").append(operations.get(i));
      }
      return told.toString();
    }

    /** The value after an operation on a value; empty where its answer would be wrong. */
    private Optional<String> after(Operation operation, String value) {
      return switch (operation.act()) {
        case Act.Read(String read) -> read.equals(value) ? Optional.of(value) : Optional.empty();
        case Act.Write _ -> Optional.of(value(operation));
        case Act.Swap(String expected, _, boolean done) -> {
          boolean fits = expected.equals(value);
          if (operation.isUnknown()) {
            // Where it does not fit, nothing happens, as if it never did.
            yield fits ? Optional.of(value(operation)) : Optional.empty();
          }
          yield fits == done ? Optional.of(done ? value(operation) : value) : Optional.empty();
        }
      };
    }
  }
}
