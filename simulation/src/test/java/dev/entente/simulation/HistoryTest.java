// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.simulation.History.Act;
import dev.entente.simulation.History.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The checker lets through what an order explains, and nothing else. */
class HistoryTest {
  private final History history = new History();

  private void did(long called, long answered, Act act) {
    history.add(new Operation("r", "c", called, answered, act));
  }

  @Test
  void concurrentWritesMayTakeEffectInEitherOrder() {
    did(0, 10, new Act.Write("a"));
    did(0, 10, new Act.Write("b"));
    did(11, 12, new Act.Read("a"));
    assertThat(history.unexplained()).isEmpty();
  }

  @Test
  void aReadThatMissesWhatWasAnsweredBeforeIsFound() {
    did(0, 1, new Act.Write("a"));
    did(2, 3, new Act.Write("b"));
    did(4, 5, new Act.Read("a"));
    assertThat(history.unexplained()).isPresent();
  }

  @Test
  void whatWasReadOnceIsNotUnread() {
    did(0, 10, new Act.Write("a"));
    did(1, 2, new Act.Read("a"));
    did(3, 4, new Act.Read(""));
    assertThat(history.unexplained()).isPresent();
  }

  @Test
  void twoSwapsOfOneValueCannotBothHaveHappened() {
    did(0, 1, new Act.Write("a"));
    did(2, 9, new Act.Swap("a", "b", true));
    did(2, 9, new Act.Swap("a", "c", true));
    assertThat(history.unexplained()).isPresent();
  }

  @Test
  void aSwapThatFailedThoughTheValueWasThereIsFound() {
    did(0, 1, new Act.Write("a"));
    did(2, 3, new Act.Swap("a", "b", false));
    assertThat(history.unexplained()).isPresent();
  }

  @Test
  void whatWasNeverAnsweredMayHaveHappenedLateOrNever() {
    did(0, 1, new Act.Write("a"));
    did(2, History.NEVER, new Act.Write("b"));
    did(3, 4, new Act.Read("a"));
    did(5, 6, new Act.Read("b"));
    assertThat(history.unexplained()).isEmpty();
    did(7, 8, new Act.Read("a"));
    assertThat(history.unexplained()).as("but not twice").isPresent();
  }

  /** As in a run of real processes: 25 answers that never came, each of which explains another. */
  @Test
  void manyThatWereNeverAnsweredAreNoReasonToGiveUp() {
    int groups = 25;
    for (int i = 0; i < groups; i++) {
      did(i, History.NEVER, new Act.Swap("a" + i, "u" + i, true));
    }
    for (int i = 0; i < groups; i++) {
      long at = 100 + 10L * i;
      did(at, at + 1, new Act.Write("a" + i));
      did(at + 2, at + 3, new Act.Swap("a" + i, "x", false));
      did(at + 4, at + 5, new Act.Write("b" + i));
      did(at + 6, at + 7, new Act.Read("b" + i));
    }
    assertThat(history.unexplained()).isEmpty();
    did(900, 901, new Act.Swap("b" + (groups - 1), "y", false));
    assertThat(history.unexplained()).isPresent();
  }

  @Test
  void aValueOutOfNowhereIsFound() {
    did(0, 1, new Act.Write("a"));
    did(2, 3, new Act.Read("z"));
    assertThat(history.unexplained()).isPresent();
  }

  /** Histories that a real register made are let through; with one answer changed they are not. */
  @Test
  void realHistoriesPassAndChangedOnesDoNot() {
    int found = 0;
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      List<Operation> real = real(random);
      History good = new History();
      real.forEach(good::add);
      assertThat(good.unexplained()).as("seed %s", seed).isEmpty();
      History bad = new History();
      for (Operation each : real) {
        bad.add(
            each.act() instanceof Act.Read && each.equals(lastRead(real))
                ? new Operation("r", "c", each.called(), each.answered(), new Act.Read("never"))
                : each);
      }
      found += bad.unexplained().isPresent() ? 1 : 0;
    }
    assertThat(found).isGreaterThan(190);
  }

  private static Operation lastRead(List<Operation> real) {
    return real.reversed().stream()
        .filter(o -> o.act() instanceof Act.Read)
        .findFirst()
        .orElse(real.getFirst());
  }

  /** Each operation takes effect at a moment somewhere between its call and its answer. */
  private static List<Operation> real(Random random) {
    List<Operation> operations = new ArrayList<>();
    String value = "";
    for (int i = 0; i < 40; i++) {
      long effect = i * 10L;
      long called = effect - random.nextInt(25);
      long answered = effect + random.nextInt(25);
      Act act =
          switch (random.nextInt(3)) {
            case 0 -> new Act.Read(value);
            case 1 -> new Act.Write("v" + i);
            default -> {
              String expected = random.nextBoolean() ? value : "other";
              yield new Act.Swap(expected, "v" + i, expected.equals(value));
            }
          };
      if (act instanceof Act.Write || (act instanceof Act.Swap(_, _, boolean done) && done)) {
        value = "v" + i;
      }
      operations.add(new Operation("r", "c", called, answered, act));
    }
    return operations;
  }
}
