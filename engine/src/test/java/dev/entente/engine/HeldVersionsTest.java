// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Versions that cannot be applied yet wait, each sender's within its share. */
class HeldVersionsTest {
  private static final long NOW = 1_763_802_000_000L;
  private static final NodeId LIAR = new NodeId("liar.1");
  private static final NodeId HONEST = new NodeId("honest.1");
  private static final Sender FROM_LIAR = Sender.at(LIAR, "http://liar:1");
  private static final Sender FROM_HONEST = Sender.at(HONEST, "http://honest:1");

  private final MemoryStore store = new MemoryStore();
  private Node node = open();

  private Node open() {
    return Node.open(
        store, NodeConfig.DEFAULT.withName("us").withClock(() -> NOW).onCallersThread());
  }

  @AfterEach
  void close() {
    node.close();
  }

  private static byte[] version(NodeId author, long number, String id, VersionVector context) {
    return VersionCodec.toBytes(
        Version.builder(new Dot(author, number), new RecordKey("main", "note", id))
            .acceptedAt(HybridTime.ofMillis(NOW))
            .author("ann")
            .context(CausalContext.of(context))
            .changes(
                List.of(
                    new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(Ancestor.NOTHING)),
                    new Change.Assign(
                        Unit.field(Path.of("v")), Json.of(number), List.of(Ancestor.NOTHING))))
            .build());
  }

  /** It builds on what nobody has written. */
  private static byte[] stuck(NodeId author, long number) {
    return version(
        author, number, "s" + number, VersionVector.of(Map.of(new NodeId("nobody.1"), 9L)));
  }

  private List<Receipt> send(Sender from, NodeId author, long first, long last) {
    List<Receipt> receipts = new ArrayList<>();
    for (long at = first; at <= last; at += 1_000) {
      List<byte[]> versions =
          LongStream.rangeClosed(at, Math.min(last, at + 999))
              .mapToObj(number -> stuck(author, number))
              .toList();
      receipts.addAll(node.receive(versions, from).join());
    }
    return receipts;
  }

  /** Also where it uses the names of others, and after a restart. */
  @Test
  void aSenderWhoseVersionsAllWaitLeavesRoomForOthers() {
    int share = HeldVersions.Bounds.DEFAULT.ofSender();
    List<Receipt> sent = send(FROM_LIAR, LIAR, 1, share - 500);
    sent.addAll(send(FROM_LIAR, HONEST, 1_000_000, 1_000_599));
    assertThat(sent.stream().filter(Receipt.Held.class::isInstance)).hasSize(share);
    assertThat(sent.getLast()).isInstanceOf(Receipt.Damaged.class);
    assertThat(((Receipt.Damaged) sent.getLast()).why()).contains("http://liar:1");
    assertThat(send(FROM_HONEST, HONEST, 1, 50)).hasOnlyElementsOfType(Receipt.Held.class);
    node.close();
    node = open();
    assertThat(node.held()).isEqualTo(share + 50L);
    assertThat(send(FROM_LIAR, LIAR, 2_000_000, 2_000_000).getFirst())
        .isInstanceOf(Receipt.Damaged.class);
    assertThat(send(FROM_HONEST, HONEST, 51, 60)).hasOnlyElementsOfType(Receipt.Held.class);
  }

  @Test
  void eachSenderHasAReservedShareWhenTheBufferIsFull() {
    HeldVersions held = new HeldVersions(store, new HeldVersions.Bounds(0, 50, 10), _ -> {});
    assertThat(held.whyFull(FROM_HONEST)).isEmpty();
    HeldVersions none = new HeldVersions(store, new HeldVersions.Bounds(0, 50, 0), _ -> {});
    assertThat(none.whyFull(FROM_HONEST)).isPresent();
  }

  /** Otherwise the node would ask for that number for ever. */
  @Test
  void aVersionThatJoinsEndsTheWaitOfAnotherUnderItsNumber() {
    node.receive(
            List.of(
                version(HONEST, 1, "forged", VersionVector.of(Map.of(new NodeId("nobody.1"), 9L)))),
            FROM_LIAR)
        .join();
    assertThat(node.held()).isEqualTo(1);
    byte[] real = version(HONEST, 1, "real", VersionVector.EMPTY);
    node.take(
            new Shipment(
                HONEST,
                0,
                List.of(new Shipment.Entry(1, real)),
                1,
                true,
                VersionVector.of(Map.of(HONEST, 1L))),
            "http://honest:1")
        .join();
    assertThat(node.held()).isZero();
    assertThat(node.known().contains(new Dot(HONEST, 1))).isTrue();
    assertThat(node.audit("main", Long.MAX_VALUE, 10))
        .anySatisfy(
            entry -> assertThat(entry.detail().toString()).contains("sent by http://liar:1"));
  }

  @Test
  void whoSentAVersionThatContradictsAnotherIsNamed() {
    node.receive(List.of(version(HONEST, 1, "real", VersionVector.EMPTY)), FROM_HONEST).join();
    Receipt receipt =
        node.receive(List.of(version(HONEST, 1, "forged", VersionVector.EMPTY)), FROM_LIAR)
            .join()
            .getFirst();
    assertThat(receipt).isInstanceOf(Receipt.Violated.class);
    assertThat(((Receipt.Violated) receipt).why()).startsWith("liar (http://liar:1) sent honest.1");
  }
}
