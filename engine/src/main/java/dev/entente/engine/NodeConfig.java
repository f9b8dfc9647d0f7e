// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.util.function.LongSupplier;

/**
 * What a node is run with.
 *
 * @param name the node's id; empty to take or make the store's own
 * @param clockMillis the physical clock
 * @param driftMaxMillis how far ahead of its own clock a node accepts times
 * @param queueMax how many requests wait at most; more are told so
 * @param batchMax how many requests one commit takes at most
 * @param siblingsMax how many values of one unit compete at most before new concurrent ones are
 *     refused
 * @param cacheRecords how many records are kept ready
 */
public record NodeConfig(
    String name,
    LongSupplier clockMillis,
    long driftMaxMillis,
    int queueMax,
    int batchMax,
    int siblingsMax,
    int cacheRecords) {
  public static final NodeConfig DEFAULT =
      new NodeConfig("", System::currentTimeMillis, 60_000, 10_000, 1_000, 64, 8_192);

  public NodeConfig withName(String id) {
    return new NodeConfig(
        id, clockMillis, driftMaxMillis, queueMax, batchMax, siblingsMax, cacheRecords);
  }

  public NodeConfig withClock(LongSupplier millis) {
    return new NodeConfig(
        name, millis, driftMaxMillis, queueMax, batchMax, siblingsMax, cacheRecords);
  }
}
