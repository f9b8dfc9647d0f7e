// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.causality.Dot;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.json.Json;
import java.util.List;

/** What the sets have in common. Not thread-safe. */
public abstract sealed class ReplicatedSet extends Replicated<ObservedSet>
    permits GSet, ORSet, RWSet {
  ReplicatedSet(String replica) {
    super(replica, ObservedSet.EMPTY);
  }

  public final void add(Json element) {
    Dot dot = nextDot();
    change(dot, cell().add(element, dot, context()));
  }

  final void removeSeen(Json element, boolean removeWins) {
    Dot dot = nextDot();
    change(dot, cell().remove(element, dot, context(), removeWins));
  }

  public final boolean contains(Json element) {
    return elements().contains(element);
  }

  /** The elements, in the order of values. */
  public final List<Json> elements() {
    return cell().members();
  }
}
