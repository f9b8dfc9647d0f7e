// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.Authority.Place;
import dev.entente.cluster.Role.Clustered;
import dev.entente.cluster.group.Group;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Waits until a read of a record on this node keeps what the record's type promises. */
final class ReadBarrier {
  /** How often a record may change while a read of it is confirmed. */
  private static final int CONFIRMATIONS_MAX = 20;

  private final Node node;
  private final long patienceMillis;

  /**
   * The barrier of one node.
   *
   * @param patienceMillis how long to wait for other nodes
   */
  ReadBarrier(Node node, long patienceMillis) {
    this.node = node;
    this.patienceMillis = patienceMillis;
  }

  /** Completes with false where the promise cannot be kept now: what is read may be stale. */
  CompletableFuture<Boolean> pass(Role role, Policy policy, RecordKey key) {
    if (!(role instanceof Clustered clustered) || clustered.isAlone()) {
      return CompletableFuture.completedFuture(true);
    }
    return switch (policy.consistency()) {
      case EVENTUAL, SESSION, CAUSAL -> CompletableFuture.completedFuture(true);
      case PRIMARY ->
          CompletableFuture.completedFuture(Placement.of(role, policy) instanceof Place.Here);
      case QUORUM -> quorum(clustered, policy, key).exceptionally(_ -> false);
      case STRONG -> agreed(clustered).exceptionally(_ -> false);
    };
  }

  private CompletableFuture<Boolean> agreed(Clustered clustered) {
    Optional<Group> voting = clustered.voting();
    if (voting.isEmpty() || Placement.stepsDown(clustered).isPresent()) {
      return CompletableFuture.completedFuture(false);
    }
    Group group = voting.get();
    // What was agreed on may build on a version of another node that has not come yet.
    return LeaderClient.attempt(group::barrier)
        .thenApply(_ -> node.known().get(Group.ID) >= group.position());
  }

  /**
   * Gets what enough others have, and makes sure that enough have what is read, so that no later
   * read sees less (Attiya, Bar-Noy and Dolev, <i>Sharing memory robustly in message-passing
   * systems</i>, 1995).
   */
  private CompletableFuture<Boolean> quorum(Clustered clustered, Policy policy, RecordKey key) {
    Cluster cluster = clustered.cluster();
    CoordinatorHost host = clustered.host();
    int nodes = clustered.nodes();
    List<String> urls =
        cluster.status().stream().filter(LinkStatus::isUp).map(LinkStatus::url).toList();
    int others = policy.replicas().readOf(nodes) - 1;
    if (urls.size() < others || Placement.stepsDown(clustered).isPresent()) {
      return CompletableFuture.completedFuture(false);
    }
    List<CompletableFuture<VersionVector>> asked = new ArrayList<>();
    urls.subList(0, others)
        .forEach(url -> asked.add(host.get(url, "known").thenApply(Wire::vector)));
    CompletableFuture<VersionVector> seen = CompletableFuture.completedFuture(VersionVector.EMPTY);
    for (CompletableFuture<VersionVector> each : asked) {
      seen = seen.thenCombine(each, VersionVector::join);
    }
    return seen.thenCompose(vector -> host.awaitKnown(vector, patienceMillis))
        .thenCompose(has ->
            has
                ? confirmed(clustered, policy.replicas().writtenOf(nodes), key, CONFIRMATIONS_MAX)
                : CompletableFuture.completedFuture(false));
  }

  /**
   * Completes once enough nodes have just what a read shows here. A write that came here meanwhile
   * and was not acknowledged yet has to be confirmed too, since the read would show it.
   */
  private CompletableFuture<Boolean> confirmed(
      Clustered clustered, int copies, RecordKey key, int tries) {
    VersionVector shown = node.read(key).state().context();
    return clustered
        .host()
        .orAfter(clustered.cluster().copies().await(shown, copies), patienceMillis, false)
        .thenCompose(enough ->
            enough && tries > 0 && !node.read(key).state().context().equals(shown)
                ? confirmed(clustered, copies, key, tries - 1)
                : CompletableFuture.completedFuture(enough && tries > 0));
  }
}
