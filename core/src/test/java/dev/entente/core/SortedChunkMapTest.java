// SPDX-License-Identifier: Apache-2.0
package dev.entente.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A map in chunks holds what a plain sorted map holds, however it came to it. */
class SortedChunkMapTest {
  private static SortedChunkMap<Integer, String> of(Map<Integer, String> model) {
    TreeMap<Integer, String> sorted = new TreeMap<>(model);
    return SortedChunkMap.ofSorted(List.copyOf(sorted.keySet()), List.copyOf(sorted.values()));
  }

  @Test
  void changesAndJoinsAreThoseOfAPlainMap() {
    for (int seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      TreeMap<Integer, String> model = new TreeMap<>();
      SortedChunkMap<Integer, String> map = SortedChunkMap.empty();
      int keys = 1 + random.nextInt(2_000);
      for (int step = 0; step < 2_500; step++) {
        int key = random.nextInt(keys);
        if (random.nextInt(3) == 0) {
          map = map.without(key);
          model.remove(key);
        } else {
          map = map.with(key, "v" + key % 7);
          model.put(key, "v" + key % 7);
        }
      }
      check(map, model);
      TreeMap<Integer, String> otherModel = new TreeMap<>(model);
      SortedChunkMap<Integer, String> other = map;
      for (int i = 0; i < random.nextInt(40); i++) {
        int key = random.nextInt(keys);
        map = map.with(key, "mine");
        model.put(key, "mine");
        int otherKey = random.nextInt(keys);
        other = random.nextBoolean() ? other.with(otherKey, "theirs") : other.without(otherKey);
        otherModel.clear();
        other.forEach(otherModel::put);
      }
      TreeMap<Integer, String> joinedModel = new TreeMap<>(otherModel);
      joinedModel.putAll(model);
      check(map.join(other, (mine, their) -> mine != null ? mine : their), joinedModel);
      TreeMap<Integer, String> common = new TreeMap<>(model);
      common.keySet().retainAll(otherModel.keySet());
      check(map.join(other, (mine, their) -> mine == null || their == null ? null : mine), common);
    }
  }

  private static void check(SortedChunkMap<Integer, String> map, Map<Integer, String> model) {
    assertThat(map.size()).isEqualTo(model.size());
    List<Integer> keys = new ArrayList<>();
    map.forEach((key, value) -> {
      keys.add(key);
      assertThat(model).containsEntry(key, value);
    });
    assertThat(keys).containsExactlyElementsOf(model.keySet());
    assertThat(map).isEqualTo(of(model)).hasSameHashCodeAs(of(model));
    assertThat(map.getOrDefault(-1, "none")).isEqualTo("none");
    model.forEach((key, value) -> assertThat(map.getOrDefault(key, "none")).isEqualTo(value));
  }
}
