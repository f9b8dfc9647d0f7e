// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Cell;

/**
 * One replica of one cell: changed here, merged with others in any order and as often as one likes.
 * Replicas that have merged the same changes are equal in value. Each replica needs a name of its
 * own that is never used again. Not thread-safe.
 */
public abstract sealed class Replicated<C extends Cell>
    permits GCounter, PNCounter, ReplicatedSet, MVRegister, LWWRegister {
  private final NodeId self;
  private VersionVector seen = VersionVector.EMPTY;
  private C cell;

  Replicated(String replica, C empty) {
    this.self = new NodeId(replica);
    this.cell = empty;
  }

  final NodeId self() {
    return self;
  }

  final C cell() {
    return cell;
  }

  /** All that this replica has seen. */
  final CausalContext context() {
    return CausalContext.of(seen);
  }

  final Dot nextDot() {
    return new Dot(self, seen.get(self) + 1);
  }

  final void change(Dot dot, C next) {
    seen = seen.with(dot);
    cell = next;
  }

  final void mergeWith(Replicated<C> other) {
    @SuppressWarnings("unchecked")
    C joined = (C) cell.join(other.cell, seen, other.seen);
    cell = joined;
    seen = seen.join(other.seen);
  }
}
