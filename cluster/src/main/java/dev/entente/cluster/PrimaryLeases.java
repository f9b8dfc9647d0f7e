// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.Group;
import dev.entente.core.policy.Consistency;
import dev.entente.core.policy.Policy;
import dev.entente.engine.Locks;
import dev.entente.engine.StampedPolicy;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Who is the primary: one node holds a lease that the group gives, and accepts alone while it
 * lasts. A node that cannot renew stops before the lease ends for the others; then the next in the
 * order of preference takes it, each a little later than the one before it. Who has it keeps it
 * while it can, so that a node that comes and goes does not move it.
 *
 * <p>A holder measures its lease by its own clock that never jumps, from before it asked. Clocks
 * need not agree on the time, only run equally fast.
 */
final class PrimaryLeases {
  /** How long a lease lasts, unless the host says otherwise. */
  static final long LEASE_MILLIS = 3_000;

  /** Asks the group, wherever its leader is. */
  @FunctionalInterface
  interface Asking {
    /** Asks for a lease; fails with {@link UnavailableException} where that cannot be had now. */
    CompletableFuture<Locks.Answer> ask(Locks.Command command);
  }

  private final Cluster cluster;
  private final Group group;
  private final Asking locks;
  private final long leaseMillis;

  /** How long before its end a holder stops to accept. */
  private final long marginMillis;

  private final long renewMillis;

  /** How long each place further down the order waits before it takes a lease that is free. */
  private final long placeMillis;

  /** Until when this node is sure to hold a lease, by the clock that never jumps. */
  private final Map<Locks.Name, Long> heldUntil = new ConcurrentHashMap<>();

  /** Since when a lease is free. */
  private final Map<Locks.Name, Long> freeSince = new ConcurrentHashMap<>();

  private final Map<Locks.Name, Long> renewedAt = new ConcurrentHashMap<>();

  /** What was asked for and is not answered yet: each lease is asked for once at a time. */
  private final Set<Locks.Name> asking = ConcurrentHashMap.newKeySet();

  PrimaryLeases(Cluster cluster, Group group, Asking locks, long leaseMillis) {
    this.cluster = cluster;
    this.group = group;
    this.locks = locks;
    this.leaseMillis = leaseMillis;
    this.marginMillis = leaseMillis / 6;
    this.renewMillis = leaseMillis / 3;
    this.placeMillis = leaseMillis / 4;
  }

  private static Locks.Name name(Policy policy) {
    List<String> order = policy.replicas().primaries();
    return new Locks.Name(
        Locks.CLUSTER, order.isEmpty() ? "primary" : "primary of " + String.join(", ", order));
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

  /** Takes and renews what is to be had; waits for nothing. */
  void tick() {
    Set<Locks.Name> seen = new HashSet<>();
    for (StampedPolicy stamped : cluster.node().policies()) {
      Policy policy = cluster.node().policy(stamped.tenant(), stamped.type());
      if (policy.consistency() == Consistency.PRIMARY && seen.add(name(policy))) {
        tick(name(policy), policy.replicas().primaries());
      }
    }
  }

  private void tick(Locks.Name name, List<String> order) {
    long now = cluster.nowMillis();
    Optional<Locks.Grant> holder = group.holder(name);
    if (holder.isPresent() && holder.get().owner().equals(self())) {
      if (now - renewedAt.getOrDefault(name, Long.MIN_VALUE / 2) >= renewMillis) {
        ask(name, new Locks.Command.Renew(name, holder.get().token()), now);
      }
      return;
    }
    heldUntil.remove(name);
    int place = place(order);
    if (holder.isPresent() || place < 0) {
      freeSince.remove(name);
    } else if (now - freeSince.computeIfAbsent(name, _ -> now) >= place * placeMillis) {
      ask(name, new Locks.Command.Acquire(name, self(), leaseMillis, 0), now);
    }
  }

  private int place(List<String> order) {
    List<String> all =
        order.isEmpty()
            ? cluster.present().stream().map(member -> member.node().name()).sorted().toList()
            : order;
    return all.indexOf(self());
  }

  private void ask(Locks.Name name, Locks.Command command, long askedAt) {
    if (asking.add(name)) {
      var _ =
          locks
              .ask(command)
              .whenComplete((answer, problem) -> answered(name, askedAt, answer, problem));
    }
  }

  private void answered(
      Locks.Name name, long askedAt, Locks.@Nullable Answer answer, @Nullable Throwable problem) {
    asking.remove(name);
    if (problem != null) {
      // The lease runs out by itself; a later tick tries again.
      renewedAt.put(name, askedAt - renewMillis / 2);
    } else if (answer instanceof Locks.Answer.Granted(Locks.Grant grant)
        && grant.owner().equals(self())) {
      renewedAt.put(name, askedAt);
      heldUntil.put(name, askedAt + grant.leaseMillis() - marginMillis);
    } else {
      heldUntil.remove(name);
    }
  }
}
