// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What this node has heard of members. What a node says of itself holds against whatever others say
 * of it, and nobody tells this node about itself. However many members somebody invents, a fixed
 * number is kept, which one message can carry, and a node that speaks for itself takes the place of
 * one that was only told of. Not thread-safe.
 */
final class Members {
  /** How many are kept, and told in one message. */
  static final int MAX = 1_000;

  /** How far in the future a member may have said that it is there, by this node's clock. */
  static final long AHEAD_MAX_MILLIS = 86_400_000;

  private final NodeId self;
  private final Map<NodeId, Member> all = new TreeMap<>();

  /** Those that have said it themselves. */
  private final Set<NodeId> direct = new TreeSet<>();

  Members(NodeId self) {
    this.self = self;
  }

  /** What this node says of itself. */
  void say(Member mine) {
    all.put(self, mine);
  }

  @Nullable Member self() {
    return all.get(self);
  }

  /**
   * Hears of members.
   *
   * @param teller who tells; empty where this node was told by whoever runs it
   * @return what cannot be as it was told: a member beyond the number that is kept, which is left
   *     out, or a time that is to come, which is taken for the latest possible
   */
  List<Member> learn(Collection<Member> told, Optional<NodeId> teller, long nowMillis) {
    List<Member> wrong = new ArrayList<>();
    long latest = nowMillis + AHEAD_MAX_MILLIS;
    for (Member each : told) {
      if (each.node().equals(self)) {
        refute(each, latest);
        continue;
      }
      boolean early = each.stampMillis() > latest;
      Member member =
          new Member(
              each.node(),
              each.url(),
              Math.min(each.stampMillis(), latest),
              false,
              each.sinceMillis());
      if (!take(member, teller.equals(Optional.of(member.node()))) || early) {
        wrong.add(each);
      }
    }
    return wrong;
  }

  /**
   * Says once more where this node is, if somebody says that it was elsewhere later: it may have
   * said so itself, under a clock that was ahead.
   */
  private void refute(Member told, long latest) {
    Member mine = all.get(self);
    if (mine != null
        && !told.url().equals(mine.url())
        && told.stampMillis() >= mine.stampMillis()
        && told.stampMillis() <= latest) {
      say(new Member(self, mine.url(), told.stampMillis() + 1, false, mine.sinceMillis()));
    }
  }

  private boolean take(Member member, boolean speaks) {
    NodeId node = member.node();
    if (!all.containsKey(node) && all.size() >= MAX && !(speaks && makeRoom())) {
      return false;
    }
    if (speaks && direct.add(node)) {
      all.put(node, member);
    } else if (speaks || !direct.contains(node)) {
      all.merge(node, member, Member::or);
    }
    return true;
  }

  /** Forgets one that was only told of. */
  private boolean makeRoom() {
    for (Iterator<NodeId> nodes = all.keySet().iterator(); nodes.hasNext(); ) {
      NodeId node = nodes.next();
      if (!node.equals(self) && !direct.contains(node)) {
        nodes.remove();
        return true;
      }
    }
    return false;
  }

  boolean knows(NodeId node) {
    return all.containsKey(node);
  }

  Set<NodeId> nodes() {
    return all.keySet();
  }

  Collection<Member> all() {
    return all.values();
  }
}
