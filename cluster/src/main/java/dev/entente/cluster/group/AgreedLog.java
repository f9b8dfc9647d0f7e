// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

/** What becomes of the entries that a group agrees on. Called by one thread at a time. */
public interface AgreedLog {
  /** Does what an entry says; durable and visible when this returns. The same on every member. */
  byte[] apply(byte[] entry);

  /**
   * Refuses an entry that nobody could apply, before it is proposed.
   *
   * @throws RuntimeException where the entry is malformed; the message says why
   */
  default void check(byte[] entry) {}

  /** What all entries so far have come to, apart from what the node itself keeps. */
  byte[] snapshot();

  /** Goes on from what another member, or this one earlier, has come to. */
  void restore(byte[] snapshot);
}
