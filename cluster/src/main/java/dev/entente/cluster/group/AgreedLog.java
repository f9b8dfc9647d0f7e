// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What becomes of the entries that a group agrees on. Called by one thread at a time. */
public interface AgreedLog {
  /**
   * Does what an entry says; durable and visible when this returns. The same on every member.
   *
   * @throws SteppedBackException where this member cannot go on; it applies nothing more
   */
  byte[] apply(byte[] entry);

  /**
   * Refuses an entry that nobody could apply, before it is proposed.
   *
   * @throws RuntimeException where the entry is malformed; the message says why
   */
  default void check(byte[] entry) {}

  /** Says who the members are for the entries that follow, in the order of the log. */
  default void members(Set<String> names) {}

  /** What all entries so far have come to, apart from what the node itself keeps. */
  byte[] snapshot();

  /** Goes on from what another member, or this one earlier, has come to. */
  void restore(byte[] snapshot);

  /** A member stops to take part rather than apply an entry otherwise than the others do. */
  final class SteppedBackException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public SteppedBackException(String why, @Nullable Throwable cause) {
      super(why, cause);
    }
  }
}
