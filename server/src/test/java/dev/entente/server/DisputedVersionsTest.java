// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.Cluster;
import dev.entente.cluster.ClusterConfig;
import dev.entente.cluster.Member;
import dev.entente.core.causality.NodeId;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import org.junit.jupiter.api.Test;

/** All nodes are asked before versions are mended, save those that are members no more. */
class DisputedVersionsTest {
  private static Member member(String node, long stamp) {
    return new Member(new NodeId(node), "http://" + node, stamp, false, stamp);
  }

  @Test
  void aNodeThatWasRemovedIsNotWaitedFor() throws InterruptedException {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("eu"))) {
      Cluster cluster = new Cluster(node, ClusterConfig.of("http://eu", List.of()), () -> 0);
      DisputedVersions versions = new DisputedVersions(node, cluster, null);
      long now = node.nowMillis();
      cluster.learn(List.of(member("us.1", now), member("asia.1", now), member("asia.2", now)));
      assertThat(versions.find().problem()).contains("asia, us");
      assertThat(cluster.depart(new NodeId("us"))).isTrue();
      assertThat(versions.find().problem()).contains("asia").doesNotContain("us;");
      assertThat(cluster.depart(new NodeId("asia"))).isTrue();
      assertThat(versions.find().problem()).isEmpty();
      assertThat(cluster.readmit(new NodeId("us"))).isTrue();
      cluster.learn(List.of(member("us.1", now + 1_000)));
      assertThat(versions.find().problem()).contains("us");
    }
  }
}
