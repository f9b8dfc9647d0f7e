// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

/** A set that only grows. Not thread-safe. */
public final class GSet extends ReplicatedSet {
  public GSet(String replica) {
    super(replica);
  }

  public void merge(GSet other) {
    mergeWith(other);
  }
}
