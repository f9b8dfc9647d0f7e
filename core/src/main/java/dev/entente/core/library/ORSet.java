// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.json.Json;

/**
 * An observed-remove set: an addition wins over a removal that had not seen it; no tombstones. Not
 * thread-safe.
 */
public final class ORSet extends ReplicatedSet {
  public ORSet(String replica) {
    super(replica);
  }

  /** Removes what this replica has seen of the element. */
  public void remove(Json element) {
    removeSeen(element, false);
  }

  public void merge(ORSet other) {
    mergeWith(other);
  }
}
