// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.json.Json;

/** What a strategy answers. */
public sealed interface Verdict {
  /** One plain sentence: what was done and why. */
  String why();

  /**
   * It is settled. {@code uncertain} where the decision rests on less than the clocks' tolerance.
   */
  record Settled(Json value, String why, boolean uncertain) implements Verdict {
    public Settled(Json value, String why) {
      this(value, why, false);
    }
  }

  /** All values stay; readers see {@code value}. */
  record SideBySide(Json value, String why) implements Verdict {}

  /** A person must decide. */
  record Review(String why) implements Verdict {}

  /** Refused where it is still at the door; a person must decide where it is not. */
  record Refused(String why) implements Verdict {}

  /** This strategy cannot tell; the next step of the policy is asked. */
  record Unable(String why) implements Verdict {}
}
