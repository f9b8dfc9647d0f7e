// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Compares events that both of two histories have. An event is named by its agent and a number, and
 * never changes; where two histories differ on one, two replicas have edited under one name.
 */
final class SharedNames {
  private final Graph graph;
  private final Operations operations;

  SharedNames(Graph graph, Operations operations) {
    this.graph = graph;
    this.operations = operations;
  }

  /** How many of an agent's events, counted from {@code sequence}, are known here. */
  int shared(String agent, int sequence, int length) {
    return Math.clamp((long) graph.known(agent) - sequence, 0, length);
  }

  /**
   * Refuses events that differ from those that are known here. Each follows the one before.
   *
   * @param seen what the first event had seen, as events known here; null where that is not known
   *     here
   * @param from the first of the events in {@code theirs}
   */
  void requireSame(
      String agent, int sequence, int @Nullable [] seen, Operations theirs, int from, int count) {
    int number = graph.agent(agent);
    int[] parents = seen;
    for (int done = 0; done < count; ) {
      int event = graph.event(number, sequence + done);
      int length = Math.min(count - done, graph.end(graph.runOf(event)) - event);
      if (!Arrays.equals(parents, graph.parentsOf(event))
          || !operations.same(event, theirs, from + done, length)) {
        throw twoReplicas(agent);
      }
      parents = new int[] {event + length - 1};
      done += length;
    }
  }

  static IllegalStateException twoReplicas(String agent) {
    return new IllegalStateException(
        "there are two replicas named "
            + agent
            + "; give each a name of its own, since merging them would lose changes");
  }
}
