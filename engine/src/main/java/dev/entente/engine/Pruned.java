// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/**
 * What a stretch of pruning came to.
 *
 * @param versions how many versions are not kept any more
 * @param records of how many records; one counts again in each stretch of the log
 * @param bytes how large those versions were
 * @param waiting versions that are old enough and that some node is not known to have yet
 * @param next where to go on in the log; 0 where it was gone through
 */
public record Pruned(long versions, long records, long bytes, long waiting, long next) {
  public static final Pruned NOTHING = new Pruned(0, 0, 0, 0, 0);

  /** Both together, going on where the later one says. */
  public Pruned and(Pruned later) {
    return new Pruned(
        versions + later.versions,
        records + later.records,
        bytes + later.bytes,
        waiting + later.waiting,
        later.next);
  }
}
