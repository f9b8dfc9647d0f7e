// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.util.Locale;

/**
 * The tables of a node's store. Their names and what stands in them are part of the disk format.
 */
public enum Table {
  /** The node's identity and the format. */
  META,
  /** Tenant and position → version: the truth, and the feed of changes. */
  LOG,
  /** Record → its state. */
  RECORDS,
  /** Sequence number → audit entry, chained by hashes. */
  AUDIT,
  /** Tenant and conflict → review. */
  REVIEWS,
  /** Tenant, status, time and conflict → nothing. */
  REVIEW_INDEX,
  /** Tenant and idempotency key or event → the first answer. */
  ANSWERS,
  /** Tenant and type → the text of the policy in force. */
  POLICIES,
  /** Tenant and scope → a freeze. */
  FREEZES,
  /**
   * Tenant, type, limit and the hash of a group → how many hold how much, and the review; and with
   * a record's id → how much it holds.
   */
  CLAIMS,
  /**
   * Of records that other nodes have written too: where the version before one stands, and the
   * last.
   */
  LINKS,
  /** Tenant, other node and number → the position in the log. */
  DOTS,
  /** Record, other node and number → a version that waits for what it builds on. */
  HELD,
  /** Time, tenant and conflict → nothing: when a policy goes on by itself with a review. */
  DUE,
  /** Record → what its versions that are not kept any more add up to. */
  BASES,
  /** Record → by which version its data was erased, and whether that has been carried out here. */
  ERASURES,
  /** Node and number → the version's hash, and where it stands in the log. */
  VERSION_INDEX;

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
