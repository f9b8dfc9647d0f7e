// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.security.SecureRandom;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What a node is run with.
 *
 * @param name the node's name, which may end in its incarnation ({@code eu.7}; without, the first);
 *     empty to make one up. A store that has an identity keeps it.
 * @param clockMillis the physical clock
 * @param steadyMillis a clock that never jumps, which guards the physical one; empty to take that
 *     as it is
 * @param driftMaxMillis how far ahead of its own clock a node accepts times
 * @param queueMax how many requests wait at most; more are told so
 * @param batchMax how many requests one commit takes at most
 * @param siblingsMax how many values of one unit compete at most before new concurrent ones are
 *     refused
 * @param cacheRecords how many records are kept ready
 * @param threads whether the node has threads of its own; without, everything happens on the
 *     caller's, who must be one at a time
 * @param incarnations numbers, at most 999,999,999, of which none comes twice: what a node that
 *     went back in time calls itself next. They come from outside, since what a directory counts
 *     goes back with it.
 */
public record NodeConfig(
    String name,
    LongSupplier clockMillis,
    Optional<LongSupplier> steadyMillis,
    long driftMaxMillis,
    int queueMax,
    int batchMax,
    int siblingsMax,
    int cacheRecords,
    boolean threads,
    LongSupplier incarnations) {
  public static final NodeConfig DEFAULT =
      new NodeConfig(
          "",
          System::currentTimeMillis,
          Optional.of(() -> System.nanoTime() / 1_000_000),
          60_000,
          10_000,
          1_000,
          64,
          8_192,
          true,
          NodeConfig::chance);

  private static long chance() {
    return 2 + new SecureRandom().nextLong(999_999_998);
  }

  private NodeConfig with(
      String newName,
      LongSupplier newClock,
      Optional<LongSupplier> newSteady,
      boolean newThreads,
      LongSupplier newIncarnations) {
    return new NodeConfig(
        newName,
        newClock,
        newSteady,
        driftMaxMillis,
        queueMax,
        batchMax,
        siblingsMax,
        cacheRecords,
        newThreads,
        newIncarnations);
  }

  public NodeConfig withName(String id) {
    return with(id, clockMillis, steadyMillis, threads, incarnations);
  }

  /** A new directory gets an incarnation that its name never had, in case it was used before. */
  public NodeConfig withFreshIncarnation() {
    return name.isEmpty() ? this : withName(name + "." + incarnations.getAsLong());
  }

  /** With a clock that is taken as it is. */
  public NodeConfig withClock(LongSupplier millis) {
    return with(name, millis, Optional.empty(), threads, incarnations);
  }

  /** With a clock that another guards, which never jumps. */
  public NodeConfig withClock(LongSupplier millis, LongSupplier steady) {
    return with(name, millis, Optional.of(steady), threads, incarnations);
  }

  /** Without threads, for simulation. */
  public NodeConfig onCallersThread() {
    return with(name, clockMillis, steadyMillis, false, incarnations);
  }

  /** With other numbers for incarnations. */
  public NodeConfig withIncarnations(LongSupplier numbers) {
    return with(name, clockMillis, steadyMillis, threads, numbers);
  }
}
