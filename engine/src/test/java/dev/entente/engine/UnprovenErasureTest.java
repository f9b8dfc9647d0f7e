// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.Erasure.Stage;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A node that only knows the secret has nothing taken away at others by erasing it. */
class UnprovenErasureTest {
  private static final AccessKeys ADMIN = AccessKeys.of("the administrator's token", Set.of());
  private static final RecordKey KEY = new RecordKey("main", "t", "p7");

  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final Map<String, MemoryStore> stores = new TreeMap<>();
  private final Node us = open("us", ADMIN);
  private final Node asia = open("asia", ADMIN);
  private final Node liar = open("liar", AccessKeys.NONE);

  private Node open(String name, AccessKeys keys) {
    MemoryStore store = new MemoryStore();
    stores.put(name, store);
    Node node =
        Node.open(store, NodeConfig.DEFAULT.withName(name).withClock(now::get).onCallersThread());
    node.demandProofs(keys);
    return node;
  }

  @AfterEach
  void close() {
    List.of(us, asia, liar).forEach(Node::close);
  }

  private void write(Node at, WriteRequest request) {
    now.addAndGet(1_000);
    assertThat(at.write(request).join()).isInstanceOf(Outcome.Accepted.class);
  }

  private static void ship(Node from, Node to) {
    to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 20), "http://" + from.id().name())
        .join();
  }

  private static Stage stage(Node at) {
    return at.erasures().of(KEY, at.known()).orElseThrow().stage();
  }

  private static List<RecordKey> carryOut(Node at) {
    return at.erasures().carryOut(at.known(), List.of(at.id()));
  }

  /** Everything that is kept, whether it is shown or not. */
  private String kept(Node at) {
    StringBuilder all = new StringBuilder();
    stores
        .get(at.id().name())
        .copy((table, key, value) -> all.append(new String(value, StandardCharsets.ISO_8859_1)));
    return all.toString();
  }

  private void put() {
    Edit edit = new Edit.Put(JsonObject.of("name", Json.of("Rosalind")));
    write(us, WriteRequest.of(KEY, edit, new Seen.Everything(), "ann"));
    ship(us, asia);
    ship(us, liar);
  }

  @Test
  void whatIsErasedWithoutASignatureIsKeptAndTold() {
    put();
    write(liar, WriteRequest.erasure(KEY, "mallory", "because"));
    ship(liar, us);
    ship(us, asia);
    for (Node at : List.of(us, asia)) {
      assertThat(stage(at)).isEqualTo(Stage.UNPROVEN);
      assertThat(carryOut(at)).isEmpty();
      assertThat(kept(at)).contains("Rosalind");
    }
    assertThat(us.unprovenAccess().bySender())
        .singleElement()
        .satisfies(told -> assertThat(told.from().node()).isEqualTo("liar"));
    assertThat(us.audit("main", Long.MAX_VALUE, 10))
        .anySatisfy(entry -> assertThat(entry.detail().toString()).contains("which erases"));
    Edit again = new Edit.Put(JsonObject.of("name", Json.of("Rosalind")));
    write(us, WriteRequest.of(KEY, again, new Seen.Everything(), "ann"));
    assertThat(us.read(KEY).view().data().toString()).contains("Rosalind");
  }

  @Test
  void anAdministratorsErasureIsCarriedOutEverywhereAlsoOverAnUnprovenOne() {
    put();
    write(liar, WriteRequest.erasure(KEY, "mallory", "because"));
    ship(liar, us);
    write(us, WriteRequest.erasure(KEY, "ann", "asked for"));
    ship(us, asia);
    for (Node at : List.of(us, asia)) {
      assertThat(stage(at)).isNotEqualTo(Stage.UNPROVEN);
      assertThat(carryOut(at)).containsExactly(KEY);
      assertThat(kept(at)).doesNotContain("Rosalind");
      assertThat(at.verify(_ -> {}).broken()).isEmpty();
    }
    assertThat(asia.reviews("main", Review.Status.PENDING, Optional.empty(), 9)).isEmpty();
  }

  /** The liar's erasure as it would be under another number. */
  private byte[] erasure(Dot dot, UnaryOperator<Version.Builder> changed) {
    write(liar, WriteRequest.erasure(KEY, "mallory", "because"));
    Version written = liar.history(KEY, Long.MAX_VALUE, 1).getFirst().version();
    Version.Builder renumbered =
        Version.builder(dot, KEY)
            .context(written.context())
            .acceptedAt(written.acceptedAt())
            .time(written.time())
            .author(written.author())
            .changes(written.changes());
    return VersionCodec.toBytes(changed.apply(renumbered).build());
  }

  @Test
  void anErasureUnderAnInventedIncarnationOfAnyNodeIsKeptAndTold() {
    for (String invented : List.of("us.77", "asia.2", "nobody.1", "group.1")) {
      put();
      byte[] erasure = erasure(new Dot(new NodeId(invented), 1), version -> version);
      for (Node at : List.of(us, asia)) {
        at.receive(List.of(erasure), new Sender("liar", "http://liar")).join();
        assertThat(carryOut(at)).as(invented + " at " + at.id()).isEmpty();
        assertThat(stage(at)).as(invented + " at " + at.id()).isEqualTo(Stage.UNPROVEN);
        assertThat(kept(at)).contains("Rosalind");
        assertThat(at.unprovenAccess().bySender()).hasSize(1);
      }
    }
  }

  @Test
  void anErasureThatAGroupAgreedOnIsSignedAndCarriedOut() {
    put();
    NodeId group = new NodeId("group.1");
    WriteRequest erasure = WriteRequest.erasure(KEY, "ann", "asked for");
    Proposal agreed = us.draft(group, 0, List.of(us.writing(erasure))).join();
    for (Node at : List.of(us, asia)) {
      assertThat(at.takeAgreed(group, agreed).join()).isEmpty();
      assertThat(carryOut(at)).containsExactly(KEY);
      assertThat(kept(at)).doesNotContain("Rosalind");
      assertThat(at.unprovenAccess().bySender()).isEmpty();
    }
  }

  @Test
  void anErasureThatHadToWaitIsToldWhenItJoins() {
    put();
    write(liar, WriteRequest.of(KEY, new Edit.Put(JsonObject.EMPTY), new Seen.Everything(), "m"));
    byte[] before = VersionCodec.toBytes(liar.history(KEY, Long.MAX_VALUE, 1).getFirst().version());
    write(liar, WriteRequest.erasure(KEY, "mallory", "because"));
    byte[] erasure =
        VersionCodec.toBytes(liar.history(KEY, Long.MAX_VALUE, 1).getFirst().version());
    us.receive(List.of(erasure), new Sender("liar", "http://liar")).join();
    assertThat(us.held()).isOne();
    assertThat(us.unprovenAccess().bySender()).isEmpty();
    us.receive(List.of(before), new Sender("asia", "http://asia")).join();
    assertThat(us.held()).isZero();
    assertThat(us.unprovenAccess().bySender())
        .singleElement()
        .satisfies(told -> assertThat(told.from().url()).isEqualTo("http://liar"));
  }
}
