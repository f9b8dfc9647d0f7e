// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.record.RecordKey;
import java.time.Instant;
import java.util.Locale;

/**
 * That what a record held was erased, and how far that is at this node.
 *
 * @param dot the version that erased
 * @param at when the erasure was accepted
 * @param by who asked for it; empty where the version that says so is not kept any more
 * @param reason why, in their words
 */
public record Erasure(RecordKey key, Dot dot, Instant at, String by, String reason, Stage stage) {
  /** How far it is. */
  public enum Stage {
    /**
     * Nobody reads it any more, and all is kept: no administrator signed it whom this node trusts.
     */
    UNPROVEN,
    /** Nobody reads it any more, but not every node has said that it has heard of it. */
    WAITING,
    /** Somebody wrote without knowing of it; the node that erased does so once more. */
    OVERTAKEN,
    /** This node may take away what is left, and has not got round to it. */
    DUE,
    /** This node keeps nothing any more of what was before. */
    DONE;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
