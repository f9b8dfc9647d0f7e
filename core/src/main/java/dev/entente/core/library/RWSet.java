// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.json.Json;

/** A set in which a removal wins over additions that had not seen it. Not thread-safe. */
public final class RWSet extends ReplicatedSet {
  public RWSet(String replica) {
    super(replica);
  }

  /** Removes what this replica has seen of the element. */
  public void remove(Json element) {
    removeSeen(element, true);
  }

  public void merge(RWSet other) {
    mergeWith(other);
  }
}
