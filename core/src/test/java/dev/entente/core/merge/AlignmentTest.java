// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The alignment against a naive oracle: as long as dynamic programming finds, ascending, and of
 * equal elements.
 */
class AlignmentTest {
  @Test
  void itIsALongestCommonSubsequence() {
    Random random = new Random(7);
    for (int round = 0; round < 3_000; round++) {
      List<Json> a = list(random);
      List<Json> b = list(random);
      int[] partner = Alignment.of(a, b);
      int count = 0;
      int last = -1;
      for (int i = 0; i < partner.length; i++) {
        if (partner[i] >= 0) {
          assertThat(partner[i]).isGreaterThan(last);
          assertThat(a.get(i)).isEqualTo(b.get(partner[i]));
          last = partner[i];
          count++;
        }
      }
      assertThat(count).isEqualTo(oracle(a, b));
    }
  }

  private static List<Json> list(Random random) {
    List<Json> list = new ArrayList<>();
    for (int i = random.nextInt(12); i > 0; i--) {
      list.add(Json.of(random.nextInt(4)));
    }
    return list;
  }

  private static int oracle(List<Json> a, List<Json> b) {
    int[][] best = new int[a.size() + 1][b.size() + 1];
    for (int i = a.size() - 1; i >= 0; i--) {
      for (int j = b.size() - 1; j >= 0; j--) {
        best[i][j] =
            a.get(i).equals(b.get(j))
                ? best[i + 1][j + 1] + 1
                : Math.max(best[i + 1][j], best[i][j + 1]);
      }
    }
    return best[0][0];
  }
}
