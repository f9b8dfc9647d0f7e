// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

/**
 * A bug planted on purpose, at a port of the real code, to see that the simulation finds it. Each
 * one that was ever thought of stays.
 */
public enum Mutant {
  /** None. */
  NONE,
  /** A shipment leaves a version out and says that it was sent. */
  DROPPED_VERSION,
  /** Versions of a shipment are applied in reverse. */
  REORDERED_APPLY,
  /** A node that comes back from a backup goes on under its old identity. */
  REUSED_COUNTER,
  /** A node answers before its commit holds. */
  EARLY_ACKNOWLEDGEMENT,
  /** The disk says that it synced, and did not. */
  SKIPPED_SYNC,
  /** A part of a batch does not reach the disk. */
  TORN_BATCH,
  /** One node settles ties the other way round. */
  WRONG_TIE_BREAK,
  /** The cursor of a log runs ahead of what was taken. */
  CURSOR_AHEAD,
  /** A part of a log is taken for the whole of it. */
  KNOWLEDGE_AHEAD,
  /** A retried write is made twice. */
  LOST_IDEMPOTENCY,
  /**
   * A node takes the ids of requests for its own clients' alone, so that another counts them again.
   */
  LOCAL_REQUEST_IDS,
  /** Somebody on the way changes a version. */
  CHANGED_ON_THE_WAY,
  /** A link that failed once is never tried again. */
  NO_RETRY,
  /** A session reads at a node that lacks what the session has seen. */
  STALE_SESSION,
  /** A read of what must agree does not ask whether it is the latest. */
  STALE_READ,
  /** A leader answers before the others have agreed. */
  EARLY_AGREEMENT,
  /** A node lets go of what others lack. */
  UNSTABLE_PRUNING,
  /** What is to be forgotten of a request stays on the disk. */
  UNFORGOTTEN_REQUEST,
  /** A cursor of the changes feed names a position and not whose log it is in. */
  POSITION_CURSOR,
  /** A write of a quorum type is acknowledged before other nodes have it. */
  UNCOUNTED_COPIES,
  /** A read of a quorum type does not ask other nodes. */
  UNASKED_QUORUM,
  /** The clock by which a primary measures its lease goes too slowly. */
  SLOW_LEASE_CLOCK,
  /** A node believes its clock, whatever it says. */
  UNGUARDED_CLOCK,
  /** What was agreed on last is lost when another leads. */
  LOST_AGREEMENT,
}
