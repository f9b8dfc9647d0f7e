// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.json.Json;
import java.util.List;

/**
 * An observed-remove set: an addition wins over a removal that had not seen it; no tombstones. Not
 * thread-safe.
 */
public final class ORSet extends Replicated<ObservedSet> {
  public ORSet(String replica) {
    super(replica, ObservedSet.EMPTY);
  }

  public void add(Json element) {
    var dot = nextDot();
    change(dot, cell().add(element, dot, context()));
  }

  /** Removes what this replica has seen of the element. */
  public void remove(Json element) {
    var dot = nextDot();
    change(dot, cell().remove(element, dot, context(), false));
  }

  public boolean contains(Json element) {
    return elements().contains(element);
  }

  /** The elements, in the order of values. */
  public List<Json> elements() {
    return cell().members();
  }

  public void merge(ORSet other) {
    mergeWith(other);
  }
}
