// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.json.Json;
import java.util.List;

/** A set in which a removal wins over additions that had not seen it. Not thread-safe. */
public final class RWSet extends Replicated<ObservedSet> {
  public RWSet(String replica) {
    super(replica, ObservedSet.EMPTY);
  }

  public void add(Json element) {
    var dot = nextDot();
    change(dot, cell().add(element, dot, context()));
  }

  /** Removes what this replica has seen of the element. */
  public void remove(Json element) {
    var dot = nextDot();
    change(dot, cell().remove(element, dot, context(), true));
  }

  public boolean contains(Json element) {
    return elements().contains(element);
  }

  /** The elements, in the order of values. */
  public List<Json> elements() {
    return cell().members();
  }

  public void merge(RWSet other) {
    mergeWith(other);
  }
}
