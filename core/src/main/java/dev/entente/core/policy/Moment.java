// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.time.Duration;
import java.time.Instant;

/** What a {@code rollback} goes back to, seen from when a conflict began. */
public sealed interface Moment {
  /** The moment in milliseconds since 1970 for a conflict whose first value was then accepted. */
  long beforeMillis(long conflictMillis);

  /** A fixed time. */
  record At(Instant time) implements Moment {
    @Override
    public long beforeMillis(long conflictMillis) {
      return Math.min(time.toEpochMilli(), conflictMillis - 1);
    }
  }

  /** So much earlier than the conflict. */
  record Earlier(Duration by) implements Moment {
    @Override
    public long beforeMillis(long conflictMillis) {
      return conflictMillis - Math.max(1, by.toMillis());
    }
  }

  /**
   * The last checkpoint before the conflict. Checkpoints are the full quarters of an hour: history
   * is kept, so every node has them without having to agree on any.
   */
  record Checkpoint() implements Moment {
    /** How far apart checkpoints are. */
    public static final Duration EVERY = Duration.ofMinutes(15);

    @Override
    public long beforeMillis(long conflictMillis) {
      return Math.floorDiv(conflictMillis - 1, EVERY.toMillis()) * EVERY.toMillis();
    }
  }
}
