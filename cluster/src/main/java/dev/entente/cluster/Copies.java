// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * What other nodes have on their disks, as they tell whenever they ask for more: so a question that
 * follows a reply acknowledges it. Thread-safe.
 */
final class Copies {
  private final Map<NodeId, VersionVector> known = new HashMap<>();
  private final List<Waiter> waiters = new ArrayList<>();

  private record Waiter(VersionVector wanted, int copies, CompletableFuture<Boolean> enough) {}

  /** Hears what a node has. */
  void has(NodeId peer, VersionVector all) {
    List<Waiter> done = new ArrayList<>();
    synchronized (this) {
      known.merge(peer, all, VersionVector::join);
      for (Iterator<Waiter> each = waiters.iterator(); each.hasNext(); ) {
        Waiter waiter = each.next();
        if (waiter.enough().isDone()) {
          each.remove();
        } else if (count(waiter.wanted()) >= waiter.copies()) {
          each.remove();
          done.add(waiter);
        }
      }
    }
    done.forEach(waiter -> waiter.enough().complete(true));
  }

  /** Only these are counted. */
  synchronized void retain(Collection<NodeId> members) {
    known.keySet().retainAll(members);
  }

  /** How many nodes have all that a vector names, this one among them. */
  private int count(VersionVector wanted) {
    int count = 1;
    for (VersionVector has : known.values()) {
      if (has.dominates(wanted)) {
        count++;
      }
    }
    return count;
  }

  /**
   * Completes with true once so many nodes have what this one has of a vector. Whoever waits ends
   * the future by its time limit.
   */
  CompletableFuture<Boolean> await(VersionVector wanted, int copies) {
    Waiter waiter = new Waiter(wanted, copies, new CompletableFuture<>());
    synchronized (this) {
      if (count(wanted) >= copies) {
        return CompletableFuture.completedFuture(true);
      }
      waiters.add(waiter);
    }
    return waiter.enough();
  }
}
