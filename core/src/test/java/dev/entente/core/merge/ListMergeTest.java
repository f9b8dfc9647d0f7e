// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How lists merge: in place, or a clash; nothing is lost, doubled or moved in silence. */
class ListMergeTest {
  private static StructuralMerge.Result merge(Object base, Object... sides) {
    return StructuralMerge.merge(
        Json.of(base), List.of(sides).stream().map(Json::of).toList(), ClashRule.NONE);
  }

  private static void clean(Object expected, Object base, Object... sides) {
    StructuralMerge.Result result = merge(base, sides);
    assertThat(result.clashes()).isEmpty();
    assertThat(result.merged()).isEqualTo(Json.of(expected));
  }

  private static void clash(Object base, Object left, Object right) {
    assertThat(merge(base, left, right).isClean()).isFalse();
    assertThat(merge(base, right, left).isClean()).isFalse();
  }

  private static List<String> letters(String text) {
    return text.isEmpty() ? List.of() : List.of(text.split(""));
  }

  @Test
  void replacementsOfNeighboursStayInPlace() {
    clean(List.of(255, 128, 64), List.of(255, 0, 0), List.of(255, 128, 0), List.of(255, 0, 64));
    clean(List.of(2, 2), List.of(1, 1), List.of(2, 1), List.of(1, 2));
    clean(letters("xyc"), letters("abc"), letters("xbc"), letters("ayc"));
    clean(letters("AbC"), letters("abc"), letters("Abc"), letters("abC"));
    clean(letters("bb"), letters("aa"), letters("ba"), letters("ab"));
    clean(List.of(5, 3), List.of(3, 3), List.of(5, 3), List.of(5, 3));
  }

  @Test
  void aSwapInATupleIsAChangeOfBothPositions() {
    clash(List.of(48.1, 11.5), List.of(11.5, 48.1), List.of(48.1, 11.6));
    clash(List.of(1, 2, 3), List.of(2, 3, 4), List.of(1, 2, 30));
    clean(List.of(true, true), List.of(true, false), List.of(true, true), List.of(true, true));
  }

  @Test
  void oneElementReplacedDifferentlyIsAClash() {
    clash(letters("abc"), letters("axc"), letters("ayc"));
    clash(letters("a"), letters("x"), letters("y"));
    clash(List.of(1), List.of(2), List.of(3));
    clash(List.of(Map.of("x", 1)), List.of(Map.of("x", 2)), List.of(Map.of("x", 3)));
    clash(
        List.of(Map.of("value", 1), Map.of("value", 2)),
        List.of(Map.of("value", 9), Map.of("value", 2)),
        List.of(Map.of("value", 8), Map.of("value", 2)));
    clash(letters("abc"), letters("xyc"), letters("azc"));
    clash(letters("abcd"), letters("xd"), letters("ad"));
  }

  @Test
  void removedByOneAndChangedByAnotherIsAClash() {
    clash(letters("a"), letters(""), letters("b"));
    clash(letters("abc"), letters("ac"), letters("aBc"));
    clash(letters("abc"), letters("bc"), letters("Abc"));
    clash(letters("abc"), letters("ab"), letters("abC"));
    clash(List.of(Map.of("id", 1, "v", 1)), List.of(), List.of(Map.of("id", 1, "v", 2)));
    clash(
        List.of(List.of(1, 2), List.of(3)),
        List.of(List.of(3)),
        List.of(List.of(1, 5), List.of(3)));
    clash(letters("aab"), letters("ab"), letters("xxb"));
    clean(letters("c"), letters("abc"), letters("bc"), letters("ac"));
  }

  @Test
  void movesOfBothAreKeptOrClash() {
    clean(letters("acdb"), letters("cabd"), letters("acbd"), letters("cadb"));
    clean(letters("Dabc"), letters("abcd"), letters("dabc"), letters("abcD"));
    clash(letters("abcd"), letters("dabc"), letters("adbc"));
    clash(letters("abc"), letters("cab"), letters("ab"));
    clash(letters("abcd"), letters("bacd"), letters("acbd"));
    clean(letters("dabc"), letters("abcd"), letters("dabc"), letters("dabc"));
    clash(
        List.of(Map.of("id", 1), Map.of("id", 2), Map.of("id", 3)),
        List.of(Map.of("id", 3), Map.of("id", 1), Map.of("id", 2)),
        List.of(Map.of("id", 2), Map.of("id", 1), Map.of("id", 3)));
  }

