// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.Authority.Place;
import dev.entente.cluster.Role.Clustered;
import dev.entente.cluster.group.Consensus.Standing;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.core.causality.NodeId;
import dev.entente.core.policy.Policy;
import dev.entente.engine.Locks;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Where records of a type are accepted now, from what one node knows: its role, who is reachable,
 * who leads, who holds a lease. Asks nobody and changes nothing.
 */
final class Placement {
  private Placement() {}

  /** Where records under a policy are accepted. */
  static Place of(Role role, Policy policy) {
    if (!(role instanceof Clustered node) || node.isAlone()) {
      return new Place.Here();
    }
    return switch (policy.consistency()) {
      case EVENTUAL, SESSION, CAUSAL -> new Place.Here();
      case QUORUM -> unlessDown(node, () -> quorum(node, policy));
      case PRIMARY -> unlessDown(node, () -> primary(node, policy));
      case STRONG -> ofTheGroup(node);
    };
  }

  /** Where a write is accepted: one under a lock, by a node that knows who holds it. */
  static Place of(Role role, Policy policy, boolean fenced) {
    Place place = of(role, policy);
    return fenced
            && role instanceof Clustered node
            && role.voting().isEmpty()
            && place instanceof Place.Here
        ? aVoter(node)
        : place;
  }

  /** Where the group accepts. */
  static Place ofTheGroup(Clustered node) {
    return unlessDown(node, () -> strong(node));
  }

  private static Place unlessDown(Clustered node, Supplier<Place> otherwise) {
    return stepsDown(node).<Place>map(Place.Nowhere::new).orElseGet(otherwise);
  }

  /** Why a node's side of a split has stepped down; empty where it goes on. */
  static Optional<String> stepsDown(Role role) {
    return switch (role) {
      case Role.Alone _ -> Optional.empty();
      case Clustered node when node.isAlone() -> Optional.empty();
      case Role.Voter voter ->
          voter
              .group()
              .splitBrain()
              .whyDown(voter.cluster().view(voter.group().standing().leader()));
      case Role.Member member -> asVotersSay(member);
    };
  }

  /** Who does not vote goes by those who do. */
  private static Optional<String> asVotersSay(Role.Member member) {
    List<String> told = member.cluster().standings();
    if (member.voters().isEmpty() || told.contains("")) {
      return Optional.empty();
    }
    return told.stream().findFirst().or(() -> Optional.of(noVoterAnswers(member)));
  }

  private static String noVoterAnswers(Clustered node) {
    return "none of the voters " + String.join(", ", node.voters()) + " can be reached";
  }

  private static Place quorum(Clustered node, Policy policy) {
    int nodes = node.nodes();
    int up = 1 + (int) node.cluster().status().stream().filter(LinkStatus::isUp).count();
    if (policy.replicas().copies() > 0 && !policy.replicas().meet(nodes)) {
      return new Place.Nowhere(
          "the policy counts on "
              + policy.replicas().copies()
              + " nodes, the cluster has "
              + nodes
              + ": r + w must be larger than that");
    }
    int wanted = policy.replicas().writtenOf(nodes);
    return up >= wanted
        ? new Place.Here()
        : new Place.Nowhere(
            "this node reaches "
                + up
                + " of "
                + nodes
                + " nodes, itself included; the type needs "
                + wanted
                + " copies of a write");
  }

  private static Place primary(Clustered node, Policy policy) {
    if (!(node instanceof Role.Voter voter)) {
      return aVoter(node);
    }
    if (voter.leases().isHere(policy)) {
      return new Place.Here();
    }
    return there(node, voter.leases().holder(policy).map(Locks.Grant::owner))
        .<Place>map(holder -> holder)
        .orElseGet(() ->
            new Place.Nowhere(
                "no primary can be reached; one is chosen within seconds where a majority of the"
                    + " voters is"));
  }

  private static Place strong(Clustered node) {
    if (!(node instanceof Role.Voter voter)) {
      return aVoter(node);
    }
    Standing standing = voter.group().standing();
    return standing.leading()
        ? new Place.Together()
        : there(node, standing.leader())
            .<Place>map(leader -> leader)
            .orElseGet(() -> new Place.Nowhere(NotLeadingException.NOBODY));
  }

  /** A voter knows more. */
  private static Place aVoter(Clustered node) {
    return anyVoter(node)
        .<Place>map(voter -> voter)
        .orElseGet(() ->
            new Place.Nowhere(
                node.voters().isEmpty()
                    ? "nodes that are several agree on such records through voters, and none are"
                        + " named: start the nodes with --voters, or declare the type causal"
                    : noVoterAnswers(node)));
  }

  /** One that says that it votes; before anybody has said so, one that was named at the start. */
  static Optional<Place.There> anyVoter(Clustered node) {
    return Stream.concat(node.cluster().voting().stream().map(NodeId::name), node.voters().stream())
        .flatMap(who -> there(node, Optional.of(who)).stream())
        .findFirst();
  }

  /** Another node of a name, if it can be reached. */
  private static Optional<Place.There> there(Clustered node, Optional<String> name) {
    return name.filter(who -> !who.equals(node.cluster().node().id().name()))
        .flatMap(who -> node.cluster().urlOf(who).map(url -> new Place.There(who, url)));
  }
}
