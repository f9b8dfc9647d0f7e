// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Divergence;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How two nodes come together after a cut, as one of them sees it: from the moment they meet again
 * until both have all that either had then, and were compared.
 *
 * @param peer the other
 * @param since a position of this node's log behind which all lies that the other lacked
 * @param apartMillis for how long they had been apart
 * @param mine what this node had when they met again
 * @param theirs what the other had then
 * @param missing how many versions this node lacked at the beginning
 * @param left how many it still lacks, and the other does
 * @param step how far it is
 * @param report what was written without each other and what became of it, at the end
 * @param agreement whether the two hold the same now, at the end
 * @param problem what keeps it from ending
 */
public record Healing(
    NodeId peer,
    long since,
    long apartMillis,
    VersionVector mine,
    VersionVector theirs,
    long missing,
    long left,
    Step step,
    Optional<Divergence> report,
    Optional<Agreement> agreement,
    String problem) {
  /** How far a healing is. */
  public enum Step {
    /** What one has and the other lacks is on its way. */
    CATCHING_UP,
    /** Both have it; what they hold is compared. */
    COMPARING,
    /** Both hold the same. */
    HEALED,
    /** Something differs that should not; {@code entente verify --cluster --mend} goes on. */
    DIFFERS,
    /** They were cut from each other again before the end. */
    CUT_AGAIN;

    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  static Healing begin(
      NodeId peer, long since, long apartMillis, VersionVector mine, VersionVector theirs) {
    long missing = lacking(mine, theirs) + lacking(theirs, mine);
    return new Healing(
        peer,
        since,
        apartMillis,
        mine,
        theirs,
        missing,
        missing,
        Step.CATCHING_UP,
        Optional.empty(),
        Optional.empty(),
        "");
  }

  /** How many versions one lacks of what the other has; positions that others filled count too. */
  static long lacking(VersionVector has, VersionVector wants) {
    long lacking = 0;
    for (int i = 0; i < wants.entries().size(); i++) {
      lacking += Math.max(0, wants.entries().value(i) - has.get(wants.entries().key(i)));
    }
    return lacking;
  }

  /** The same after both have told what they have now. */
  Healing now(VersionVector here, VersionVector there) {
    long lacked = lacking(here, theirs) + lacking(there, mine);
    return with(lacked, lacked == 0 ? Step.COMPARING : step, report, agreement, "");
  }

  Healing cutAgain() {
    return with(left, Step.CUT_AGAIN, report, agreement, problem);
  }

  Healing stuck(String why) {
    return with(left, step, report, agreement, why);
  }

  Healing ended(Divergence what, Agreement compared) {
    Step end = compared.findings().isEmpty() ? Step.HEALED : Step.DIFFERS;
    return with(0, end, Optional.of(what), Optional.of(compared), "");
  }

  private Healing with(
      long nowLeft,
      Step nowAt,
      Optional<Divergence> what,
      Optional<Agreement> compared,
      String why) {
    return new Healing(
        peer, since, apartMillis, mine, theirs, missing, nowLeft, nowAt, what, compared, why);
  }

  /** Whether it goes on. */
  public boolean isOpen() {
    return List.of(Step.CATCHING_UP, Step.COMPARING).contains(step);
  }
}
