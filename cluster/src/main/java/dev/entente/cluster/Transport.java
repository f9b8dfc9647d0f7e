// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import java.io.IOException;
import java.util.Optional;

/**
 * Carries requests to other nodes. What a host must keep: a reply is the whole reply of the node at
 * that address to this very request, or there is none. Requests and replies may be lost, late, or
 * delivered more than once. Thread-safe.
 */
public interface Transport {
  /**
   * Asks and waits for the reply.
   *
   * @throws IOException where no whole reply came, for a reason that a person can read
   */
  PullReply pull(String url, PullRequest request) throws IOException, InterruptedException;

  /**
   * Asks a node for something else that it tells other nodes.
   *
   * @param from who asks
   * @param question the path behind {@code /v1/cluster/}
   * @throws IOException where no whole answer came
   */
  byte[] get(String url, NodeId from, String question) throws IOException, InterruptedException;

  /**
   * Has a node do something for another.
   *
   * @param from who asks
   * @param what the path behind {@code /v1/cluster/}
   * @param credential what the client showed for whom the node asks, as in {@code Authorization};
   *     empty where it asks for itself
   * @throws IOException where no whole answer came; what was asked for may have been done
   * @throws RefusedException where the other node does not do it
   * @throws dev.entente.cluster.group.NotLeadingException where that is for another to do, and
   *     nothing was done
   */
  byte[] post(String url, NodeId from, String what, byte[] body, Optional<String> credential)
      throws IOException, InterruptedException;
}
