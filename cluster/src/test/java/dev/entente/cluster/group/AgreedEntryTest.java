// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Command;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.Proposal;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.codec.LockCodec;
import dev.entente.engine.store.MemoryStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Malformed and forged entries change nothing on any voter, and the group goes on. */
class AgreedEntryTest {
  @TempDir Path folder;

  private static byte[] versions(Node node, NodeId author, RecordKey key) {
    Edit edit = new Edit.Put(JsonObject.of("n", Json.of(1)));
    Command<Outcome> write =
        node.writing(WriteRequest.of(key, edit, new WriteRequest.Seen.Everything(), "ann"));
    return entry(node.draft(author, 0, List.of(write)).join());
  }

  private static byte[] entry(Proposal proposal) {
    return new ByteWriter().u8(AgreedEntry.VERSIONS).raw(proposal.toBytes()).toBytes();
  }

  private static byte[] valid(Node node) {
    return versions(node, Group.ID, new RecordKey("main", "seat", "12a"));
  }

  /** Every truncation and extension of a valid entry, every kind with noise, and forgeries. */
  private static List<byte[]> malformed(Node node) {
    byte[] valid = valid(node);
    byte[] lock =
        new ByteWriter()
            .u8(AgreedEntry.LOCK)
            .u64(1)
            .raw(LockCodec.toBytes(new Locks.Command.Tick()))
            .toBytes();
    List<byte[]> all = new ArrayList<>();
    for (byte[] whole : List.of(valid, lock)) {
      for (int length = 0; length < whole.length; length++) {
        all.add(Arrays.copyOf(whole, length));
      }
      all.add(Arrays.copyOf(whole, whole.length + 1));
    }
    all.add(HexFormat.of().parseHex("01020304050607"));
    Random random = new Random(23);
    for (int kind = 0; kind < 256; kind++) {
      byte[] noise = new byte[1 + random.nextInt(60)];
      random.nextBytes(noise);
      noise[0] = (byte) kind;
      all.add(noise);
    }
    RecordKey seat = new RecordKey("main", "seat", "12a");
    all.add(versions(node, new NodeId("mallory.1"), seat));
    all.add(versions(node, node.id(), seat));
    all.add(versions(node, Group.ID, new RecordKey("_entente", "account", "mallory")));
    Proposal honest = Proposal.fromBytes(Arrays.copyOfRange(valid, 1, valid.length));
    all.add(entry(new Proposal(7, honest.versions(), List.of(), List.of())));
    all.add(entry(new Proposal(-1, List.of(), List.of(), List.of())));
    return all;
  }

  @Test
  void malformedAndForgedEntriesAreQuarantinedAndTheGroupGoesOn() {
    try (Node one = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"));
        Node two = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("two"))) {
      Group left = new Group(one);
      Group right = new Group(two);
      List<byte[]> all = malformed(one);
      for (byte[] entry : all) {
        assertThatThrownBy(() -> left.check(entry))
            .as(HexFormat.of().formatHex(entry))
            .isInstanceOf(DamagedException.class);
        assertThat(left.apply(entry)).isEqualTo(right.apply(entry)).containsExactly(0);
      }
      assertThat(left.quarantined()).isEqualTo(right.quarantined()).isEqualTo(all.size());
      assertThat(left.snapshot()).isEqualTo(right.snapshot());
      byte[] valid = valid(one);
      assertThat(left.apply(valid)).isEqualTo(right.apply(valid)).containsExactly(1);
      assertThat(left.position()).isEqualTo(1);
    }
  }

  @Test
  void aMalformedEntryIsRefusedBeforeItIsProposed() throws Exception {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("one"));
        Consensus alone = start(node)) {
      long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (!alone.standing().leading() && System.nanoTime() < end) {
        Thread.sleep(20);
      }
      assertThatThrownBy(() -> alone.propose(new byte[] {1, 2, 3, 4, 5, 6, 7}).join())
          .hasMessageContaining("refused");
      assertThat(alone.propose(valid(node)).join()).containsExactly(1);
    }
  }

  private Consensus start(Node node) throws Exception {
    Map<String, String> addresses = Map.of("one", "127.0.0.1:" + FreePort.find());
    return RatisConsensus.start(
        new Voters("one", addresses, folder),
        new Group(node),
        VoterCredentials.of("one", "a secret of the cluster", Optional.empty()),
        _ -> false);
  }
}
