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

  private record Did(boolean isWrite, String session, String register, String value, boolean told) {
    void in(CausalHistory history) {
      if (isWrite) {
        history.write(session, register, value, told);
      } else {
        history.read(session, register, value);
      }
    }
  }

  private static List<Did> chaos(Random chance) {
    List<Did> all = new ArrayList<>();
    int size = 2 + chance.nextInt(9);
    for (int i = 0; i < size; i++) {
      String register = chance.nextInt(3) == 0 ? "y" : "x";
      List<String> written =
          all.stream()
              .filter(did -> did.isWrite && did.register.equals(register))
              .map(Did::value)
              .toList();
      boolean isWrite = chance.nextInt(5) < 2;
      String read =
          written.isEmpty() || chance.nextInt(12) == 0
              ? ""
              : written.get(chance.nextInt(written.size()));
      all.add(
          new Did(
              isWrite,
              "s" + chance.nextInt(3),
              register,
              isWrite ? "v" + i : read,
              !isWrite || chance.nextInt(4) > 0));
    }
    return all;
  }

  /** Every pair is looked at, by the definitions of the bad patterns. */
  private static boolean isExplained(List<Did> all) {
    int size = all.size();
    int[] source = new int[size];
    boolean[][] before = new boolean[size][size];
    for (int b = 0; b < size; b++) {
      source[b] = -1;
      for (int a = 0; a < size; a++) {
        Did first = all.get(a);
        Did second = all.get(b);
        if (a < b && first.told && first.session.equals(second.session)) {
          before[a][b] = true;
        }
        if (first.isWrite
            && !second.isWrite
            && first.register.equals(second.register)
            && first.value.equals(second.value)) {
          before[a][b] = true;
          source[b] = a;
        }
      }
    }
    close(before);
    boolean[][] settled = new boolean[size][];
    for (int a = 0; a < size; a++) {
      settled[a] = before[a].clone();
    }
    for (int w = 0; w < size; w++) {
      for (int r = 0; r < size; r++) {
        boolean matters =
            all.get(w).isWrite
                && !all.get(r).isWrite
                && all.get(w).register.equals(all.get(r).register)
                && before[w][r]
                && w != source[r];
        if (matters && (source[r] < 0 || before[source[r]][w])) {
          return false;
        }
        if (matters) {
          settled[w][source[r]] = true;
        }
      }
    }
    close(settled);
    for (int a = 0; a < size; a++) {
      if (settled[a][a]) {
        return false;
      }
    }
    return true;
  }

  private static void close(boolean[][] before) {
    for (int via = 0; via < before.length; via++) {
      for (int a = 0; a < before.length; a++) {
        for (int b = 0; b < before.length; b++) {
          before[a][b] |= before[a][via] && before[via][b];
        }
      }
    }
  }

  @Test
  void theAnswerIsThatOfLookingAtEveryPair() {
    int good = 0;
    int bad = 0;
    for (int seed = 0; seed < 50_000; seed++) {
      List<Did> all = chaos(new Random(seed));
      CausalHistory checked = new CausalHistory();
      all.forEach(did -> did.in(checked));
      boolean explained = isExplained(all);
      assertThat(checked.unexplained().isEmpty()).as(seed + ": " + all).isEqualTo(explained);
      good += explained ? 1 : 0;
      bad += explained ? 0 : 1;
    }
    assertThat(good).isGreaterThan(5_000);
    assertThat(bad).isGreaterThan(5_000);
  }

  /** As long as what real nodes are asked within an hour. */
  @Test
  void aLongHistoryIsExplainedToo() {
    Random chance = new Random(7);
    List<List<String>> logs = List.of(new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < 200_000; i++) {
      int who = chance.nextInt(6);
      int register = chance.nextInt(2);
      List<String> log = logs.get(register);
      if (chance.nextInt(3) == 0) {
        history.write("s" + who, "x" + register, "v" + i, chance.nextInt(50) > 0);
        log.add("v" + i);
      } else {
        history.read("s" + who, "x" + register, log.isEmpty() ? "" : log.getLast());
      }
    }
    assertThat(history.unexplained()).isEmpty();
  }
}
