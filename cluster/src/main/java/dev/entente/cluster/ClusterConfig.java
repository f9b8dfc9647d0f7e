// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import java.util.List;

/**
 * How a node takes part in a cluster.
 *
 * @param url where the others reach this node; empty where they cannot
 * @param seeds where to ask first
 * @param waitMillis how long a question waits at the other node for something to send
 * @param pauseMillis between a reply and the next question
 * @param retryMillis after the first failure; it doubles from one to the next
 * @param retryMaxMillis after many failures
 * @param shipmentBytesMax how many bytes of versions one reply brings
 * @param clockToleranceMillis how far clocks may be apart before somebody is told
 * @param sinceMillis when the node joined, by its clock then; 0 where that is now
 */
public record ClusterConfig(
    String url,
    List<String> seeds,
    long waitMillis,
    long pauseMillis,
    long retryMillis,
    long retryMaxMillis,
    int shipmentBytesMax,
    long clockToleranceMillis,
    long sinceMillis) {
  public ClusterConfig {
    seeds = List.copyOf(seeds);
  }

  /** The defaults: for a node at a URL that asks these first. */
  public static ClusterConfig of(String url, List<String> seeds) {
    return new ClusterConfig(url, seeds, 1_000, 0, 100, 5_000, 1 << 20, 100, 0);
  }

  /** For a simulation, which waits by itself. */
  public ClusterConfig polling(long everyMillis, int bytesMax) {
    return new ClusterConfig(
        url,
        seeds,
        0,
        everyMillis,
        retryMillis,
        retryMaxMillis,
        bytesMax,
        clockToleranceMillis,
        sinceMillis);
  }

  /** For a node that joined earlier. */
  public ClusterConfig since(long millis) {
    return new ClusterConfig(
        url,
        seeds,
        waitMillis,
        pauseMillis,
        retryMillis,
        retryMaxMillis,
        shipmentBytesMax,
        clockToleranceMillis,
        millis);
  }
}
