// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One side of a list merge: says for each of its elements which element of the base it stands for.
 * An element stands for an equal one that a longest common subsequence pairs it with; else for the
 * equal one that it was moved from, where both are unique; else, where a stretch between paired
 * elements was replaced by as many others, for the one in its place.
 *
 * @param keys what identifies each element
 * @param ids for each element the index in the base of what it stands for, or {@link #NEW}
 * @param kept the base elements that the side still has, replaced ones included
 * @param moved the base elements that the side has at another place
 * @param blocks the stretches that were replaced by more or fewer elements
 */
record ListSide(List<Json> keys, int[] ids, BitSet kept, BitSet moved, List<Block> blocks) {
  static final int NEW = -1;

  /**
   * Base elements, and what one side put in their place.
   *
   * @param base their indexes, ascending
   * @param added positions of the side
   */
  record Block(List<Integer> base, List<Integer> added) {}

  /** By keys alone, each of which is unique: nothing is replaced, only added and removed. */
  static ListSide byKey(List<Json> base, List<Json> keys) {
    Map<Json, Integer> index = new HashMap<>();
    for (int i = 0; i < base.size(); i++) {
      index.put(base.get(i), i);
    }
    int[] ids = keys.stream().mapToInt(key -> index.getOrDefault(key, NEW)).toArray();
    return new ListSide(keys, ids, present(ids), new BitSet(), List.of());
  }

  /** By position, in lists of one length. */
  static ListSide byIndex(List<Json> keys) {
    int[] ids = new int[keys.size()];
    Arrays.setAll(ids, i -> i);
    return new ListSide(keys, ids, present(ids), new BitSet(), List.of());
  }

  /** By what changed; empty where the lists differ too much to tell. */
  static Optional<ListSide> byChanges(List<Json> base, List<Json> keys) {
    return Alignment.ofAll(base, keys).map(partner -> byChanges(base, keys, partner));
  }

  private static ListSide byChanges(List<Json> base, List<Json> keys, int[] partner) {
    int[] ids = new int[keys.size()];
    Arrays.fill(ids, NEW);
    for (int i = 0; i < partner.length; i++) {
      if (partner[i] >= 0) {
        ids[partner[i]] = i;
      }
    }
    BitSet moved = new BitSet();
    Map<Json, Integer> inBase = unique(base);
    unique(keys)
        .forEach((key, at) -> {
          int from = inBase.getOrDefault(key, NEW);
          if (at >= 0 && from >= 0 && ids[at] == NEW) {
            ids[at] = from;
            moved.set(from);
          }
        });
    List<Block> blocks = replaced(partner, ids, moved);
    return new ListSide(keys, ids, present(ids), moved, blocks);
  }

  /** Pairs what was replaced one for one, and returns the other replaced stretches. */
  private static List<Block> replaced(int[] partner, int[] ids, BitSet moved) {
    List<Block> blocks = new ArrayList<>();
    List<Integer> gone = new ArrayList<>();
    int next = 0;
    for (int i = 0; i <= partner.length; i++) {
      boolean end = i == partner.length;
      if (!end && partner[i] < 0) {
        if (!moved.get(i)) {
          gone.add(i);
        }
        continue;
      }
      int to = end ? ids.length : partner[i];
      List<Integer> added = new ArrayList<>();
      for (int at = next; at < to; at++) {
        if (ids[at] == NEW) {
          added.add(at);
        }
      }
      if (gone.size() == added.size()) {
        for (int k = 0; k < gone.size(); k++) {
          ids[added.get(k)] = gone.get(k);
        }
      } else if (!gone.isEmpty() && !added.isEmpty()) {
        blocks.add(new Block(List.copyOf(gone), added));
      }
      gone.clear();
      next = to + 1;
    }
    return blocks;
  }

  /** Where each key stands, or {@link #NEW} where it stands at several places. */
  private static Map<Json, Integer> unique(List<Json> keys) {
    Map<Json, Integer> at = new HashMap<>();
    for (int i = 0; i < keys.size(); i++) {
      at.merge(keys.get(i), i, (_, _) -> NEW);
    }
    return at;
  }

  private static BitSet present(int[] ids) {
    BitSet present = new BitSet();
    Arrays.stream(ids).filter(id -> id >= 0).forEach(present::set);
    return present;
  }
}
