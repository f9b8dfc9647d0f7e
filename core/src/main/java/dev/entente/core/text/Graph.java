// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who made each event and what they had seen, in runs: of one agent, each event following the one
 * before. Events are numbered in the order in which this replica learned of them, parents first.
 * Not thread-safe.
 */
final class Graph {
  private static final int[] NONE = {};

  private final IntArray starts = new IntArray();
  private final IntArray agents = new IntArray();
  private final IntArray sequences = new IntArray();
  private final List<int[]> parents = new ArrayList<>();

  /** 1 where, when the run was added, its end had seen all events before it. */
  private final IntArray single = new IntArray();

  private final List<String> names = new ArrayList<>();
  private final Map<String, Integer> agentsByName = new HashMap<>();

  /** For each agent its runs, by ascending sequence. */
  private final List<IntArray> runsOfAgent = new ArrayList<>();

  private int[] frontier = NONE;
  private int end;

  int size() {
    return end;
  }

  int runs() {
    return starts.size();
  }

  int start(int run) {
    return starts.get(run);
  }

  int end(int run) {
    return run + 1 < starts.size() ? starts.get(run + 1) : end;
  }

  int agent(int run) {
    return agents.get(run);
  }

  int sequence(int run) {
    return sequences.get(run);
  }

  /** The parents of the run's first event, ascending; empty where it had seen nothing. */
  int[] parents(int run) {
    return parents.get(run);
  }

  int runOf(int event) {
    return starts.floor(event);
  }

  /** The number that an event has among those of its agent. */
  int sequenceOf(int event) {
    int run = runOf(event);
    return sequences.get(run) + event - starts.get(run);
  }

  /** What an event had seen directly, ascending. */
  int[] parentsOf(int event) {
    int run = runOf(event);
    return event == starts.get(run) ? parents.get(run) : new int[] {event - 1};
  }

  /** The events that no other has seen, ascending. */
  int[] frontier() {
    return frontier;
  }

  int agents() {
    return names.size();
  }

  String name(int agent) {
    return names.get(agent);
  }

  int agent(String name) {
    Integer known = agentsByName.get(name);
    if (known != null) {
      return known;
    }
    names.add(name);
    runsOfAgent.add(new IntArray());
    agentsByName.put(name, names.size() - 1);
    return names.size() - 1;
  }

  /** How many events of an agent are known; they are always its first. */
  int known(int agent) {
    IntArray runs = runsOfAgent.get(agent);
    if (runs.size() == 0) {
      return 0;
    }
    int run = runs.last();
    return sequences.get(run) + end(run) - starts.get(run);
  }

  int known(String name) {
    Integer agent = agentsByName.get(name);
    return agent == null ? 0 : known(agent);
  }

  /** The event of an agent with a number of its own; it must be known. */
  int event(int agent, int sequence) {
    IntArray runs = runsOfAgent.get(agent);
    int low = 0;
    int high = runs.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (sequences.get(runs.get(middle)) <= sequence) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    int run = runs.get(low);
    return starts.get(run) + sequence - sequences.get(run);
  }

  /** Adds events of an agent, the first after {@code seen}, each other after the one before. */
  void add(int agent, int length, int[] seen) {
    int last = starts.size() - 1;
    boolean follows = seen.length == 1 && seen[0] == end - 1;
    if (last < 0 || !follows || agents.get(last) != agent) {
      int sequence = known(agent);
      starts.add(end);
      agents.add(agent);
      sequences.add(sequence);
      parents.add(seen);
      runsOfAgent.get(agent).add(starts.size() - 1);
      frontier = frontierAfter(seen);
      single.add(frontier.length == 1 ? 1 : 0);
    }
    end += length;
    frontier[frontier.length - 1] = end - 1;
  }

  /** Without what was seen, and with a place at the end for the newest event. */
  private int[] frontierAfter(int[] seen) {
    IntArray kept = new IntArray();
    for (int head : frontier) {
      boolean covered = false;
      for (int parent : seen) {
        covered |= parent == head;
      }
      if (!covered) {
        kept.add(head);
      }
    }
    kept.add(end);
    return kept.toArray();
  }

  /**
   * The latest event, at most {@code limit}, that every other either led to or follows from; -1
   * where there is none, which is the beginning. What came before it never needs transforming
   * again. Source: Gentle, Kleppmann, <i>Collaborative text editing with Eg-walker</i>, 2024
   * (critical versions).
   */
  int critical(int limit) {
    int lowestParent = Integer.MAX_VALUE;
    for (int run = starts.size() - 1; run >= 0; run--) {
      int candidate = Math.min(Math.min(lowestParent, limit), end(run) - 1);
      if (single.get(run) == 1 && candidate >= starts.get(run)) {
        return candidate;
      }
      int[] before = parents.get(run);
      lowestParent = Math.min(lowestParent, before.length == 0 ? -1 : before[0]);
      if (lowestParent < 0) {
        return -1;
      }
    }
    return -1;
  }

  /** How much was known at a moment, for {@link #rollBack}. */
  record Mark(int runs, int end, int[] frontier, int agents) {}

  Mark mark() {
    return new Mark(starts.size(), end, frontier.clone(), names.size());
  }

  /** Forgets what was added since a mark was taken. */
  void rollBack(Mark mark) {
    for (int run = starts.size() - 1; run >= mark.runs; run--) {
      runsOfAgent.get(agents.get(run)).removeLast();
    }
    starts.truncate(mark.runs);
    agents.truncate(mark.runs);
    sequences.truncate(mark.runs);
    single.truncate(mark.runs);
    parents.subList(mark.runs, parents.size()).clear();
    List<String> added = names.subList(mark.agents, names.size());
    added.forEach(agentsByName::remove);
    added.clear();
    runsOfAgent.subList(mark.agents, runsOfAgent.size()).clear();
    frontier = mark.frontier;
    end = mark.end;
  }

  void trim() {
    starts.trim();
    agents.trim();
    sequences.trim();
    single.trim();
    runsOfAgent.forEach(IntArray::trim);
  }
}
