// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;

/** What became of a version that another node sent. */
public sealed interface Receipt {
  /** It joined. */
  record Applied(Dot dot, long position) implements Receipt {}

  /** It was here already, with the same content. */
  record Seen(Dot dot) implements Receipt {}

  /** It waits: for what it builds on, or for this node's clock. */
  record Held(Dot dot, String why) implements Receipt {}

  /** It contradicts what is known; it is kept aside, with a review. */
  record Violated(Dot dot, CausalViolation how, String why) implements Receipt {}

  /** The bytes are no version. */
  record Damaged(String why) implements Receipt {}
}
