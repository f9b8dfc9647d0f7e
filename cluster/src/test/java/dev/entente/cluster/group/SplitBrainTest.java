// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.group.SplitBrain.Strategy;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which side of a split goes on. */
class SplitBrainTest {
  private static final List<String> NAMES = List.of("a", "b", "c", "d", "e", "f", "g");

  /** Members join in the order of their letters but e, which was first. */
  private static NavigableMap<String, Long> members(int size) {
    NavigableMap<String, Long> since = new TreeMap<>();
    for (String name : NAMES.subList(0, size)) {
      since.put(name, name.equals("e") ? 1L : 10L + name.charAt(0));
    }
    return since;
  }

  private static boolean stays(SplitBrain by, int members, String side, String leader) {
    NavigableSet<String> names = new TreeSet<>(List.of(side.split("")));
    return by.whyDown(
            new SplitBrain.View(
                members(members), names, leader.isEmpty() ? Optional.empty() : Optional.of(leader)))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "keep-majority, 0, 3, ab, c",
    "keep-majority, 0, 4, ad, bc",
    "keep-majority, 0, 5, cde, ab",
    "static-quorum, 3, 5, abc, de",
    "static-quorum, 4, 5, abcd, e",
    "keep-oldest, 0, 5, ae, bcd",
    "keep-oldest, 0, 5, abcd, e",
    "keep-oldest, 0, 3, ab, c",
    "lease, 0, 5, ab, cde"
  })
  void oneSideGoesOnAndTheOtherStepsDown(
      String strategy, int quorum, int members, String stays, String goes) {
    SplitBrain by = SplitBrain.of(strategy, quorum);
    String leader = strategy.equals("lease") ? "b" : "";
    assertThat(stays(by, members, stays, leader)).as(stays).isTrue();
    assertThat(stays(by, members, goes, leader)).as(goes).isFalse();
    assertThat(stays(by, members, String.join("", NAMES.subList(0, members)), "a"))
        .as("all together")
        .isTrue();
  }

  @Test
  void downAllStepsDownWhileAnybodyIsMissing() {
    SplitBrain by = new SplitBrain(Strategy.DOWN_ALL, 0);
    assertThat(stays(by, 3, "ab", "a")).isFalse();
    assertThat(stays(by, 3, "abc", "a")).isTrue();
  }

  @Test
  void aStaticQuorumThatNobodyHasStopsBothSides() {
    SplitBrain by = new SplitBrain(Strategy.STATIC_QUORUM, 3);
    assertThat(stays(by, 4, "ab", "")).isFalse();
    assertThat(stays(by, 4, "cd", "")).isFalse();
  }

  /** Whatever the cut, no two sides of it go on. */
  @Test
  void neverDoTwoSidesGoOn() {
    Random chance = new Random(4);
    for (int round = 0; round < 20_000; round++) {
      int members = 1 + chance.nextInt(NAMES.size());
      List<StringBuilder> sides =
          List.of(new StringBuilder(), new StringBuilder(), new StringBuilder());
      NAMES.subList(0, members).forEach(name -> sides.get(chance.nextInt(3)).append(name));
      String leader = NAMES.get(chance.nextInt(members));
      for (Strategy strategy : Strategy.values()) {
        SplitBrain by =
            new SplitBrain(strategy, strategy == Strategy.STATIC_QUORUM ? members / 2 + 1 : 0);
        assertThat(by.weakness(members)).isEmpty();
        long on =
            sides.stream()
                .filter(side -> !side.isEmpty())
                .filter(side -> stays(by, members, side.toString(), leader))
                .count();
        assertThat(on).as("%s of %s members: %s", strategy, members, sides).isLessThan(2);
      }
    }
  }

  @Test
  void whatCannotKeepSidesApartIsSaid() {
    assertThat(new SplitBrain(Strategy.STATIC_QUORUM, 2).weakness(5)).isPresent();
    assertThatThrownBy(() -> SplitBrain.of("keep-both", 0)).hasMessageContaining("keep-majority");
    assertThatThrownBy(() -> SplitBrain.of("static-quorum", 0)).hasMessageContaining("number");
    assertThatThrownBy(() -> SplitBrain.of("lease", 2)).hasMessageContaining("number");
    SplitBrain by = SplitBrain.of("static-quorum", 3);
    assertThat(SplitBrain.fromBytes(by.toBytes())).isEqualTo(by);
  }
}
