// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.Group;
import dev.entente.core.policy.Consistency;
import dev.entente.core.policy.Policy;
import dev.entente.engine.Locks;
import dev.entente.engine.StampedPolicy;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Who is the primary: one node holds a lease that the group gives, and accepts alone while it
 * lasts. A node that cannot renew stops before the lease ends for the others; then the next in the
 * order of preference takes it, each a little later than the one before it. Who has it keeps it
 * while it can, so that a node that comes and goes does not move it.
 *
 * <p>A holder measures its lease by its own clock that never jumps, from before it asked. Clocks
 * need not agree on the time, only run equally fast.
 */
final class Primaries {
  /** How long a lease lasts. */
  static final long LEASE_MILLIS = 3_000;

  /** How long before its end a holder stops to accept. */
  private static final long MARGIN_MILLIS = 500;

  private static final long RENEW_MILLIS = LEASE_MILLIS / 3;

  /** How long each place further down the order waits before it takes a lease that is free. */
  private static final long PLACE_MILLIS = 700;

  /** Locks of this tenant are the cluster's own. */
  private static final String TENANT = "";

  /** Asks the group, wherever its leader is. */
  interface Asking {
    Locks.Answer ask(Locks.Command command) throws InterruptedException;
  }

  private final Cluster cluster;
  private final Group group;
  private final Asking locks;

  /** Until when this node is sure to hold a lease, by the clock that never jumps. */
  private final Map<Locks.Name, Long> heldUntil = new ConcurrentHashMap<>();

  /** Since when a lease is free. Used by the ticking thread only, as is the next. */
  private final Map<Locks.Name, Long> freeSince = new HashMap<>();

  private final Map<Locks.Name, Long> renewedAt = new HashMap<>();

  Primaries(Cluster cluster, Group group, Asking locks) {
    this.cluster = cluster;
    this.group = group;
    this.locks = locks;
  }

  private static Locks.Name name(Policy policy) {
    List<String> order = policy.replicas().primaries();
    return new Locks.Name(
        TENANT, order.isEmpty() ? "primary" : "primary of " + String.join(", ", order));
  }

  private String self() {
    return cluster.node().id().name();
  }

  /** Whether this node is the primary, for certain. */
  boolean isHere(Policy policy) {
    return heldUntil.getOrDefault(name(policy), Long.MIN_VALUE) > cluster.nowMillis();
  }

  /** Who is the primary, as far as this node has heard. */
  Optional<Locks.Grant> holder(Policy policy) {
    return group.holder(name(policy));
  }

  /** Takes and renews what is to be had. */
  void tick() throws InterruptedException {
    Set<Locks.Name> seen = new HashSet<>();
    for (StampedPolicy stamped : cluster.node().policies()) {
      Policy policy = cluster.node().policy(stamped.tenant(), stamped.type());
      if (policy.consistency() == Consistency.PRIMARY && seen.add(name(policy))) {
        tick(name(policy), policy.replicas().primaries());
      }
    }
  }

  private void tick(Locks.Name name, List<String> order) throws InterruptedException {
    long now = cluster.nowMillis();
    Optional<Locks.Grant> holder = group.holder(name);
    if (holder.isPresent() && holder.get().owner().equals(self())) {
      if (now - renewedAt.getOrDefault(name, Long.MIN_VALUE / 2) >= RENEW_MILLIS) {
        ask(name, new Locks.Command.Renew(name, holder.get().token()), now);
      }
      return;
    }
    heldUntil.remove(name);
    int place = place(order);
    if (holder.isPresent() || place < 0) {
      freeSince.remove(name);
    } else if (now - freeSince.computeIfAbsent(name, _ -> now) >= place * PLACE_MILLIS) {
      ask(name, new Locks.Command.Acquire(name, self(), LEASE_MILLIS, 0), now);
    }
  }

  private int place(List<String> order) {
    List<String> all =
        order.isEmpty()
            ? cluster.present().stream().map(member -> member.node().name()).sorted().toList()
            : order;
    return all.indexOf(self());
  }

  private void ask(Locks.Name name, Locks.Command command, long askedAt)
      throws InterruptedException {
    try {
      if (locks.ask(command) instanceof Locks.Answer.Granted(Locks.Grant grant)
          && grant.owner().equals(self())) {
        renewedAt.put(name, askedAt);
        heldUntil.put(name, askedAt + grant.leaseMillis() - MARGIN_MILLIS);
      } else {
        heldUntil.remove(name);
      }
    } catch (UnavailableException e) {
      // The lease runs out by itself; the next tick tries again.
      renewedAt.put(name, askedAt - RENEW_MILLIS / 2);
    }
  }
}
