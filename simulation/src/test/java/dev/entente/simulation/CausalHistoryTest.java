// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The checker of causal histories finds what is wrong in known bad ones, and nothing in good ones.
 */
class CausalHistoryTest {
  private final CausalHistory history = new CausalHistory();

  private void write(String session, String register, String value) {
    history.write(session, register, value, true);
  }

  private void read(String session, String register, String value) {
    history.read(session, register, value);
  }

  private void isBad(String why) {
    assertThat(history.unexplained()).hasValueSatisfying(found -> assertThat(found).contains(why));
  }

  @Test
  void concurrentWritesThatAreSeenLateAreExplained() {
    write("a", "x", "1");
    write("b", "x", "2");
    read("c", "x", "");
    read("c", "x", "1");
    read("c", "x", "2");
    read("d", "x", "2");
    read("a", "x", "2");
    assertThat(history.unexplained()).isEmpty();
  }

  @Test
  void whatNobodyWroteIsFound() {
    read("a", "x", "7");
    isBad("nobody wrote");
  }

  @Test
  void aSessionThatDoesNotReadItsOwnWriteIsFound() {
    write("a", "x", "1");
    read("a", "x", "");
    isBad("comes before");
  }

  @Test
  void aSessionThatGoesBackIsFound() {
    write("a", "x", "1");
    write("a", "x", "2");
    read("b", "x", "2");
    read("b", "x", "1");
    isBad("replaced it before");
  }

  /** The lost ring: an answer is seen without what it answers, in another register. */
  @Test
  void anEffectWithoutItsCauseIsFound() {
    write("a", "question", "lost my ring");
    read("b", "question", "lost my ring");
    write("b", "answer", "found it");
    read("c", "answer", "found it");
    read("c", "question", "");
    isBad("comes before");
  }

  @Test
  void aReplacedCauseBehindTwoHopsIsFound() {
    write("a", "x", "1");
    write("a", "x", "2");
    write("a", "y", "1");
    read("b", "y", "1");
    write("b", "z", "1");
    read("c", "z", "1");
    read("c", "x", "1");
    isBad("replaced it before");
  }

  @Test
  void readingTheFutureIsFound() {
    read("a", "x", "1");
    write("a", "y", "1");
    read("b", "y", "1");
    write("b", "x", "1");
    isBad("before it is written");
  }

  @Test
  void twoNodesThatSettleOneConflictDifferentlyAreFound() {
    write("a", "x", "1");
    write("b", "x", "2");
    read("a", "x", "2");
    read("a", "x", "2");
    read("b", "x", "1");
    isBad("settled one way");
  }

  @Test
  void aWriteThatNobodyWasToldOfMayComeLateOrNever() {
    history.write("a", "x", "1", false);
    read("a", "x", "");
    read("b", "x", "1");
    read("a", "x", "1");
    assertThat(history.unexplained()).isEmpty();
  }

  /** A correct store, simulated simply: every replica sees writes in the order of one log. */
  @Test
  void whatACorrectStoreAnswersIsExplained() {
    for (int seed = 0; seed < 200; seed++) {
      Random chance = new Random(seed);
      CausalHistory good = new CausalHistory();
      List<String> log = new ArrayList<>();
      int[] seen = new int[3];
      for (int i = 0; i < 100; i++) {
        int who = chance.nextInt(3);
        if (chance.nextBoolean()) {
          good.write("s" + who, "x", "v" + i, true);
          log.add("v" + i);
          seen[who] = log.size();
        } else {
          seen[who] += log.size() == seen[who] ? 0 : chance.nextInt(log.size() - seen[who] + 1);
          good.read("s" + who, "x", seen[who] == 0 ? "" : log.get(seen[who] - 1));
        }
      }
      assertThat(good.unexplained()).as("seed " + seed).isEmpty();
    }
  }
}
