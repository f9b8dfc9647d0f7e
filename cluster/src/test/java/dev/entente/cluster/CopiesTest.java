// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A write counts as copied once others say so, and not before. */
class CopiesTest {
  private static final NodeId A = new NodeId("a.1");
  private static final NodeId B = new NodeId("b.1");
  private final Copies copies = new Copies();

  private static VersionVector upTo(long number) {
    return VersionVector.of(Map.of(A, number));
  }

  @Test
  void enoughNodesAreThoseThatHaveAllOfIt() {
    CompletableFuture<Boolean> two = copies.await(upTo(5), 2);
    CompletableFuture<Boolean> three = copies.await(upTo(5), 3);
    copies.has(B, upTo(4));
    assertThat(two).isNotDone();
    copies.has(B, upTo(5));
    assertThat(two).isCompletedWithValue(true);
    copies.has(B, upTo(9));
    assertThat(three).as("one node counts once").isNotDone();
    copies.has(new NodeId("c.1"), upTo(5));
    assertThat(three).isCompletedWithValue(true);
    assertThat(copies.await(upTo(5), 3)).isCompletedWithValue(true);
  }

  @Test
  void whoHasLeftCountsNoMore() {
    copies.has(B, upTo(5));
    copies.retain(List.of(A));
    assertThat(copies.await(upTo(5), 2)).isNotDone();
  }

  @Test
  void aQuestionAcknowledgesAsItComesThoughItsAnswerMayWait() {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("a"))) {
      Cluster cluster = new Cluster(node, ClusterConfig.of("http://a", List.of()), () -> 0);
      CompletableFuture<Boolean> copied = cluster.copies().await(upTo(5), 2);
      cluster.asked(
          new PullRequest(B, Optional.of(A), 5, upTo(5), 1_000, 30_000, 0, List.of(), false));
      assertThat(copied).isCompletedWithValue(true);
    }
  }
}
