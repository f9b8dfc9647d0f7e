// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.record.RecordKey;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What two nodes wrote without each other, and what becomes of it.
 *
 * @param ours how many versions this node had that the other lacked
 * @param theirs how many the other had that this one lacked
 * @param onlyOurs how many records were written on this side only
 * @param onlyTheirs how many on the other side only
 * @param both how many records were written on both sides, by what becomes of them
 * @param listed some of those, the ones that need a person first
 * @param complete false where there was more than can be looked at at once
 */
public record Divergence(
    long ours,
    long theirs,
    long onlyOurs,
    long onlyTheirs,
    Map<Fate, Long> both,
    List<Entry> listed,
    boolean complete) {
  /** How many records are listed. */
  public static final int LISTED_MAX = 1_000;

  /** What becomes of a record that was written on both sides, the gravest first. */
  public enum Fate {
    /** A person or a vote decides. */
    PENDING,
    /** The values stay side by side, as the policy wants it. */
    SIBLINGS,
    /** A rule settles what competes. */
    RESOLVED,
    /** Nothing competes: all that was written stays. */
    MERGED;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A record that was written on both sides.
   *
   * @param explanations a sentence for each unit that competes
   */
  public record Entry(RecordKey key, Fate fate, List<String> explanations) {
    public Entry {
      explanations = List.copyOf(explanations);
    }
  }

  public Divergence {
    both = Map.copyOf(both);
    listed = List.copyOf(listed);
  }

  /** Whether the two had the same. */
  public boolean isNone() {
    return ours == 0 && theirs == 0;
  }
}
