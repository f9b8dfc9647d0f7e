// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A longest common subsequence of two lists: for each position of the first its partner in the
 * second, or -1.
 *
 * <p>Source: Myers, <i>An O(ND) difference algorithm and its variations</i>, 1986, after trimming
 * what both begin and end with. Where the lists differ too much for the bound on work, what lies
 * between the trimmed ends counts as wholly different.
 */
public final class Alignment {
  /** The largest number of differences that is searched; memory grows with its square. */
  private static final int DIFFERENCES_MAX = 2_000;

  private final List<?> a;
  private final List<?> b;
  private final int[] partner;
  private boolean complete = true;

  private Alignment(List<?> a, List<?> b) {
    this.a = a;
    this.b = b;
    this.partner = new int[a.size()];
    Arrays.fill(partner, -1);
  }

  /** For each position of {@code a} its partner in {@code b}, or -1. */
  public static int[] of(List<?> a, List<?> b) {
    return between(a, b).partner;
  }

  /** The same, but empty where the lists differ too much for the bound on work. */
  static Optional<int[]> ofAll(List<?> a, List<?> b) {
    Alignment alignment = between(a, b);
    return alignment.complete ? Optional.of(alignment.partner) : Optional.empty();
  }

  private static Alignment between(List<?> a, List<?> b) {
    Alignment alignment = new Alignment(a, b);
    int start = 0;
    while (start < a.size() && start < b.size() && a.get(start).equals(b.get(start))) {
      alignment.partner[start] = start;
      start++;
    }
    int endA = a.size();
    int endB = b.size();
    while (endA > start && endB > start && a.get(endA - 1).equals(b.get(endB - 1))) {
      alignment.partner[--endA] = --endB;
    }
    if (start < endA && start < endB) {
      alignment.search(start, endA - start, endB - start);
    }
    return alignment;
  }

  /**
   * Finds the furthest reaching path with d differences on each diagonal k = x - y, for growing d.
   */
  private void search(int start, int n, int m) {
    int max = Math.min(n + m, DIFFERENCES_MAX);
    int middle = max + 1;
    int[] furthest = new int[2 * max + 3];
    int[][] trace = new int[max + 1][];
    for (int d = 0; d <= max; d++) {
      for (int k = -d; k <= d; k += 2) {
        int x =
            goesDown(furthest, middle, k, d)
                ? furthest[middle + k + 1]
                : furthest[middle + k - 1] + 1;
        int y = x - k;
        while (x < n && y < m && a.get(start + x).equals(b.get(start + y))) {
          x++;
          y++;
        }
        furthest[middle + k] = x;
        if (x >= n && y >= m) {
          backtrack(trace, d, start, n, m);
          return;
        }
      }
      trace[d] = Arrays.copyOfRange(furthest, middle - d - 1, middle + d + 2);
    }
    complete = false;
  }

  private void backtrack(int[][] trace, int differences, int start, int n, int m) {
    int x = n;
    int y = m;
    for (int d = differences; d > 0; d--) {
      int[] before = trace[d - 1];
      int k = x - y;
      int fromK = goesDown(before, d, k, d) ? k + 1 : k - 1;
      int fromX = before[d + fromK];
      int fromY = fromX - fromK;
      for (; x > fromX && y > fromY; x--, y--) {
        partner[start + x - 1] = start + y - 1;
      }
      x = fromX;
      y = fromY;
    }
    for (; x > 0 && y > 0; x--, y--) {
      partner[start + x - 1] = start + y - 1;
    }
  }

  private static boolean goesDown(int[] furthest, int middle, int k, int d) {
    return k == -d || (k != d && furthest[middle + k - 1] < furthest[middle + k + 1]);
  }
}
