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
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
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
 * Enea, Guerraoui and Hamza, <i>On verifying causal consistency</i>, 2017. Takes time and memory
 * that grow with the operations, times the sessions.
 */
public final class CausalHistory {
  /**
   * An operation of a session.
   *
   * @param known whether its session was told of it
   * @param place the how manieth of those that its session was told of; of a write that nobody was
   *     told of, the how manieth of all such
   */
  private record Operation(
      int number,
      boolean isWrite,
      String session,
      String register,
      String value,
      boolean known,
      int place) {
    @Override
    public String toString() {
      return session
          + (isWrite ? " writes " : " reads ")
          + (value.isEmpty() ? "nothing" : value)
          + (isWrite ? " to " : " from ")
          + register;
    }
  }

  private static final Past NOTHING = new Past();

  private final List<Operation> operations = new ArrayList<>();

  /** What directly follows each operation. */
  private final List<Set<Integer>> next = new ArrayList<>();

  /** The last operation of each session that it was told of. */
  private final Map<String, Integer> lastOf = new HashMap<>();

  /** How many writes nobody was told of. */
  private int untold;

  private final Map<String, Integer> writes = new HashMap<>();

  private int add(boolean isWrite, String session, String register, String value, boolean known) {
    int number = operations.size();
    Integer before = lastOf.get(session);
    int place = known ? before == null ? 1 : operations.get(before).place + 1 : untold++;
    operations.add(new Operation(number, isWrite, session, register, value, known, place));
    next.add(new HashSet<>());
    if (before != null) {
      next.get(before).add(number);
    }
    if (known) {
      lastOf.put(session, number);
    }
    return number;
  }

  /**
   * A session wrote.
   *
   * @param known whether it was told so; what may have happened comes before nothing else of it
   */
  public void write(String session, String register, String value, boolean known) {
    int number = add(true, session, register, value, known);
    if (writes.put(register + "=" + value, number) != null) {
      throw new IllegalArgumentException(value + " is written twice");
    }
  }

  /** A session read a value; empty where there was none. */
  public void read(String session, String register, String value) {
    add(false, session, register, value, true);
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
    Map<Integer, Past> pasts = pasts(order);
    Writes all = new Writes();
    List<Set<Integer>> settled = new ArrayList<>();
    next.forEach(after -> settled.add(new HashSet<>(after)));
    for (Operation read : operations) {
      if (read.isWrite) {
        continue;
      }
      int from = source[read.number];
      for (Operation write : all.lastBefore(read, past(pasts, read))) {
        if (read.value.isEmpty()) {
          return Optional.of(read + ", though " + write + " comes before");
        }
        if (write.number != from) {
          if (past(pasts, write).holds(operations.get(from))) {
            return Optional.of(read + ", though " + write + " replaced it before");
          }
          if (!past(pasts, operations.get(from)).holds(write)) {
            settled.get(write.number).add(from);
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

  /**
   * What comes before an operation: of each session up to where, and which of the writes that
   * nobody was told of.
   */
  private record Past(Map<String, Integer> upTo, BitSet untold) {
    Past() {
      this(new HashMap<>(), new BitSet());
    }

    /** Whether an operation comes before. */
    boolean holds(Operation operation) {
      return operation.known
          ? upTo.getOrDefault(operation.session, 0) >= operation.place
          : untold.get(operation.place);
    }

    /** Adds an operation with all that comes before it. */
    void add(Operation operation, Past before) {
      before.upTo.forEach((session, place) -> upTo.merge(session, place, Math::max));
      untold.or(before.untold);
      if (operation.known) {
        upTo.merge(operation.session, operation.place, Math::max);
      } else {
        untold.set(operation.place);
      }
    }
  }

  private static Past past(Map<Integer, Past> pasts, Operation operation) {
    return pasts.getOrDefault(operation.number, NOTHING);
  }

  /** All that comes before each operation that something comes before. */
  private Map<Integer, Past> pasts(List<Integer> order) {
    Map<Integer, Past> pasts = new HashMap<>();
    for (int number : order) {
      Operation operation = operations.get(number);
      for (int after : next.get(number)) {
        pasts.computeIfAbsent(after, _ -> new Past()).add(operation, past(pasts, operation));
      }
    }
    return pasts;
  }

  /** The writes to each register, to find those that matter to a read. */
  private final class Writes {
    private final Map<String, Map<String, NavigableMap<Integer, Operation>>> told = new HashMap<>();
    private final Map<String, List<Operation>> untold = new HashMap<>();

    Writes() {
      for (Operation operation : operations) {
        if (operation.isWrite && operation.known) {
          told.computeIfAbsent(operation.register, _ -> new HashMap<>())
              .computeIfAbsent(operation.session, _ -> new TreeMap<>())
              .put(operation.place, operation);
        } else if (operation.isWrite) {
          untold.computeIfAbsent(operation.register, _ -> new ArrayList<>()).add(operation);
        }
      }
    }

    /**
     * The writes to a register that come before a read of it, of each session the last: what holds
     * of the others follows, since they come before that one.
     */
    List<Operation> lastBefore(Operation read, Past past) {
      List<Operation> last = new ArrayList<>();
      told.getOrDefault(read.register, Map.of())
          .forEach((session, writes) -> {
            Map.Entry<Integer, Operation> found =
                writes.floorEntry(past.upTo.getOrDefault(session, 0));
            if (found != null) {
              last.add(found.getValue());
            }
          });
      for (Operation write : untold.getOrDefault(read.register, List.of())) {
        if (past.holds(write)) {
          last.add(write);
        }
      }
      return last;
    }
  }
}
