// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.json.Json;
import java.util.List;

/** A set that only grows. Not thread-safe. */
public final class GSet extends Replicated<ObservedSet> {
  public GSet(String replica) {
    super(replica, ObservedSet.EMPTY);
  }

  public void add(Json element) {
    var dot = nextDot();
    change(dot, cell().add(element, dot, context()));
  }

  public boolean contains(Json element) {
    return elements().contains(element);
  }

  /** The elements, in the order of values. */
  public List<Json> elements() {
    return cell().members();
  }

  public void merge(GSet other) {
    mergeWith(other);
  }
}
