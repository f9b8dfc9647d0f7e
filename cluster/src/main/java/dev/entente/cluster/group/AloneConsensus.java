// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.engine.Node;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The agreement of a node on its own: what it says goes, once its store has it. */
public final class AloneConsensus implements Consensus {
  private static final String NAME = "group";

  private final Node node;
  private final AgreedLog log;

  /** Goes on from what the node has kept. */
  public AloneConsensus(Node node, AgreedLog log) {
    this.node = node;
    this.log = log;
    node.kept(NAME).ifPresent(log::restore);
  }

  @Override
  public synchronized CompletableFuture<byte[]> propose(byte[] entry) {
    byte[] answer = log.apply(entry);
    return node.keep(NAME, log.snapshot()).thenApply(_ -> answer);
  }

  @Override
  public CompletableFuture<Void> barrier() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public Standing standing() {
    String self = node.id().name();
    return new Standing(Optional.of(self), true, 1, List.of(self));
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
