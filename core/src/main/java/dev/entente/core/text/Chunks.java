// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Arrays;

/**
 * The part of a graph after a critical event, cut into chunks such that history forks and joins
 * only where chunks meet. Chunks are numbered in the order of their events.
 */
final class Chunks {
  private static final int[] NONE = {};

  private final int[] starts;
  private final int end;
  private final int[][] parents;
  private final int[][] children;
  private final boolean[] critical;

  /**
   * @param first the first event of the part
   * @param more further places to cut at
   */
  Chunks(Graph graph, int first, int... more) {
    end = graph.size();
    starts = cuts(graph, first, more);
    parents = new int[starts.length][];
    IntArray[] following = new IntArray[starts.length];
    int run = graph.runOf(first);
    for (int chunk = 0; chunk < starts.length; chunk++) {
      while (graph.end(run) <= starts[chunk]) {
        run++;
      }
      if (graph.start(run) == starts[chunk]) {
        parents[chunk] = inside(graph.parents(run), first);
      } else {
        parents[chunk] = chunk == 0 ? NONE : new int[] {chunk - 1};
      }
      for (int parent : parents[chunk]) {
        if (following[parent] == null) {
          following[parent] = new IntArray();
        }
        following[parent].add(chunk);
      }
    }
    children = new int[starts.length][];
    for (int chunk = 0; chunk < starts.length; chunk++) {
      children[chunk] = following[chunk] == null ? NONE : following[chunk].toArray();
    }
    critical = criticals();
  }

  private static int[] cuts(Graph graph, int first, int[] more) {
    IntArray cuts = new IntArray();
    cuts.add(first);
    for (int cut : more) {
      if (cut > first && cut < graph.size()) {
        cuts.add(cut);
      }
    }
    for (int run = graph.runOf(first); run < graph.runs(); run++) {
      if (graph.start(run) < first) {
        continue;
      }
      cuts.add(graph.start(run));
      for (int parent : graph.parents(run)) {
        if (parent >= first && parent + 1 < graph.size()) {
          cuts.add(parent + 1);
        }
      }
    }
    int[] sorted = cuts.toArray();
    Arrays.sort(sorted);
    int count = 0;
    for (int i = 0; i < sorted.length; i++) {
      if (i == 0 || sorted[i] != sorted[i - 1]) {
        sorted[count++] = sorted[i];
      }
    }
    return Arrays.copyOf(sorted, count);
  }

  /** The chunks that end in these events; those before the part are left out. */
  private int[] inside(int[] events, int first) {
    int[] chunks = new int[events.length];
    int count = 0;
    for (int event : events) {
      if (event >= first) {
        chunks[count++] = at(event);
      }
    }
    return count == 0 ? NONE : Arrays.copyOf(chunks, count);
  }

  /** A chunk is critical where its end is; see {@link Graph#critical}. */
  private boolean[] criticals() {
    boolean[] result = new boolean[starts.length];
    boolean[] covered = new boolean[starts.length];
    int heads = 0;
    for (int chunk = 0; chunk < starts.length; chunk++) {
      for (int parent : parents[chunk]) {
        if (!covered[parent]) {
          covered[parent] = true;
          heads--;
        }
      }
      heads++;
      result[chunk] = heads == 1;
    }
    int lowest = Integer.MAX_VALUE;
    for (int chunk = starts.length - 1; chunk >= 0; chunk--) {
      result[chunk] &= lowest >= chunk;
      lowest = Math.min(lowest, parents[chunk].length == 0 ? -1 : parents[chunk][0]);
    }
    return result;
  }

  int size() {
    return starts.length;
  }

  int start(int chunk) {
    return starts[chunk];
  }

  int end(int chunk) {
    return chunk + 1 < starts.length ? starts[chunk + 1] : end;
  }

  /** The chunk that an event is in. */
  int at(int event) {
    int at = Arrays.binarySearch(starts, event);
    return at >= 0 ? at : -at - 2;
  }

  int[] parents(int chunk) {
    return parents[chunk];
  }

  /** True where nothing was concurrent with any event of the chunk. */
  boolean isAlone(int chunk) {
    return critical[chunk] && (chunk == 0 || critical[chunk - 1]);
  }

  /**
   * The chunks from one to another in an order that has parents first and stays on a branch as long
   * as it can.
   */
  int[] order(int from, int to) {
    int[] order = new int[to - from];
    int[] waiting = new int[to - from];
    IntArray ready = new IntArray();
    for (int chunk = to - 1; chunk >= from; chunk--) {
      for (int parent : parents[chunk]) {
        if (parent >= from) {
          waiting[chunk - from]++;
        }
      }
      if (waiting[chunk - from] == 0) {
        ready.add(chunk);
      }
    }
    int count = 0;
    while (ready.size() > 0) {
      int chunk = ready.removeLast();
      order[count++] = chunk;
      int[] next = children[chunk];
      for (int i = next.length - 1; i >= 0; i--) {
        if (next[i] < to && --waiting[next[i] - from] == 0) {
          ready.add(next[i]);
        }
      }
    }
    return order;
  }
}
