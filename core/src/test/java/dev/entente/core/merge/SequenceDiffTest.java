// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.crdt.Splice;
import dev.entente.core.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What someone changed who sent a text or list as a whole. */
class SequenceDiffTest {
  private static List<Splice> between(String before, String after) {
    return SequenceDiff.between(Json.of(before), Json.of(after));
  }

  @Test
  void aChangedWordIsOneSplice() {
    assertThat(between("the quick fox", "the quiet fox"))
        .containsExactly(new Splice(7, 2, Json.of("et")));
    assertThat(between("a b c", "a c")).containsExactly(new Splice(2, 2, Json.of("")));
    assertThat(between("same", "same")).isEmpty();
    assertThat(between("", "new")).containsExactly(new Splice(0, 0, Json.of("new")));
  }

  @Test
  void placesAreThoseOfTheTextAsItIsByThen() {
    assertThat(between("one two three", "1 two 🎉 three!"))
        .containsExactly(
            new Splice(0, 3, Json.of("1")),
            new Splice(6, 0, Json.of("🎉 ")),
            new Splice(13, 0, Json.of("!")));
  }

  @Test
  void carriedOutTheyGiveTheNewOne() {
    Random random = new Random(3);
    for (int round = 0; round < 2_000; round++) {
      Json before = round % 2 == 0 ? text(random) : list(random);
      Json after = round % 2 == 0 ? text(random) : list(random);
      Json now = before;
      for (Splice splice : SequenceDiff.between(before, after)) {
        now = SequenceDiff.applied(now, splice);
      }
      assertThat(now).as("%s to %s", before, after).isEqualTo(after);
    }
  }

  private static Json text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      text.append(List.of("a", "bc", " ", "🎉", "def", "\n").get(random.nextInt(6)));
    }
    return Json.of(text.toString());
  }

  private static Json list(Random random) {
    List<Json> items = new ArrayList<>();
    for (int i = random.nextInt(9); i > 0; i--) {
      items.add(Json.of(random.nextInt(4)));
    }
    return Json.of(items);
  }
}