  @Test
  void insertionsAreAllKept() {
    clean(letters("axyb"), letters("ab"), letters("axb"), letters("axyb"));
    clean(letters("xAb"), letters("ab"), letters("xab"), letters("Ab"));
    clean(letters("aBx"), letters("ab"), letters("abx"), letters("aB"));
    clean(letters("axBc"), letters("abc"), letters("axbc"), letters("aBc"));
    clean(
        List.of(Map.of("x", 8), Map.of("x", 7), Map.of("x", 1)),
        List.of(Map.of("x", 1)),
        List.of(Map.of("x", 7), Map.of("x", 1)),
        List.of(Map.of("x", 8), Map.of("x", 1)));
    clean(List.of(1, 1, 2), List.of(), List.of(1, 1), List.of(2));
    clash(List.of(1, 1, 2), List.of(1, 2, 1), List.of(1, 1, 2, 1));
  }

  @Test
  void oneAdditionAtTwoPlacesOfAChangedListIsAClash() {
    clash(letters("abc"), letters("xac"), letters("abcx"));
    clash(letters("abc"), letters("abcx"), letters("axc"));
    clash(letters("aab"), letters("aabxy"), letters("aabyx"));
  }

  @Test
  void listsThatAllOnlyAddedToAreSetsAndSaidToBe() {
    StructuralMerge.Result result = merge(letters("ab"), letters("axb"), letters("abyx"));
    assertThat(result.merged()).isEqualTo(Json.of(letters("axby")));
    assertThat(result.sets()).hasSize(1);
    assertThat(merge(letters("ab"), letters("Ab"), letters("aB")).sets()).isEmpty();
  }

  @Test
  void aTupleThatBothMadeIsAClash() {
    JsonArray left = (JsonArray) Json.of(List.of(1, 2, 3));
    JsonArray right = (JsonArray) Json.of(List.of(4, 5, 6));
    assertThat(
            StructuralMerge.merge(JsonAbsent.ABSENT, List.of(left, right), ClashRule.NONE)
                .isClean())
        .isFalse();
  }

  @Test
  void aValueOfAnotherKindThatBothReplacedIsAClash() {
    clash("a", letters("ab"), letters("ac"));
    clash("a", Map.of("x", 1), Map.of("y", 1));
    clash(letters("a"), letters("ab"), "b");
  }

  @Test
  void thirdSidesHideNoClash() {
    assertThat(merge(letters("abc"), letters("bc"), letters("xabc"), letters("xbc")).isClean())
        .isFalse();
    clean(letters("ABC"), letters("abc"), letters("Abc"), letters("aBc"), letters("abC"));
  }

  @Test
  void listsThatDifferTooMuchToCompareClash() {
    List<String> base = IntStream.range(0, 3_000).mapToObj(i -> "b" + i % 2_900).toList();
    List<String> left = IntStream.range(0, 3_000).mapToObj(i -> "l" + i % 2_900).toList();
    List<String> right = new ArrayList<>(base);
    right.set(0, "x");
    clash(base, left, right);
  }

  /**
   * Where only one side changed how often a value is there, the result has it as often; where both
   * changed it alike, as often as if they had changed the same ones, or different ones.
   */
  @Test
  void whatIsCleanLosesAndDoublesNothing() {
    Random random = new Random(11);
    for (int round = 0; round < 30_000; round++) {
      List<String> base = random(random, 5);
      List<String> left = edited(base, random);
      List<String> right = edited(base, random);
      StructuralMerge.Result result = merge(base, left, right);
      assertThat(merge(base, right, left).isClean()).isEqualTo(result.isClean());
      if (result.isClean() && result.sets().isEmpty()) {
        check(base, left, right, result.merged());
      }
    }
  }

  private static void check(List<String> base, List<String> left, List<String> right, Json merged) {
    for (String value : letters("abcdefgh")) {
      int b = Collections.frequency(base, value);
      int l = Collections.frequency(left, value);
      int r = Collections.frequency(right, value);
      int m = Collections.frequency(((JsonArray) merged).items(), Json.of(value));
      String what = value + " in " + base + " " + left + " " + right + " -> " + merged;
      if (l == b || r == b || l == r) {
        int separately = l + r - b;
        int alike = l == r ? l : separately;
        assertThat(m).as(what).isBetween(Math.min(separately, alike), Math.max(separately, alike));
      }
    }
  }

  private static List<String> random(Random random, int max) {
    List<String> list = new ArrayList<>();
    for (int i = random.nextInt(max); i >= 0; i--) {
      list.add(String.valueOf((char) ('a' + random.nextInt(5))));
    }
    return list;
  }

  private static List<String> edited(List<String> base, Random random) {
    List<String> list = new ArrayList<>(base);
    for (int edits = random.nextInt(3); edits >= 0; edits--) {
      int at = list.isEmpty() ? 0 : random.nextInt(list.size());
      String value = String.valueOf((char) ('a' + random.nextInt(8)));
      switch (list.isEmpty() ? 0 : random.nextInt(4)) {
        case 0 -> list.add(at, value);
        case 1 -> list.remove(at);
        case 2 -> list.set(at, value);
        default -> list.add(random.nextInt(list.size()), list.remove(at));
      }
    }
    return list;
  }
}
