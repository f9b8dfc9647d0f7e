// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/** What a version is checked for before it is written, in this order. */
enum WriteCheck {
  /** An operator has frozen the record, its type or its tenant. */
  FREEZE,
  /** This node may author under the policy's consistency and jurisdiction. */
  CONSISTENCY,
  /** A state machine knows the state and allows the transition. */
  TRANSITION,
  /** No more values compete for a unit than is allowed. */
  SIBLINGS,
  /** A bounded counter has the rights for what is taken. */
  COUNTER_RIGHTS,
  /** A unit that is never settled automatically waits for its review. */
  NEVER_AUTOMATIC,
  /** The unit may be written in the style of the write, which destroys nothing it has not seen. */
  STYLE,
  /** What waits for a decision is settled only by an author who knew of it and wrote the unit. */
  PENDING,
  /** Not too many edits of a text or list are concurrent. */
  OPEN_EDITS,
  /** The record with all that it keeps is not too large. */
  SIZE,
  /** The policy's invariants hold. */
  INVARIANT,
  /** The policy's strategy does not refuse the concurrent value. */
  STRATEGY,
  /** Unique claims and limits across records hold. */
  LIMIT
}
