// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;

/** What a reviewer decides. */
public sealed interface Decision {
  /** One of the competing values, counted from 0 in the order they are shown. */
  record Choose(int index) implements Decision {}

  /** The competing value with this context. */
  record ChooseContext(String token) implements Decision {}

  /** A value of the reviewer's own; absent removes the unit. */
  record Value(Json value) implements Decision {}

  /** Leave it as it is. */
  record Ignore() implements Decision {}

  /** What became of a decision. */
  sealed interface Result {
    /** It holds. */
    record Decided(Review review, Snapshot after) implements Result {}

    /** A vote was counted, or the next round or step began; nothing is decided yet. */
    record Voted(Review review, Snapshot now) implements Result {}

    /**
     * Two persons must agree, and nobody else has decided so yet.
     *
     * @param what the decision as it is to be approved; see {@link Desk#approve}
     */
    record NeedsSecond(Review review, Json what, Snapshot now) implements Result {}

    /** The conflict moved on, or was decided before; look again. */
    record Moved(String message, Snapshot now) implements Result {}

    /** There is no such review. */
    record Unknown() implements Result {}

    /** It is refused as a client's write would be; its value is in the audit log. */
    record Refused(Outcome.Rejected why) implements Result {}

    /** It is not possible: it never competed, or is no decision of such a review. */
    record Invalid(String message) implements Result {}
  }
}
