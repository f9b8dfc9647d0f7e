// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.engine.Shipment;
import dev.entente.engine.StampedPolicy;
import java.util.List;
import java.util.Optional;

/**
 * What a node answers to a {@link PullRequest}.
 *
 * @param shipment what it sends
 * @param position where its log ends
 * @param receivedAtMillis its clock when the request came
 * @param sentAtMillis its clock when the reply went
 * @param members the members that it knows
 * @param links how its links are
 * @param standing of a node that votes: why its side of a split has stepped down, or nothing where
 *     it goes on; empty where the node does not vote
 * @param policiesHash tells whether the policies in force here are those of the asker
 * @param policies the policies in force, where they were asked for
 * @param removals the nodes that operators removed or admitted again
 */
public record PullReply(
    Shipment shipment,
    long position,
    long receivedAtMillis,
    long sentAtMillis,
    List<Member> members,
    List<LinkReport> links,
    Optional<String> standing,
    long policiesHash,
    List<StampedPolicy> policies,
    List<Removal> removals) {
  public PullReply {
    members = List.copyOf(members);
    links = List.copyOf(links);
    policies = List.copyOf(policies);
    removals = List.copyOf(removals);
  }
}
