// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.Group;
import java.util.List;
import java.util.Optional;

/** What a node is among those that decide who accepts a write. Immutable. */
sealed interface Role {
  /** The group that the node votes in; empty where it does not vote. */
  Optional<Group> voting();

  /**
   * A node without a cluster. It may do everything.
   *
   * @param voting a group of itself alone, which gives out its locks
   */
  record Alone(Optional<Group> voting) implements Role {}

  /** A node of a cluster. */
  sealed interface Clustered extends Role {
    /** The other nodes. */
    Cluster cluster();

    /** How they are called. */
    CoordinatorHost host();

    /** The names of the nodes that vote, as they were given at the start; empty without voters. */
    List<String> voters();

    /** Whether there is nobody to agree with. */
    default boolean isAlone() {
      return cluster().links().isEmpty() && voters().isEmpty();
    }

    /**
     * How many nodes there are: those that are known, and those behind links that never answered.
     */
    default int nodes() {
      long unmet = cluster().status().stream().filter(link -> link.peer().isEmpty()).count();
      return Math.max(cluster().present().size() + (int) unmet, voters().size());
    }

    /** The node as a voter of a group. */
    default Voter votesIn(Group group, PrimaryLeases leases) {
      return new Voter(cluster(), host(), voters(), group, leases);
    }
  }

  /** A node that does not vote: whoever votes tells it where types that must agree are accepted. */
  record Member(Cluster cluster, CoordinatorHost host, List<String> voters) implements Clustered {
    public Member {
      voters = List.copyOf(voters);
    }

    @Override
    public Optional<Group> voting() {
      return Optional.empty();
    }
  }

  /** One of the nodes that agree before they accept. */
  record Voter(
      Cluster cluster, CoordinatorHost host, List<String> voters, Group group, PrimaryLeases leases)
      implements Clustered {
    @Override
    public Optional<Group> voting() {
      return Optional.of(group);
    }

    /** The same node once it does not vote any more. */
    Member leaves() {
      return new Member(cluster, host, voters);
    }
  }
}
