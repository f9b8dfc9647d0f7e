// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.NodeId;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntSupplier;

/**
 * What other nodes say that they have of third nodes. Numbers under which nothing was written
 * cannot be shown, so they count once as many different nodes say so as there have to be. Used by
 * the sequencer's thread only.
 */
final class Witnesses {
  /** More authors are not followed. */
  private static final int AUTHORS_MAX = 1_000;

  /** More nodes that say something of one author are not followed. */
  private static final int NODES_MAX = 16;

  private final IntSupplier needed;

  /** Up to which number each node, by its name, says to have all of an author. */
  private final Map<NodeId, Map<String, Long>> said = new TreeMap<>();

  Witnesses(IntSupplier needed) {
    this.needed = needed;
  }

  /**
   * Takes note of what a node says.
   *
   * @return up to which number enough nodes say to have all of the author
   */
  long hear(NodeId author, String witness, long claimed) {
    if (said.size() >= AUTHORS_MAX && !said.containsKey(author)) {
      said.clear();
    }
    Map<String, Long> ofAuthor = said.computeIfAbsent(author, _ -> new TreeMap<>());
    if (ofAuthor.size() >= NODES_MAX && !ofAuthor.containsKey(witness)) {
      ofAuthor.clear();
    }
    ofAuthor.put(witness, claimed);
    List<Long> lowestFirst = ofAuthor.values().stream().sorted().toList();
    int needs = Math.max(1, needed.getAsInt());
    return lowestFirst.size() < needs ? 0 : lowestFirst.get(lowestFirst.size() - needs);
  }
}
