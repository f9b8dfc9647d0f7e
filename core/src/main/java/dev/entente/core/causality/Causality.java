// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

/** How one causal past relates to another. */
public enum Causality {
  /** Both have seen the same. */
  EQUAL,
  /** The first is stale: the second has seen all of it and more. */
  BEFORE,
  /** The first supersedes: it has seen all of the second and more. */
  AFTER,
  /** Each has seen something that the other has not. */
  CONCURRENT
}
