// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.SplitBrain;
import dev.entente.core.causality.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which members the side of this node does not reach, and since when: those that neither this node
 * nor a node that it reaches has a link to. Thread-safe.
 */
public final class MissingMembers {
  private final Cluster cluster;
  private final Map<String, Long> since = new TreeMap<>();

  public MissingMembers(Cluster cluster) {
    this.cluster = cluster;
  }

  /**
   * A member that is not reached.
   *
   * @param sinceMillis when it was last heard of, by this node's clock; where this node has no link
   *     to it, when it was first missed
   */
  public record Missing(String name, long sinceMillis) {}

  /**
   * What is seen of the cluster from here.
   *
   * @param reached the names of the members on this node's side, its own among them
   */
  public record Side(List<String> reached, List<Missing> missing) {}

  /** Looks at all links. Called every few seconds, since what is not looked at is not missed. */
  public synchronized Side look() {
    SplitBrain.View view = cluster.view(Optional.empty());
    TreeSet<String> absent = new TreeSet<>(view.since().keySet());
    absent.removeAll(view.side());
    since.keySet().retainAll(absent);
    List<Missing> missing = new ArrayList<>();
    for (String name : absent) {
      missing.add(new Missing(name, since.computeIfAbsent(name, this::lastHeard)));
    }
    return new Side(List.copyOf(view.side()), missing);
  }

  private long lastHeard(String name) {
    long now = cluster.node().nowMillis();
    return cluster.status().stream()
        .filter(link -> link.peer().map(NodeId::name).equals(Optional.of(name)))
        .mapToLong(link -> now - Math.max(0, link.silentMillis()))
        .min()
        .orElse(now);
  }
}
