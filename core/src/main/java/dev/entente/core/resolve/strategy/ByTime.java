// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Takes the value whose author wrote last, or first, by hybrid time. A time never says who had seen
 * what, only who was later.
 */
final class ByTime implements Strategy {

  private final boolean last;

  ByTime(boolean last) {
    this.last = last;
  }

  @Override
  public String name() {
    return last ? "last-writer-wins" : "first-writer-wins";
  }

  @Override
  public String tieBreak() {
    return "at the same time the later acceptance counts as later, then the higher dot";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    Assignment winner = first(dispute, null);
    Assignment runnerUp = first(dispute, winner.value());
    long gap = Math.abs(winner.time().millis() - runnerUp.time().millis());
    long measured = (long) winner.timeErrorMillis() + runnerUp.timeErrorMillis();
    long mayDiffer = dispute.tolerance().toMillis() + measured;
    boolean uncertain = gap < mayDiffer;
    String why =
        "Took "
            + Explain.offer(winner)
            + (last ? ", the last writer; " : ", the first writer; ")
            + Explain.offer(runnerUp)
            + (last ? " was " : " came ")
            + gap
            + (last ? " ms earlier" : " ms later")
            + (uncertain
                ? ", less than the "
                    + mayDiffer
                    + " ms that clocks may differ"
                    + (measured > 0 ? ", " + measured + " ms of it as measured." : ".")
                : ".");
    return new Verdict.Settled(winner.value(), why, uncertain);
  }

  /** The first in order whose value is another. */
  private Assignment first(Dispute dispute, @Nullable Json otherThan) {
    Assignment best = null;
    for (Assignment next : dispute.competing()) {
      if (!next.value().equals(otherThan)
          && (best == null
              || (last
                  ? Assignment.BY_TIME.compare(next, best) > 0
                  : Assignment.BY_TIME.compare(next, best) < 0))) {
        best = next;
      }
    }
    return Objects.requireNonNull(best, "a dispute has two different values");
  }
}
