// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Shipment;
import dev.entente.engine.StampedPolicy;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Nodes find each other, fall into step, and tell how it is between them. */
class ClusterTest {
  private static final long EPOCH = 1_763_802_000_000L;
  private final Map<String, Cluster> byUrl = new TreeMap<>();
  private final Map<String, Long> skew = new TreeMap<>();
  private long nowMillis;

  private Cluster join(String name, String... seeds) {
    return join(name, new MemoryStore(), seeds);
  }

  private Cluster join(String name, MemoryStore store, String... seeds) {
    Node node =
        Node.open(
            store,
            NodeConfig.DEFAULT
                .withName(name)
                .withClock(() -> EPOCH + nowMillis + skew.getOrDefault(name, 0L))
                .onCallersThread());
    List<String> urls = List.of(seeds).stream().map(seed -> "http://" + seed).toList();
    Cluster cluster =
        new Cluster(
            node, ClusterConfig.of("http://" + name, urls).polling(10, 1 << 20), () -> nowMillis);
    byUrl.put("http://" + name, cluster);
    return cluster;
  }

  @AfterEach
  void close() {
    byUrl.values().forEach(cluster -> cluster.node().close());
  }

  private static void put(Cluster cluster, String id) {
    put(cluster, id, id);
  }

  private static void put(Cluster cluster, String id, String value) {
    cluster
        .node()
        .write(
            WriteRequest.of(
                new RecordKey("main", "user", id),
                new Edit.Put(JsonObject.of("v", Json.of(value))),
                new Seen.Everything(),
                "ann"))
        .join();
  }

  /** Everybody asks everybody, five times, through the bytes that travel. */
  private void exchange() {
    for (int round = 0; round < 5; round++) {
      for (Cluster cluster : List.copyOf(byUrl.values())) {
        for (Link link : cluster.links()) {
          Cluster other = byUrl.get(link.url());
          PullRequest asked = link.request(cluster.members());
          nowMillis += 10;
          if (other == null || link.isCut() || other.isCut(cluster.node().id())) {
            link.failed("nobody answers", nowMillis);
            continue;
          }
          byte[] reply =
              Wire.toBytes(
                  other.answer(Wire.request(Wire.toBytes(asked)), other.node().nowMillis()));
          nowMillis += 10;
          PullReply got = Wire.reply(reply);
          cluster.heard(asked, got);
          link.replied(asked, got, nowMillis);
        }
      }
    }
  }

