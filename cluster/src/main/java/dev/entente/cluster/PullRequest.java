// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.util.List;
import java.util.Optional;

/**
 * Asks a node for what it has and the asker lacks.
 *
 * @param from who asks
 * @param to whom the asker takes the other for; empty where it has not met it. The cursor is one in
 *     that node's log.
 * @param after up to where the asker has taken that log
 * @param known what the asker has of all nodes
 * @param bytesMax how many bytes of versions to send at most
 * @param waitMillis how long to wait for something to send
 * @param sentAtMillis the asker's clock when it asked
 * @param members the members that the asker knows
 * @param policies whether to send the policies in force too
 */
public record PullRequest(
    NodeId from,
    Optional<NodeId> to,
    long after,
    VersionVector known,
    int bytesMax,
    long waitMillis,
    long sentAtMillis,
    List<Member> members,
    boolean policies) {
  public PullRequest {
    members = List.copyOf(members);
  }
}
