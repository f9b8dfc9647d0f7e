// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.ClusterConfig;
import dev.entente.cluster.CoordinatorHost;
import dev.entente.cluster.Healing;
import dev.entente.cluster.Link;
import dev.entente.cluster.PullReply;
import dev.entente.cluster.PullRequest;
import dev.entente.cluster.Seats;
import dev.entente.cluster.Transport;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What one node says of the others: who is gone since when, and what takes too long to heal. */
class ClusterSensorsTest {
  private static final long EPOCH = 1_763_802_000_000L;
  private static final Transport NOBODY =
      new Transport() {
        @Override
        public PullReply pull(String url, PullRequest request) throws IOException {
          throw new IOException("nobody answers");
        }

        @Override
        public byte[] get(String url, NodeId from, String question) throws IOException {
          throw new IOException("nobody answers");
        }

        @Override
        public byte[] post(
            String url, NodeId from, String what, byte[] body, Optional<String> credential)
            throws IOException {
          throw new IOException("nobody answers");
        }
      };

  private final Map<String, Cluster> clusters = new TreeMap<>();
  private final Map<String, ClusterSensors> sensors = new TreeMap<>();
  private List<Healing> healing = List.of();

  /** Pairs of names between which nothing gets through. */
  private final Set<String> cut = new TreeSet<>();

  private long nowMillis;

  private void join(String... names) {
    for (String name : names) {
      Node node =
          Node.open(
              new MemoryStore(),
              NodeConfig.DEFAULT
                  .withName(name)
                  .withClock(() -> EPOCH + nowMillis)
                  .onCallersThread());
      List<String> seeds = name.equals("a") ? List.of() : List.of("http://a");
      Cluster cluster =
          new Cluster(
              node,
              ClusterConfig.of("http://" + name, seeds).polling(10, 1 << 20),
              () -> nowMillis);
      Authority authority = new Authority(node);
      authority.join(cluster, CoordinatorHost.of(node, NOBODY), List.of());
      clusters.put(name, cluster);
      sensors.put(
          name,
          new ClusterSensors(
              cluster,
              authority,
              new Seats(node, cluster, NOBODY, authority, List.of()),
              () -> healing,
              Thresholds.DEFAULT));
    }
  }

  @AfterEach
  void close() {
    clusters.values().forEach(cluster -> cluster.node().close());
  }

  /** Everybody asks everybody, for so long. */
  private void pass(long millis) {
    long until = nowMillis + millis;
    while (nowMillis < until) {
      nowMillis += 500;
      for (Map.Entry<String, Cluster> each : clusters.entrySet()) {
        for (Link link : each.getValue().links()) {
          ask(each.getKey(), each.getValue(), link);
        }
      }
      sensors.values().forEach(ClusterSensors::look);
    }
  }

  private void ask(String name, Cluster cluster, Link link) {
    String to = link.url().substring("http://".length());
    Cluster other = clusters.get(to);
    PullRequest asked = link.request(cluster.members());
    if (other == null || cut.contains(name + to) || cut.contains(to + name)) {
      link.failed("nobody answers", nowMillis);
    } else {
      PullReply reply = other.answer(asked, other.node().nowMillis());
      cluster.heard(asked, reply);
      link.replied(asked, reply, nowMillis);
    }
  }

  private List<Finding> found(String name, String rule) {
    return sensors.get(name).look().stream().filter(one -> one.rule().equals(rule)).toList();
  }

  @Test
  void theSideThatGoesOnSaysWhichMembersAreGoneAndSinceWhen() {
    join("a", "b", "c", "d");
    pass(5_000);
    assertThat(found("a", "partition")).isEmpty();
    for (String gone : List.of("c", "d")) {
      cut.add("a" + gone);
      cut.add("b" + gone);
    }
    Instant last = Instant.ofEpochMilli(EPOCH + nowMillis);
    pass(20_000);
    for (String side : List.of("a", "b")) {
      assertThat(found(side, "partition"))
          .singleElement()
          .satisfies(finding ->
              assertThat(finding.summary())
                  .contains("reaches a, b, 2 of 4 members", "goes on", "c since " + last)
                  .contains("d since " + last));
    }
    assertThat(found("c", "partition").getFirst().summary()).contains("reaches c, d", "a since");
    cut.clear();
    pass(5_000);
    assertThat(found("a", "partition")).isEmpty();
  }

  @Test
  void aMemberThatAnotherReachesIsNotGone() {
    join("a", "b", "c");
    pass(5_000);
    cut.add("ac");
    pass(20_000);
    assertThat(found("a", "node-unreachable")).hasSize(1);
    assertThat(found("a", "partition")).isEmpty();
    cut.add("bc");
    pass(20_000);
    assertThat(found("a", "partition").getFirst().summary()).contains("c since");
  }

  @Test
  void whatHasNotHealedInTheTimeThatIsAllowedIsAnAlert() {
    join("a", "b");
    pass(5_000);
    cut.add("ab");
    pass(50_000);
    assertThat(found("a", "healing-overdue")).isEmpty();
    pass(20_000);
    assertThat(found("a", "healing-overdue"))
        .singleElement()
        .satisfies(finding -> {
          assertThat(finding.critical()).isTrue();
          assertThat(finding.summary()).contains("b has not been reached since", "60 s");
        });
    cut.clear();
    pass(5_000);
    assertThat(found("a", "healing-overdue")).isEmpty();
  }

  @Test
  void aHealingThatTakesTooLongIsAnAlertUntilItEnds() {
    join("a", "b");
    pass(5_000);
    healing = List.of(healing(Healing.Step.CATCHING_UP));
    pass(50_000);
    assertThat(found("a", "healing-overdue")).isEmpty();
    pass(20_000);
    assertThat(found("a", "healing-overdue").getFirst().summary())
        .contains("b", "do not have the same yet", "catching-up", "7 versions left");
    healing = List.of(healing(Healing.Step.HEALED));
    assertThat(found("a", "healing-overdue")).isEmpty();
    healing = List.of(healing(Healing.Step.CATCHING_UP));
    assertThat(found("a", "healing-overdue")).as("its time begins anew").isEmpty();
  }

  private static Healing healing(Healing.Step step) {
    return new Healing(
        new NodeId("b.1"),
        0,
        5_000,
        VersionVector.EMPTY,
        VersionVector.EMPTY,
        9,
        7,
        step,
        Optional.empty(),
        Optional.empty(),
        "");
  }
}
