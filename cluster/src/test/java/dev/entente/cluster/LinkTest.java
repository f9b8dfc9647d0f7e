// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A link between a node that decides and another that sends. */
class LinkTest {
  private static final ClusterConfig CONFIG = ClusterConfig.of("http://a", List.of());

  private static CompletableFuture<Outcome> write(Node node, String id) {
    RecordKey key = new RecordKey("main", "note", id);
    return node.write(
        WriteRequest.of(key, new Edit.Put(JsonObject.EMPTY), new Seen.Everything(), "ann"));
  }

  @Test
  void aNodeMayAskALinkHowItIsWhileTheLinkHandsItWhatCame() throws Exception {
    try (Node here = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("a"));
        Node there = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("b"))) {
      write(there, "theirs").join();
      Cluster other = new Cluster(there, CONFIG, () -> 0);
      Link link = new Link(here, "http://b", CONFIG, 0);
      PullRequest first = link.request(List.of());
      link.replied(first, other.answer(first, 0), 0);
      PullRequest asked = link.request(List.of());
      PullReply reply = other.answer(asked, 0);
      CountDownLatch deciding = new CountDownLatch(1);
      here.promise(_ -> {
        deciding.countDown();
        try {
          Thread.sleep(200);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        link.status(0);
        return Optional.empty();
      });
      CompletableFuture<Outcome> written = write(here, "ours");
      deciding.await();
      CompletableFuture<Optional<?>> taken =
          CompletableFuture.supplyAsync(() -> link.replied(asked, reply, 0));
      assertThat(written.get(30, TimeUnit.SECONDS)).isInstanceOf(Outcome.Accepted.class);
      assertThat(taken.get(30, TimeUnit.SECONDS)).isPresent();
    }
  }
}
