// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * The wall clock of a node, guarded against jumps. It is compared with a clock that never jumps,
 * with the last time that this node gave out before it was started, and with the clocks of other
 * nodes. While it is not plausible the node goes on by the clock that never jumps.
 *
 * <p>Nothing that must be right depends on this: causality decides what competes. A wrong time
 * would have other nodes hold back what this one writes, expire what is still wanted, and delete
 * history too early. Thread-safe.
 */
public final class NodeClock implements LongSupplier {
  /** How far the wall clock may move against the clock that never jumps between two looks. */
  static final long STEP_MAX_MILLIS = 30_000;

  /** How often the wall clock is taken as it is: so it cannot walk away in small steps. */
  private static final long LOOK_MILLIS = Duration.ofMinutes(10).toMillis();

  /** A wall clock that says that a node was stopped for longer has to be confirmed. */
  private static final long ABSENCE_MAX_MILLIS = Duration.ofDays(366).toMillis();

  private final LongSupplier wallMillis;
  private final Optional<LongSupplier> steadyMillis;
  private final long driftMaxMillis;
  private long baseMillis;
  private long baseSteadyMillis;

  /** How far most other nodes are ahead; empty while that is not known. */
  private OptionalLong othersAheadMillis = OptionalLong.empty();

  /**
   * A clock as a node starts.
   *
   * @param steadyMillis a clock that never jumps; empty to take the wall clock as it is
   * @param lastMillis the last time that this node gave out; 0 for none
   */
  NodeClock(
      LongSupplier wallMillis,
      Optional<LongSupplier> steadyMillis,
      long driftMaxMillis,
      long lastMillis) {
    this.wallMillis = wallMillis;
    this.steadyMillis = steadyMillis;
    this.driftMaxMillis = driftMaxMillis;
    long wall = wallMillis.getAsLong();
    boolean isBehindItself = wall < lastMillis - STEP_MAX_MILLIS;
    boolean wasAwayTooLong = lastMillis > 0 && wall > lastMillis + ABSENCE_MAX_MILLIS;
    rebase(isBehindItself || wasAwayTooLong ? lastMillis : wall);
  }

  private void rebase(long millis) {
    baseMillis = millis;
    baseSteadyMillis = steadyMillis.map(LongSupplier::getAsLong).orElse(0L);
  }

  /** The time, in milliseconds since 1970. */
  @Override
  public synchronized long getAsLong() {
    long wall = wallMillis.getAsLong();
    if (steadyMillis.isEmpty()) {
      return wall;
    }
    long passed = steadyMillis.get().getAsLong() - baseSteadyMillis;
    long expected = baseMillis + passed;
    if (Math.abs(wall - expected) > STEP_MAX_MILLIS) {
      return expected;
    }
    if (passed > LOOK_MILLIS) {
      rebase(wall);
    }
    return wall;
  }

  /** How far the wall clock is ahead of what it should be, where it is not believed; else 0. */
  public synchronized long jumpMillis() {
    long now = getAsLong();
    long ahead = wallMillis.getAsLong() - now;
    return Math.abs(ahead) > STEP_MAX_MILLIS ? ahead : 0;
  }

  /**
   * Compares it with other nodes.
   *
   * @param aheadMillis how far most of them are ahead of this clock, or behind it, where negative
   * @return whether they agree with the wall clock where this clock does not: it is right again
   */
  public synchronized boolean compare(long aheadMillis) {
    long wall = wallMillis.getAsLong();
    boolean isConfirmed =
        jumpMillis() != 0 && Math.abs(getAsLong() + aheadMillis - wall) <= STEP_MAX_MILLIS;
    if (isConfirmed) {
      accept();
    } else {
      othersAheadMillis = OptionalLong.of(aheadMillis);
    }
    return isConfirmed;
  }

  /** Believes the wall clock as it is now. */
  synchronized void accept() {
    rebase(wallMillis.getAsLong());
    othersAheadMillis = OptionalLong.empty();
  }

  /** Whether what depends on age may be deleted by this clock. */
  public synchronized boolean isPlausible() {
    return jumpMillis() == 0 && Math.abs(othersAheadMillis.orElse(0)) <= driftMaxMillis;
  }

  /**
   * Why this node may not give out times now: other nodes would hold back what carries them.
   *
   * @param lastMillis the last time given out; the next is not earlier
   */
  synchronized Optional<String> whyNot(long lastMillis) {
    if (steadyMillis.isEmpty() || othersAheadMillis.isEmpty()) {
      return Optional.empty();
    }
    long now = getAsLong();
    long ahead = Math.max(now, lastMillis) - now - othersAheadMillis.getAsLong();
    if (ahead <= driftMaxMillis) {
      return Optional.empty();
    }
    return Optional.of(
        "the times that this node gives out are "
            + Duration.ofMillis(ahead).truncatedTo(java.time.temporal.ChronoUnit.SECONDS)
            + " ahead of the clocks of other nodes, which would hold back what it writes. Set its"
            + " clock right; it goes on as soon as other nodes agree with it. If its clock is"
            + " right: entente cluster accept-clock");
  }
}
