// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.Node;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The nodes that operators have removed. A node that is removed is answered by nobody and believed
 * by nobody until it is admitted again, whatever it says of itself: so each word travels with the
 * signature of an administrator's key, as accounts do, and is kept over restarts.
 */
final class Removals {
  /** More are refused: each was said by an operator. */
  static final int MAX = 1_000;

  private static final String KEPT = "removals";

  private final Node node;
  private final Map<NodeId, Removal> byNode = new TreeMap<>();

  /** What a node knows, from before it was stopped. */
  Removals(Node node) {
    this.node = node;
    node.kept(KEPT).ifPresent(bytes -> read(new ByteReader(bytes)).forEach(this::take));
  }

  private void take(Removal removal) {
    byNode.merge(removal.node(), removal, (a, b) -> Removal.LATEST_LAST.compare(a, b) >= 0 ? a : b);
  }

  private void keep() {
    ByteWriter out = new ByteWriter();
    write(out, byNode.values());
    var _ = node.keep(KEPT, out.toBytes());
  }

  synchronized List<Removal> all() {
    return List.copyOf(byNode.values());
  }

  /** Whether a node is removed now. */
  synchronized boolean isRemoved(NodeId who) {
    return byNode.values().stream().anyMatch(each -> each.isInForce() && each.covers(who));
  }

  /** Until when what a node said of itself does not count, since it was removed after it. */
  synchronized long removedAtMillis(NodeId who) {
    return byNode.values().stream()
        .filter(each -> each.covers(who))
        .mapToLong(Removal::removedAtMillis)
        .max()
        .orElse(0);
  }

  /**
   * An operator removes a node here.
   *
   * @param laterThanMillis the last time at which it said that it is there
   */
  synchronized void remove(NodeId who, long laterThanMillis) {
    Removal before = byNode.get(who);
    long former =
        before == null ? 0 : Math.max(before.removedAtMillis(), before.admittedAtMillis());
    long now = Math.max(node.nowMillis(), Math.max(laterThanMillis, former) + 1);
    take(signed(new Removal(who, now, 0, Optional.empty())));
    keep();
  }

  /**
   * An operator admits a node again here.
   *
   * @return false where it is not removed
   */
  synchronized boolean admit(NodeId who) {
    List<Removal> lifted =
        byNode.values().stream()
            .filter(Removal::isInForce)
            .filter(each ->
                each.covers(who) || who.answersTo(each.node()) || each.node().answersTo(who))
            .toList();
    for (Removal each : lifted) {
      long now = Math.max(node.nowMillis(), each.removedAtMillis() + 1);
      take(signed(new Removal(each.node(), each.removedAtMillis(), now, Optional.empty())));
    }
    if (!lifted.isEmpty()) {
      keep();
    }
    return !lifted.isEmpty();
  }

  private Removal signed(Removal removal) {
    AccessKeys keys = node.accessKeys();
    return keys.isPresent() ? removal.with(Optional.of(keys.sign(removal.statement()))) : removal;
  }

  /**
   * Hears of removals from another node.
   *
   * @return those that are not proven, and have no effect
   */
  synchronized List<Removal> learn(Collection<Removal> told) {
    AccessKeys keys = node.accessKeys();
    List<Removal> unproven = new ArrayList<>();
    boolean changed = false;
    for (Removal each : told) {
      Removal known = byNode.get(each.node());
      if (known != null && Removal.LATEST_LAST.compare(known, each) >= 0) {
        continue;
      }
      boolean proven =
          !keys.isPresent()
              || each.proof().filter(proof -> keys.isSigned(each.statement(), proof)).isPresent();
      if (proven && (known != null || byNode.size() < MAX)) {
        take(each);
        changed = true;
      } else {
        unproven.add(each);
      }
    }
    if (changed) {
      keep();
    }
    return unproven;
  }

  static void write(ByteWriter out, Collection<Removal> removals) {
    out.varint(removals.size());
    removals.forEach(each -> each.write(out));
  }

  static List<Removal> read(ByteReader in) {
    int size = in.count();
    if (size > MAX) {
      throw new DamagedException("at most " + MAX + " nodes are removed");
    }
    List<Removal> removals = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      removals.add(Removal.read(in));
    }
    return removals;
  }
}
