// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

import dev.entente.core.causality.VersionVector;

/**
 * One part of a record's state: a join semilattice under the version vectors of the records it
 * stands in. Immutable.
 *
 * <p>The join of two cells of one kind is commutative, associative and idempotent, keeps what both
 * hold, and drops what one side has seen and no longer holds: {@code (A ∩ B) ∪ (A \\ seenB) ∪ (B \\
 * seenA)}. Source: Almeida, Shoker, Baquero, <i>Delta state replicated data types</i>, 2018.
 */
public sealed interface Cell permits Register, Counter, ObservedSet, Sequence {
  /**
   * Joins with another cell of the same class.
   *
   * @param seen what the record that holds this cell has seen
   * @param otherSeen what the record that holds the other cell has seen
   */
  Cell join(Cell other, VersionVector seen, VersionVector otherSeen);
}
