// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds what several sides did to a list that cannot be told element by element. */
final class ListConflicts {
  private final List<Json> base;
  private final List<ListSide> sides;

  /** For each side, where it has each element of the base. */
  private final List<int[]> positions = new ArrayList<>();

  ListConflicts(List<Json> base, List<ListSide> sides) {
    this.base = base;
    this.sides = sides;
    sides.forEach(side -> positions.add(positions(side)));
  }

  boolean any() {
    Set<Json> inBase = new HashSet<>(base);
    return isMovedAndRemoved() || isReplacedTwice() || isAddedTwice(inBase) || isMovedUnclearly();
  }

  private boolean isMovedAndRemoved() {
    BitSet moved = new BitSet();
    BitSet removed = new BitSet();
    for (ListSide side : sides) {
      moved.or(side.moved());
      BitSet gone = (BitSet) side.kept().clone();
      gone.flip(0, base.size());
      removed.or(gone);
    }
    return moved.intersects(removed);
  }

  /** Whether a stretch that one side replaced as a whole was touched by another. */
  private boolean isReplacedTwice() {
    for (int s = 0; s < sides.size(); s++) {
      for (ListSide.Block block : sides.get(s).blocks()) {
        for (int other = 0; other < sides.size(); other++) {
          if (other != s
              && !hasSame(sides.get(s), block, sides.get(other))
              && touches(other, block.base())) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static boolean hasSame(ListSide side, ListSide.Block block, ListSide other) {
    return other.blocks().stream()
        .anyMatch(same ->
            same.base().equals(block.base()) && added(other, same).equals(added(side, block)));
  }

  private static List<Json> added(ListSide side, ListSide.Block block) {
    return block.added().stream().map(side.keys()::get).toList();
  }

  /** Whether the side changed, moved or removed one of these, or inserted between them. */
  private boolean touches(int which, List<Integer> stretch) {
    ListSide side = sides.get(which);
    int[] at = positions.get(which);
    int expected = at[stretch.getFirst()];
    for (int index : stretch) {
      if (at[index] < 0
          || at[index] != expected++
          || side.moved().get(index)
          || !side.keys().get(at[index]).equals(base.get(index))) {
        return true;
      }
    }
    return false;
  }

  private int[] positions(ListSide side) {
    int[] at = new int[base.size()];
    Arrays.fill(at, ListSide.NEW);
    for (int i = 0; i < side.ids().length; i++) {
      if (side.ids()[i] >= 0) {
        at[side.ids()[i]] = i;
      }
    }
    return at;
  }

  /**
   * Whether two sides brought in the same value at different places, where no side has it twice.
   * Both may replace, each another element.
   */
  private boolean isAddedTwice(Set<Json> inBase) {
    Map<Json, Set<List<Integer>>> places = new HashMap<>();
    Set<Json> inserted = new HashSet<>();
    Set<Json> doubled = new HashSet<>();
    for (ListSide side : sides) {
      Set<Json> seen = new HashSet<>();
      int after = ListSide.NEW;
      for (int i = 0; i < side.ids().length; i++) {
        Json key = side.keys().get(i);
        int id = side.ids()[i];
        if (!inBase.contains(key)) {
          if (!seen.add(key)) {
            doubled.add(key);
          }
          if (id == ListSide.NEW) {
            inserted.add(key);
          }
          places.computeIfAbsent(key, _ -> new HashSet<>()).add(List.of(id, id < 0 ? after : id));
        }
        after = id >= 0 ? id : after;
      }
    }
    return places.entrySet().stream()
        .anyMatch(place ->
            place.getValue().size() > 1
                && inserted.contains(place.getKey())
                && !doubled.contains(place.getKey()));
  }

  /**
   * Whether a side removed one of several equal elements and added another, which may be a move,
   * while another side removed or added an equal one too.
   */
  private boolean isMovedUnclearly() {
    Map<Json, Integer> touched = new HashMap<>();
    Set<Json> maybeMoved = new HashSet<>();
    for (int s = 0; s < sides.size(); s++) {
      ListSide side = sides.get(s);
      Set<Json> removed = new HashSet<>();
      Set<Json> added = new HashSet<>();
      int[] at = positions.get(s);
      for (int i = 0; i < at.length; i++) {
        if (at[i] < 0 || !side.keys().get(at[i]).equals(base.get(i))) {
          removed.add(base.get(i));
        }
      }
      for (int i = 0; i < side.ids().length; i++) {
        int id = side.ids()[i];
        if (id < 0 || !side.keys().get(i).equals(base.get(id))) {
          added.add(side.keys().get(i));
        }
      }
      Set<Json> both = new HashSet<>(removed);
      both.retainAll(added);
      maybeMoved.addAll(both);
      removed.addAll(added);
      removed.forEach(key -> touched.merge(key, 1, Integer::sum));
    }
    return maybeMoved.stream().anyMatch(key -> touched.getOrDefault(key, 0) > 1);
  }
}