  private static LinkStatus link(Cluster from, String to) {
    return from.status().stream()
        .filter(status -> status.url().equals("http://" + to))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void oneSeedIsEnoughToMeetEverybody() {
    Cluster a = join("a");
    Cluster b = join("b", "a");
    Cluster c = join("c", "a");
    put(a, "1");
    put(b, "2");
    put(c, "3");
    exchange();
    for (Cluster cluster : List.of(a, b, c)) {
      assertThat(cluster.links()).hasSize(2);
      assertThat(cluster.node().known()).isEqualTo(a.node().known());
      assertThat(cluster.status()).allMatch(status -> status.state() == LinkState.IN_STEP);
      assertThat(cluster.others()).hasSize(2);
      assertThat(cluster.others().values())
          .allMatch(other -> other.links().size() == 2 && other.known().get(a.node().id()) > 0);
    }
  }

  @Test
  void whoLeavesIsNotAskedAnyMoreAndWhatItWroteStays() {
    Cluster a = join("a");
    Cluster b = join("b", "a");
    Cluster c = join("c", "a");
    put(c, "3");
    exchange();
    assertThat(a.depart(new NodeId("c.1"))).isTrue();
    assertThat(a.depart(new NodeId("nobody.1"))).isFalse();
    assertThat(a.depart(a.node().id())).as("a node does not remove itself").isFalse();
    byUrl.remove("http://c");
    c.node().close();
    exchange();
    assertThat(b.links()).extracting(Link::url).containsExactly("http://a");
    assertThat(b.node().known().get(new NodeId("c.1"))).isPositive();
  }

  /** It is another node under the same name; a copy on a disk that is lost is none. */
  @Test
  void whatANodeHadBeforeItLostItsDiskCountsNoMore() {
    Cluster a = join("a");
    join("b", "a");
    Cluster c = join("c", "a");
    put(a, "1");
    exchange();
    VersionVector written = a.node().known();
    assertThat(a.copies().await(written, 3).join()).isTrue();
    byUrl.remove("http://c");
    c.node().close();
    long now = EPOCH + nowMillis;
    a.learn(List.of(new Member(new NodeId("c.77"), "http://c", now, false, now)));
    exchange();
    assertThat(a.present())
        .extracting(member -> member.node().value())
        .containsExactly("a.1", "b.1", "c.77");
    assertThat(a.copies().await(written, 2).join()).isTrue();
    assertThat(a.copies().await(written, 3)).isNotDone();
  }

  /** Its clock had been ahead; until the others' got there they went by the node that was lost. */
  @Test
  void aNodeThatTakesThePlaceOfOneIsCountedAtOnceWhateverTheClocks() {
    skew.put("c", 600_000L);
    Cluster a = join("a");
    Cluster lost = join("c", "a");
    exchange();
    byUrl.remove("http://c");
    lost.node().close();
    join("c.77", "a");
    exchange();
    assertThat(a.present())
        .extracting(member -> member.node().value())
        .containsExactly("a.1", "c.77");
  }

  @Test
  void theLatestPolicyHoldsEverywhereAlsoAfterACut() throws PolicyException {
    Cluster a = join("a");
    Cluster b = join("b", "a");
    Cluster c = join("c", "b");
    a.node().putPolicy("main", "type: user\ndefault: last-writer-wins", "op").join();
    exchange();
    assertThat(c.node().policyText("main", "user"))
        .hasValueSatisfying(t -> assertThat(t).contains("last-"));
    nowMillis += 1_000;
    a.node().putPolicy("main", "type: user\ndefault: first-writer-wins", "op").join();
    nowMillis += 1_000;
    b.node().putPolicy("main", "type: user\ndefault: highest-value", "op").join();
    exchange();
    for (Cluster cluster : List.of(a, b, c)) {
      assertThat(cluster.node().policyText("main", "user").orElseThrow()).contains("highest-");
      assertThat(cluster.node().policies()).isEqualTo(a.node().policies());
      assertThat(cluster.node().verify(_ -> {}).broken()).isEmpty();
    }
  }

  @Test
  void aCutLinkIsSeenFromBothSidesAndHeals() {
    Cluster a = join("a");
    Cluster b = join("b", "a");
    exchange();
    assertThat(a.cut(b.node().id(), true)).isTrue();
    put(a, "1");
    nowMillis += 60_000;
    exchange();
    assertThat(link(a, "b").state()).isEqualTo(LinkState.CUT);
    assertThat(link(b, "a").state()).isEqualTo(LinkState.UNREACHABLE);
    assertThat(link(b, "a").behindMillis()).isGreaterThan(60_000);
    a.cut(b.node().id(), false);
    exchange();
    assertThat(link(b, "a").state()).isEqualTo(LinkState.IN_STEP);
    assertThat(b.node().known()).isEqualTo(a.node().known());
  }

  @Test
  void aClockThatIsAheadIsMeasured() {
    Cluster a = join("a");
    join("b", "a");
    skew.put("b", 5_000L);
    exchange();
    assertThat(link(a, "b").clockOffsetMillis()).isBetween(4_980L, 5_020L);
    assertThat(link(a, "b").roundTripMillis()).isEqualTo(20);
  }

  /** A decision by time is uncertain where it rests on less than the clock is off, everywhere. */
  @Test
  void whatAClockIsOffMakesDecisionsByTimeUncertain() throws Exception {
    Cluster a = join("a");
    Cluster b = join("b", "a");
    Cluster c = join("c", "a");
    String policy = "type: user\ndefault: last-writer-wins\nclock: {tolerance: 100ms}\n";
    a.node().putPolicy("main", policy, "op").join();
    skew.put("c", 5_000L);
    exchange();
    concurrently("sound", a, b);
    concurrently("off", c, a);
    exchange();
    for (Cluster at : List.of(a, b, c)) {
      assertThat(resolution(at, "sound").uncertain()).isFalse();
      assertThat(resolution(at, "off").uncertain()).isTrue();
      assertThat(resolution(at, "off").explanation()).contains("ms of it as measured");
    }
  }

  /** Two nodes write, the second a second after the first, and neither has seen the other's. */
  private void concurrently(String id, Cluster first, Cluster second) {
    put(first, id, "one");
    nowMillis += 1_000;
    put(second, id, "other");
  }

  private static Resolution resolution(Cluster at, String id) {
    return at.node().read(new RecordKey("main", "user", id)).view().resolutions().getFirst();
  }

  @Test
  void silenceIsSuspectedByHabit() {
    FailureDetector quick = new FailureDetector(1_000);
    for (long at = 0; at <= 10_000; at += 1_000) {
      quick.heard(at);
    }
    assertThat(quick.phi(11_000)).isBetween(0.4, 0.5);
    assertThat(quick.phi(29_000)).isGreaterThan(FailureDetector.SUSPECT_PHI);
    assertThat(new FailureDetector(1_000).phi(99_999)).as("nothing was ever heard").isZero();
  }

  @Test
  void damagedMessagesAreRefusedAndNothingElse() {
    Shipment shipment =
        new Shipment(
            new NodeId("a.1"),
            3,
            List.of(new Shipment.Entry(5, new byte[700]), new Shipment.Entry(9, new byte[3])),
            9,
            true,
            VersionVector.of(Map.of(new NodeId("a.1"), 9L)));
    PullReply reply =
        new PullReply(
            shipment,
            9,
            10,
            20,
            List.of(new Member(new NodeId("b.2"), "http://b", 7, true, 5)),
            List.of(new LinkReport(new NodeId("b.2"), LinkState.CUT, 7, -1, -40)),
            Optional.of("down"),
            3,
            List.of(new StampedPolicy("main", "t", HybridTime.ZERO, new NodeId("b.2"), "type: t")),
            List.of(new Removal(new NodeId("b"), 5, 7, Optional.empty())));
    byte[] bytes = Wire.toBytes(reply);
    assertThat(Wire.reply(bytes).members()).isEqualTo(reply.members());
    assertThat(Wire.reply(bytes).links()).isEqualTo(reply.links());
    assertThat(Wire.reply(bytes).standing()).isEqualTo(reply.standing());
    assertThat(Wire.reply(bytes).removals()).isEqualTo(reply.removals());
    assertThat(Wire.reply(bytes).policies()).isEqualTo(reply.policies());
    assertThat(Wire.reply(bytes).shipment().entries()).hasSize(2);
    byte[] request =
        Wire.toBytes(
            new PullRequest(
                new NodeId("a.1"),
                Optional.of(new NodeId("b.1")),
                4,
                VersionVector.EMPTY,
                10,
                0,
                1,
                List.of(),
                true));
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      byte[] broken = (i % 2 == 0 ? bytes : request).clone();
      for (int change = 0; change <= i % 3; change++) {
        broken[random.nextInt(broken.length)] = (byte) random.nextInt(256);
      }
      try {
        if (i % 2 == 0) {
          Wire.reply(broken);
        } else {
          Wire.request(broken);
        }
      } catch (DamagedException e) {
        assertThat(e).hasMessageNotContaining("null");
      }
    }
    byte[] future = bytes.clone();
    future[0] = 9;
    assertThatThrownBy(() -> Wire.reply(future)).hasMessageContaining("speaks format 9");
  }

  /** It began after two seconds, and gave the numbers again: the two never agreed any more. */
  @Test
  void whoHearsThatItsDirectoryWentBackBeginsNothingBeforeItStops() throws Exception {
    MemoryStore store = new MemoryStore();
    Cluster now = join("a", store);
    Cluster other = join("b", "a");
    put(now, "1");
    exchange();
    Batch then = new Batch();
    store.copy(then::put);
    put(now, "2");
    exchange();
    now.node().close();
    MemoryStore putBack = new MemoryStore();
    putBack.commit(then);
    Cluster old = join("a", putBack, "b");
    Link link = old.links().getFirst();
    PullRequest introduced = link.request(old.members());
    link.replied(introduced, other.answer(introduced, nowMillis), nowMillis);
    PullRequest asked = link.request(old.members());
    PullReply told = other.answer(asked, nowMillis);
    old.heard(asked, told);
    CompletableFuture<Void> waits =
        CompletableFuture.runAsync(() -> {
          try {
            old.askAround(0);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    assertThatThrownBy(() -> waits.get(300, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    link.replied(asked, told, nowMillis);
    waits.get(30, TimeUnit.SECONDS);
    assertThat(old.node().failure().orElseThrow()).hasStackTraceContaining("an older state");
  }
}
