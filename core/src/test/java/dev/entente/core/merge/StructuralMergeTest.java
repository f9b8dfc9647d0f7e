// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How values merge against what both replaced. */
class StructuralMergeTest {
  private static Json json(Object value) {
    return Json.of(value);
  }

  private static StructuralMerge.Result merge(Object base, Object left, Object right) {
    return StructuralMerge.merge(json(base), List.of(json(left), json(right)), ClashRule.NONE);
  }

  @Test
  void anAdditionStaysBesideARemoval() {
    assertThat(merge(List.of("a", "b"), List.of("a", "b", "x"), List.of("b", "y")).merged())
        .isEqualTo(json(List.of("b", "x", "y")));
  }

  @Test
  void sortedListsStaySorted() {
    assertThat(merge(List.of("a", "d"), List.of("a", "c", "d"), List.of("a", "b", "d")).merged())
        .isEqualTo(json(List.of("a", "b", "c", "d")));
  }

  @Test
  void anAppendedElementStaysAtTheEndWhenItsNeighbourMovesAway() {
    assertThat(
            merge(List.of("a", "b", "c"), List.of("c", "a", "b"), List.of("a", "b", "c", "d"))
                .merged())
        .isEqualTo(json(List.of("c", "a", "b", "d")));
  }

  @Test
  void objectsMergeByTheirId() {
    var result =
        merge(
            List.of(Map.of("id", 1, "v", "a"), Map.of("id", 2, "v", "b")),
            List.of(Map.of("id", 1, "v", "A"), Map.of("id", 2, "v", "b")),
            List.of(Map.of("id", 2, "v", "B"), Map.of("id", 1, "v", "a"), Map.of("id", 3)));
    assertThat(result.isClean()).isTrue();
    assertThat(result.merged())
        .isEqualTo(
            json(List.of(Map.of("id", 2, "v", "B"), Map.of("id", 1, "v", "A"), Map.of("id", 3))));
  }

  @Test
  void otherListsMergeElementByElement() {
    assertThat(merge(List.of(1, 1, 2, 2), List.of(1, 1, 5, 2), List.of(0, 1, 2, 2)).merged())
        .isEqualTo(json(List.of(0, 1, 5, 2)));
  }

  @Test
  void whatBothChangedAlikeIsTakenOnce() {
    var result = merge(Map.of("n", 1), Map.of("n", 2), Map.of("n", 2));
    assertThat(result.isClean()).isTrue();
    assertThat(result.merged()).isEqualTo(json(Map.of("n", 2)));
  }

  @Test
  void anEditInsideWhatTheOtherRemovedIsAClash() {
    var result = merge(Map.of("o", Map.of("a", 1)), Map.of(), Map.of("o", Map.of("a", 2)));
    assertThat(result.clashes())
        .singleElement()
        .satisfies(clash -> assertThat(clash.path()).hasToString("o"));
  }

  @Test
  void threeSidesMergeAgainstOneBase() {
    var result =
        StructuralMerge.merge(
            json(Map.of()),
            List.of(json(Map.of("a", 1)), json(Map.of("b", 2)), json(Map.of("c", 3))),
            ClashRule.NONE);
    assertThat(result.merged()).isEqualTo(json(Map.of("a", 1, "b", 2, "c", 3)));
  }
}
