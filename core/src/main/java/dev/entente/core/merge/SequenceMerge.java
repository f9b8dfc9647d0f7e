// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Merges two lists against the one both replaced, element by element, as diff3 does for lines.
 * Between stretches that all three share there are chunks; a chunk that one side left alone takes
 * the other's, one that both changed alike is taken once, and one where both replaced as many
 * elements as there were is merged pair by pair. Any other is a clash of its whole chunk.
 *
 * <p>Source: Khanna, Kunal, Pierce, <i>A formal investigation of diff3</i>, 2007.
 */
final class SequenceMerge {
  private final StructuralMerge merge;
  private final Path path;
  private final List<Json> base;
  private final List<Json> left;
  private final List<Json> right;
  private final List<Json> merged = new ArrayList<>();

  SequenceMerge(
      StructuralMerge merge, Path path, List<Json> base, List<Json> left, List<Json> right) {
    this.merge = merge;
    this.path = path;
    this.base = base;
    this.left = left;
    this.right = right;
  }

  Json merged() {
    int[] toLeft = Alignment.of(base, left);
    int[] toRight = Alignment.of(base, right);
    int b = 0;
    int l = 0;
    int r = 0;
    for (int i = 0; i <= base.size(); i++) {
      boolean end = i == base.size();
      if (!end && (toLeft[i] < 0 || toRight[i] < 0)) {
        continue;
      }
      int nextLeft = end ? left.size() : toLeft[i];
      int nextRight = end ? right.size() : toRight[i];
      chunk(b, base.subList(b, i), left.subList(l, nextLeft), right.subList(r, nextRight));
      if (!end) {
        merged.add(base.get(i));
      }
      b = i + 1;
      l = nextLeft + 1;
      r = nextRight + 1;
    }
    return new JsonArray(merged);
  }

  private void chunk(int at, List<Json> old, List<Json> mine, List<Json> theirs) {
    if (mine.equals(theirs) || theirs.equals(old)) {
      merged.addAll(mine);
    } else if (mine.equals(old)) {
      merged.addAll(theirs);
    } else if (old.size() == mine.size() && old.size() == theirs.size()) {
      for (int i = 0; i < old.size(); i++) {
        merged.add(
            merge.value(
                path.child(String.valueOf(at + i)), old.get(i), mine.get(i), theirs.get(i)));
      }
    } else {
      Json settled =
          merge.clash(
              path.child(String.valueOf(at)),
              new JsonArray(old),
              new JsonArray(mine),
              new JsonArray(theirs));
      if (settled instanceof JsonArray array) {
        merged.addAll(array.items());
      } else if (settled instanceof JsonObject || !settled.isAbsent()) {
        merged.add(settled);
      }
    }
  }
}
