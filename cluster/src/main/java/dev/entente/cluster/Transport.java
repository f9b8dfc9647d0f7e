// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.record.RecordKey;
import java.io.IOException;

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
   * The data of a record as the node at that address has it, as JSON; {@code null} where it has
   * none.
   *
   * @param from who asks
   * @throws IOException where no answer came
   */
  String read(String url, NodeId from, RecordKey key) throws IOException, InterruptedException;
}
