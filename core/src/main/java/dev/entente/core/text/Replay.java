// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Arrays;

/**
 * Replays edits of a sequence that several authors made, each of whom had seen some of the others',
 * on what was there before. Items are numbers: code points, or indices into a table of the
 * caller's. Edits outside of what their author can have seen are moved to its end; nothing is
 * thrown. Not thread-safe.
 *
 * <p>To add an edit, call {@link #delete} and {@link #insert} for its parts and then {@link #end}.
 */
public final class Replay {
  private final int[] base;
  private final Graph graph = new Graph();
  private final Operations operations = new Operations();

  public Replay(int[] base) {
    this.base = base.clone();
  }

  public void delete(int position, int count) {
    if (count > 0) {
      operations.delete(position, count);
    }
  }

  public void insert(int position, int[] items) {
    if (items.length > 0) {
      operations.insert(position, items);
    }
  }

  /**
   * Ends an edit.
   *
   * @param agent a name of this edit alone; by it edits at one place are ordered that see each
   *     other in no other way
   * @param seen what {@link #end} gave for the edits that its author had seen last
   * @return names this edit from now on; -1 where it did nothing
   */
  public int end(String agent, int[] seen) {
    int length = operations.size() - graph.size();
    if (length == 0) {
      return -1;
    }
    int[] parents = seen.clone();
    Arrays.sort(parents);
    graph.add(graph.agent(agent), length, parents);
    return graph.size() - 1;
  }

  /** What all edits together make of the base. */
  public int[] outcome() {
    ItemBuffer items = new ItemBuffer();
    items.insert(0, base);
    if (graph.size() > 0) {
      new Walker(graph, operations, -1).walk(0, graph.size(), new Clipped(items));
    }
    return items.toArray();
  }

  /**
   * Where in the outcome positions of an earlier version are.
   *
   * @param version what {@link #end} gave for the last edits of that version; none: the base
   */
  public int[] positions(int[] version, int[] positions, boolean stickToNext) {
    int[] heads = version.clone();
    Arrays.sort(heads);
    int[] cuts = new int[heads.length];
    for (int i = 0; i < heads.length; i++) {
      cuts[i] = heads[i] + 1;
    }
    if (graph.size() == 0) {
      return positions.clone();
    }
    Walker walker = new Walker(graph, operations, -1, cuts);
    walker.walkTogether();
    int[] now = new int[positions.length];
    for (int i = 0; i < now.length; i++) {
      now[i] = walker.outcomeOf(heads, positions[i], stickToNext);
    }
    return now;
  }

  /** Carries operations out as far as the items reach. */
  private final class Clipped implements Sink {
    private final ItemBuffer items;

    Clipped(ItemBuffer items) {
      this.items = items;
    }

    @Override
    public void insert(int position, int offset, int length) {
      items.insert(Math.min(position, items.size()), operations.content(), offset, length);
    }

    @Override
    public void delete(int position, int length) {
      int from = Math.min(position, items.size());
      items.delete(from, Math.min(length, items.size() - from));
    }
  }
}
