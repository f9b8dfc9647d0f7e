// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A node that an operator removed stays removed until an operator admits it again. */
class RemovalsTest {
  private static final AccessKeys ADMIN = AccessKeys.of("the administrator's token", Set.of());
  private static final NodeId EU = new NodeId("eu.1");
  private static final NodeId NAME = new NodeId("eu");

  private final List<Node> opened = new ArrayList<>();
  private long now = 1_763_802_000_000L;

  private Node node(String name, AccessKeys keys) {
    return node(new MemoryStore(), name, keys);
  }

  private Node node(MemoryStore store, String name, AccessKeys keys) {
    Node node =
        Node.open(store, NodeConfig.DEFAULT.withName(name).withClock(() -> now).onCallersThread());
    node.demandProofs(keys);
    opened.add(node);
    return node;
  }

  private Cluster cluster(Node node) {
    return new Cluster(node, ClusterConfig.of("http://" + node.id().name(), List.of()), () -> now);
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private static Member member(NodeId node, long stamp) {
    return new Member(node, "http://eu", stamp, false, stamp);
  }

  private static List<NodeId> gone(Cluster at) {
    return at.members().stream().filter(Member::departed).map(Member::node).toList();
  }

  /** As one answers the other. */
  private void tell(Cluster from, Cluster to) {
    PullRequest asked =
        new PullRequest(
            to.node().id(),
            Optional.of(from.node().id()),
            0,
            to.node().known(),
            1 << 20,
            0,
            now,
            to.members(),
            false);
    to.heard(asked, Wire.reply(Wire.toBytes(from.answer(asked, now))));
  }

  @Test
  void whatARemovedNodeSaysOfItselfDoesNotBringItBack() {
    Cluster us = cluster(node("us", ADMIN));
    us.learn(List.of(member(EU, now)));
    assertThat(us.depart(NAME)).isTrue();
    us.learn(List.of(member(EU, now + 1_000_000), member(new NodeId("eu.2"), now + 2_000_000)));
    assertThat(gone(us)).containsExactly(EU, new NodeId("eu.2"));
    assertThat(us.links()).isEmpty();
    assertThat(us.whyRemoved(new NodeId("eu.7")).orElseThrow()).contains("readmit eu");
    assertThat(us.readmit(NAME)).isTrue();
    assertThat(us.readmit(NAME)).as("twice").isFalse();
    us.learn(List.of(member(EU, now + 3_000_000)));
    assertThat(us.whyRemoved(EU)).isEmpty();
    assertThat(us.present().stream().map(Member::node)).contains(EU);
  }

  @Test
  void theLatestIncarnationMeansTheNameAndAnEarlierOneItself() {
    Cluster us = cluster(node("us", ADMIN));
    NodeId second = new NodeId("eu.2");
    us.learn(List.of(member(EU, now), member(second, now + 1)));
    assertThat(us.depart(EU)).isTrue();
    assertThat(gone(us)).containsExactly(EU);
    assertThat(us.whyRemoved(second)).isEmpty();
    assertThat(us.depart(second)).isTrue();
    assertThat(us.whyRemoved(new NodeId("eu.3"))).isPresent();
  }

  @Test
  void aRemovalTravelsWithItsProofAndOutlivesARestart() {
    MemoryStore store = new MemoryStore();
    Cluster us = cluster(node("us", ADMIN));
    Node there = node(store, "asia", ADMIN);
    Cluster asia = cluster(there);
    us.learn(List.of(member(EU, now)));
    us.depart(NAME);
    tell(us, asia);
    assertThat(asia.whyRemoved(EU)).isPresent();
    there.close();
    Cluster again = cluster(node(store, "asia", ADMIN));
    assertThat(again.whyRemoved(EU)).isPresent();
    us.readmit(NAME);
    tell(us, again);
    assertThat(again.whyRemoved(EU)).isEmpty();
    assertThat(again.node().peerFaults().bySender()).isEmpty();
  }

  @Test
  void whoKnowsOnlyTheSecretRemovesNobodyAndAdmitsNobody() {
    Cluster us = cluster(node("us", ADMIN));
    us.learn(List.of(member(EU, now)));
    for (AccessKeys keys : List.of(AccessKeys.NONE, AccessKeys.of("another token", Set.of()))) {
      Cluster liar = cluster(node("liar", keys));
      liar.learn(List.of(member(EU, now)));
      liar.depart(NAME);
      tell(liar, us);
      assertThat(us.whyRemoved(EU)).isEmpty();
      assertThat(us.node().peerFaults().bySender().getFirst().from().node()).isEqualTo("liar");
    }
    us.depart(NAME);
    Cluster liar = cluster(node("liar", AccessKeys.NONE));
    liar.learn(List.of(member(EU, now)));
    liar.depart(NAME);
    now += 1_000;
    liar.readmit(NAME);
    tell(liar, us);
    assertThat(us.whyRemoved(EU)).isPresent();
  }

  @Test
  void aRemovalThatIsToldOnceMoreDoesNotUndoALaterAdmission() {
    Cluster us = cluster(node("us", ADMIN));
    Cluster asia = cluster(node("asia", ADMIN));
    us.learn(List.of(member(EU, now)));
    us.depart(NAME);
    tell(us, asia);
    asia.readmit(NAME);
    tell(asia, us);
    assertThat(us.whyRemoved(EU)).isEmpty();
    tell(us, asia);
    assertThat(asia.whyRemoved(EU)).isEmpty();
  }

  /** Its own announcement is older than its removal. */
  @Test
  void aNodeThatIsAdmittedAgainSaysSoItself() {
    Cluster us = cluster(node("us", ADMIN));
    Cluster eu = cluster(node("eu", ADMIN));
    us.learn(eu.members());
    now += 1_000;
    us.depart(NAME);
    us.readmit(NAME);
    assertThat(gone(us)).containsExactly(EU);
    tell(us, eu);
    tell(eu, us);
    assertThat(gone(us)).isEmpty();
  }
}
