// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The last ticket is sold once, on any number of nodes, without anybody asking anybody. */
class BoundedCounterTest {
  private static final VersionVector NONE = VersionVector.EMPTY;

  private static NodeId node(int number) {
    return new NodeId("n" + number);
  }

  private static Counter join(Counter a, Counter b) {
    return a.join(b, NONE, NONE);
  }

  @Test
  void theLastTicketIsSoldOnce() {
    Counter stock = Counter.EMPTY.add(node(0), 2).give(node(0), node(1), 1);
    assertThat(stock.rights(node(0))).isEqualTo(BigInteger.ONE);
    assertThat(stock.rights(node(1))).isEqualTo(BigInteger.ONE);
    Counter here = stock.add(node(0), -1);
    Counter there = stock.add(node(1), -1);
    assertThat(here.rights(node(0))).isZero();
    assertThat(there.rights(node(1))).isZero();
    Counter both = join(here, there);
    assertThat(both.total()).isZero();
    assertThat(both.holders()).containsExactly(node(0), node(1));
  }

  @Test
  void whoNeverHeardOfAGiftOnlyBelievesToHaveLess() {
    Counter stock = Counter.EMPTY.add(node(0), 5);
    Counter gave = stock.give(node(0), node(1), 5);
    assertThat(stock.rights(node(1))).isZero();
    assertThat(gave.rights(node(0))).isZero();
    assertThat(join(stock, gave).rights(node(1))).isEqualTo(BigInteger.valueOf(5));
  }

  /** Sales, refills and gifts on five nodes whose news arrive late, twice and in any order. */
  @Test
  void theSumNeverFallsBelowZeroWhateverIsOnItsWay() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      List<Counter> nodes = new ArrayList<>(java.util.Collections.nCopies(5, Counter.EMPTY));
      List<Counter> travelling = new ArrayList<>();
      long refilled = 0;
      long sold = 0;
      for (int step = 0; step < 200; step++) {
        int self = random.nextInt(5);
        Counter mine = nodes.get(self);
        int amount = 1 + random.nextInt(4);
        boolean entitled = mine.rights(node(self)).compareTo(BigInteger.valueOf(amount)) >= 0;
        switch (random.nextInt(4)) {
          case 0 -> {
            mine = mine.add(node(self), amount);
            refilled += amount;
          }
          case 1 -> {
            mine = entitled ? mine.add(node(self), -amount) : mine;
            sold += entitled ? amount : 0;
          }
          case 2 -> mine = entitled ? mine.give(node(self), node(random.nextInt(5)), amount) : mine;
          default ->
              mine =
                  travelling.isEmpty()
                      ? mine
                      : join(mine, travelling.get(random.nextInt(travelling.size())));
        }
        nodes.set(self, mine);
        travelling.add(mine);
        assertThat(sold).as("seed %d step %d", seed, step).isLessThanOrEqualTo(refilled);
        assertThat(mine.rights(node(self)).signum()).isNotNegative();
      }
      Counter all = nodes.stream().reduce(Counter.EMPTY, BoundedCounterTest::join);
      assertThat(all.total()).isEqualTo(BigInteger.valueOf(refilled - sold));
      BigInteger rights = BigInteger.ZERO;
      for (NodeId node : all.holders()) {
        rights = rights.add(all.rights(node));
      }
      assertThat(rights).as("all rights are the sum").isEqualTo(all.total());
    }
  }
}
