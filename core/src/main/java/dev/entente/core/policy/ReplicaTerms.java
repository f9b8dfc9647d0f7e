// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.List;

/**
 * How many copies agree on a record of a {@code quorum} type, and who accepts those of a {@code
 * primary} type.
 *
 * @param copies how many nodes hold the records; 0 for as many as there are
 * @param read how many of them a read asks; 0 for the smaller majority that meets every write
 * @param written how many of them have a write before it is acknowledged; 0 for a majority
 * @param primaries the names of the nodes that may accept, the preferred first; empty for all
 */
public record ReplicaTerms(int copies, int read, int written, List<String> primaries) {
  /** A majority reads, a majority writes, any node may be the primary. */
  public static final ReplicaTerms DEFAULT = new ReplicaTerms(0, 0, 0, List.of());

  public ReplicaTerms {
    primaries = List.copyOf(primaries);
  }

  /** How many copies a write needs among so many nodes. */
  public int writtenOf(int nodes) {
    return written > 0 ? written : nodes / 2 + 1;
  }

  /** How many copies a read asks among so many nodes. */
  public int readOf(int nodes) {
    return read > 0 ? read : nodes - writtenOf(nodes) + 1;
  }

  /** Whether every read meets every write that was acknowledged before, among so many nodes. */
  public boolean meet(int nodes) {
    return readOf(nodes) + writtenOf(nodes) > nodes;
  }
}
