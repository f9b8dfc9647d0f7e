// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Compares the versions that this node holds with every node that it reaches, again and again, and
 * tells what differs: one line in the log and one entry in the audit log when it is found, and
 * {@link #found} for as long as it lasts.
 */
public final class VersionPatrol {
  private static final Logger LOG = System.getLogger(VersionPatrol.class.getName());

  private final Node node;
  private final Cluster cluster;
  private final Transport transport;
  private final VersionComparison comparison;
  private final Set<Named> told = new HashSet<>();

  /** A peer and an author. */
  private record Named(NodeId peer, NodeId author) {}

  /** Compares over the links of a cluster. */
  public VersionPatrol(Node node, Cluster cluster, Transport transport) {
    this.node = node;
    this.cluster = cluster;
    this.transport = transport;
    this.comparison = new VersionComparison(node);
  }

  /** Compares with every node that is reached. On a thread that may wait; by one at a time. */
  public void turn() throws InterruptedException {
    Map<NodeId, VersionSource> reached = new TreeMap<>();
    for (LinkStatus link : cluster.status()) {
      if (link.isUp() && link.peer().isPresent()) {
        RemoteReplica there = new RemoteReplica(transport, link.url(), node.id());
        reached.put(link.peer().get(), there);
        try {
          compare(link.peer().get(), there);
        } catch (IOException e) {
          // It is out of reach, or of a release that cannot be asked; it is asked again.
          LOG.log(Level.DEBUG, "versions could not be compared with " + link.url(), e);
        }
      }
    }
    // A node that goes on as its next incarnation is compared as that.
    Map<String, NodeId> now = new TreeMap<>();
    reached.keySet().forEach(each -> now.put(each.name(), each));
    comparison.retain(
        cluster.members().stream()
            .map(Member::node)
            .filter(each -> now.getOrDefault(each.name(), each).equals(each))
            .toList());
    forgetWrittenAgain(reached);
  }

  /**
   * Where all others are reached: lets go of what waits here in vain; see {@link VersionMending}.
   */
  private void forgetWrittenAgain(Map<NodeId, VersionSource> reached) throws InterruptedException {
    Set<String> names = new HashSet<>();
    reached.keySet().forEach(each -> names.add(each.name()));
    names.add(node.id().name());
    if (node.held() > 0
        && cluster.present().stream().allMatch(each -> names.contains(each.node().name()))) {
      try {
        int _ = new VersionMending(node, reached).forgetWrittenAgain();
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "not all nodes could be asked what they hold", e);
      }
    }
  }

  private void compare(NodeId peer, VersionSource there) throws IOException, InterruptedException {
    List<VersionComparison.Mismatch> found = comparison.compare(peer, there);
    Set<Named> now = new HashSet<>();
    for (VersionComparison.Mismatch mismatch : found) {
      Named named = new Named(peer, mismatch.author());
      now.add(named);
      if (told.add(named)) {
        LOG.log(Level.ERROR, "VERSIONS DIFFER: " + mismatch.describe());
        node.account("versions-differ", peer.value(), toJson(mismatch)).join();
      }
    }
    told.removeIf(named -> named.peer().equals(peer) && !now.contains(named));
  }

  /** What differs, as of the last comparisons. Callable from any thread. */
  public List<VersionComparison.Mismatch> found() {
    return comparison.found();
  }

  /** A mismatch as JSON. */
  public static JsonObject toJson(VersionComparison.Mismatch mismatch) {
    Map<String, Json> members = new TreeMap<>();
    members.put("peer", Json.of(mismatch.peer().value()));
    members.put("author", Json.of(mismatch.author().value()));
    members.put("first", Json.of(mismatch.first()));
    members.put("differing", Json.of(mismatch.differing()));
    members.put("missingHere", Json.of(mismatch.missingHere()));
    members.put("missingThere", Json.of(mismatch.missingThere()));
    members.put("why", Json.of(mismatch.describe()));
    return JsonObject.of(members);
  }
}
