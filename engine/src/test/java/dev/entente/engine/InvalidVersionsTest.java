// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What no client can have written, no other node can bring in either. */
class InvalidVersionsTest {
  private static final RecordKey RECORD = new RecordKey("main", "note", "n");
  private static final NodeId LIAR = new NodeId("liar.1");
  private static final Unit FIELD = Unit.field(Path.of("v"));
  private static final HybridTime NOW = HybridTime.ofMillis(1_763_802_000_000L);

  private final Node node = open("honest");
  private final Node other = open("other");

  private static Node open(String name) {
    return Node.open(
        new MemoryStore(), NodeConfig.DEFAULT.withName(name).withClock(() -> NOW.millis()));
  }

  @AfterEach
  void close() {
    node.close();
    other.close();
  }

  private static Version.Builder version(long number) {
    return Version.builder(new Dot(LIAR, number), RECORD)
        .acceptedAt(NOW)
        .author("mallory")
        .changes(
            List.of(
                new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(Ancestor.NOTHING)),
                assign(FIELD, Json.of(number))));
  }

  private static Change assign(Unit unit, Json value) {
    return new Change.Assign(unit, value, List.of());
  }

  private static Version with(Change change) {
    return version(1).changes(List.of(change)).build();
  }

  private static Json nested(int levels) {
    Json value = Json.of(1);
    for (int i = 0; i < levels; i++) {
      value = new JsonArray(List.of(value));
    }
    return value;
  }

  private static Path deep(int names) {
    return new Path(Collections.nCopies(names, "a"));
  }

  private static Json hole() {
    return JsonObject.of(Map.of("a", JsonAbsent.ABSENT));
  }

  private static Change splices(Path path, Json... inserted) {
    List<Splice> all = new ArrayList<>();
    for (Json each : inserted) {
      all.add(new Splice(0, 0, each));
    }
    return new Change.EditSequence(path, all, Optional.empty());
  }

  static Stream<Version> invalid() {
    Json text = Json.of("x");
    return Stream.of(
        with(assign(Unit.ALIVE, Json.of(true))),
        with(assign(Unit.ALIVE, Json.of(7))),
        with(assign(Unit.ALIVE, JsonArray.EMPTY)),
        with(assign(Unit.ALIVE, JsonNull.NULL)),
        with(assign(Unit.ALIVE, text)),
        with(new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(ancestor(Json.of(1))))),
        with(assign(Unit.group("lifecycle"), JsonArray.EMPTY)),
        with(assign(new Unit(Unit.Kind.GROUP, Path.ROOT), JsonObject.EMPTY)),
        with(assign(new Unit(Unit.Kind.GROUP, Path.of("a", "b")), JsonObject.EMPTY)),
        with(assign(FIELD, nested(128))),
        with(assign(Unit.field(deep(129)), Json.of(1))),
        with(assign(Unit.field(deep(100)), nested(29))),
        with(assign(FIELD, hole())),
        with(new Change.Assign(FIELD, text, List.of(ancestor(hole())))),
        with(new Change.Count(Path.ROOT, 1)),
        with(new Change.EditSet(Path.ROOT, List.of(text), List.of(), false)),
        with(new Change.EditSet(Path.of("s"), List.of(JsonAbsent.ABSENT), List.of(), false)),
        with(new Change.EditSet(Path.of("s"), List.of(), List.of(nested(129)), true)),
        with(splices(Path.ROOT, text)),
        with(splices(Path.of("t"), text, JsonArray.EMPTY)),
        with(splices(Path.of("l"), nested(129))),
        with(
            new Change.EditSequence(
                Path.of("t"),
                List.of(new Splice(0, 0, text)),
                Optional.of(new Change.EditSequence.Seed(new Dot(LIAR, 1), Json.of(1))))),
        with(new Change.Give(Path.of("stock"), LIAR, -5)),
        with(new Change.Give(Path.of("stock"), LIAR, 0)),
        version(1).author("a".repeat(257)).build(),
        version(1).author("ann\nbob").build(),
        version(1).device(Optional.of("\u202e")).build(),
        version(1).eventId(Optional.of("e".repeat(257))).build(),
        version(1).context(seen(LIAR, 1)).build(),
        version(1).context(seen(LIAR, Long.MAX_VALUE)).build());
  }

  private static Ancestor ancestor(Json value) {
    return new Ancestor(List.of(new Dot(LIAR, 1)), "mallory", value);
  }

  private static CausalContext seen(NodeId whose, long number) {
    return CausalContext.of(VersionVector.of(new TreeMap<>(Map.of(whose, number))));
  }

  private static Shipment shipment(byte[]... versions) {
    List<Shipment.Entry> entries = new ArrayList<>();
    for (byte[] version : versions) {
      entries.add(new Shipment.Entry(entries.size() + 1, version));
    }
    return new Shipment(
        LIAR,
        0,
        entries,
        versions.length,
        true,
        VersionVector.of(new TreeMap<>(Map.of(LIAR, (long) versions.length))));
  }

  private static void refuses(Node node, byte[] bytes, byte[] good) {
    Intake intake = node.take(shipment(bytes, good), "http://liar:1").join();
    assertThat(intake.problem()).isEmpty();
    assertThat(intake.violated()).isEqualTo(1);
    assertThat(intake.applied()).as("the rest is taken").isEqualTo(1);
    assertThat(node.read(RECORD).view().data().toString()).isEqualTo("{\"v\":2}");
    assertThat(node.peerFaults().bySender())
        .singleElement()
        .satisfies(refused -> {
          assertThat(refused.from()).isEqualTo(new Sender("liar", "http://liar:1"));
          assertThat(refused.count()).isEqualTo(1);
        });
    assertThat(node.audit(Registry.TENANT, Long.MAX_VALUE, 10).toString())
        .contains("invalid-version", "liar (http://liar:1)");
    assertThat(node.verify(_ -> {}).broken()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("invalid")
  void nodesRefuseItAlikeNameTheSenderAndTakeTheRest(Version version) {
    byte[] bytes = VersionCodec.toBytes(version);
    byte[] good = VersionCodec.toBytes(version(2).build());
    refuses(node, bytes, good);
    refuses(other, bytes, good);
    assertThat(StateCodec.toBytes(node.read(RECORD).state()))
        .isEqualTo(StateCodec.toBytes(other.read(RECORD).state()));
    assertThat(node.known().get(LIAR)).as("nothing is missing").isEqualTo(2);
  }

  @Test
  void namesThatNothingCanBearAreRefusedAndTheRestIsTaken() {
    byte[] bytes = VersionCodec.toBytes(version(1).build());
    byte[] good = VersionCodec.toBytes(version(2).build());
    byte[] slash = "note".getBytes(StandardCharsets.UTF_8);
    byte[] wrong = bytes.clone();
    int at = indexOf(wrong, slash);
    wrong[at + 1] = '\n';
    refuses(node, wrong, good);
  }

  @Test
  void anotherEncodingOfAVersionIsRefused() {
    byte[] bytes = VersionCodec.toBytes(version(1).build());
    byte[] good = VersionCodec.toBytes(version(2).build());
    // The number 1 of the dot in two bytes instead of one.
    int at = 1 + 1 + LIAR.value().length();
    byte[] longer = new byte[bytes.length + 1];
    System.arraycopy(bytes, 0, longer, 0, at);
    longer[at] = (byte) 0x81;
    longer[at + 1] = 0;
    System.arraycopy(bytes, at + 1, longer, at + 2, bytes.length - at - 1);
    assertThat(VersionCodec.fromBytes(longer)).isEqualTo(version(1).build());
    refuses(node, longer, good);
  }

  @Test
  void damagedBytesEndTheShipmentAndAreAskedForAgain() {
    byte[] bytes = VersionCodec.toBytes(version(1).build());
    byte[] good = VersionCodec.toBytes(version(2).previous(1).build());
    byte[] cut = Arrays.copyOf(bytes, bytes.length - 3);
    assertThat(node.take(shipment(cut, good)).join().problem()).isNotEmpty();
    assertThat(node.peerFaults().bySender()).isEmpty();
    Intake again = node.take(shipment(bytes, good)).join();
    assertThat(again.applied()).isEqualTo(2);
  }

  @Test
  void aSenderThatSendsThousandsIsCountedAndAuditedWithinBounds() {
    byte[][] all = new byte[300][];
    for (int i = 0; i < all.length; i++) {
      all[i] =
          VersionCodec.toBytes(
              version(i + 1).changes(List.of(assign(Unit.ALIVE, Json.of(true)))).build());
    }
    node.take(shipment(all), "http://liar:1").join();
    assertThat(node.peerFaults().bySender())
        .singleElement()
        .satisfies(refused -> assertThat(refused.count()).isEqualTo(300));
    assertThat(node.audit(Registry.TENANT, Long.MAX_VALUE, 1_000)).hasSize(PeerFaults.AUDITED_MAX);
    for (int i = 0; i < 40; i++) {
      node.take(shipment(all[0]), "http://liar:" + (100 + i)).join();
    }
    node.receive(List.of(all[0]), new Sender("x", "")).join();
    assertThat(node.peerFaults().bySender()).hasSize(SenderTable.SENDERS_MAX);
    node.forgetFaults("liar").join();
    assertThat(node.peerFaults().bySender()).isEmpty();
  }

  @Test
  void clientsMeetTheSameRules() {
    String pointer = "/a".repeat(200);
    Edit deep =
        new Edit.Operations(List.of(new Edit.Operation.Set(Path.parse(pointer), Json.of(1))));
    Outcome refused =
        node.write(WriteRequest.of(RECORD, deep, new Seen.Everything(), "ann")).join();
    assertThat(refused).isInstanceOf(Rejected.class);
    assertThat(((Rejected) refused).code()).isEqualTo(Code.INVALID);
    assertThat(((Rejected) refused).message()).contains("128 deep");
    Edit put = new Edit.Put(JsonObject.of("v", Json.of(1)));
    Outcome author =
        node.write(WriteRequest.of(RECORD, put, new Seen.Everything(), "a".repeat(300))).join();
    assertThat(((Rejected) author).message()).contains("author is longer than 256");
    Outcome good = node.write(WriteRequest.of(RECORD, put, new Seen.Everything(), "ann")).join();
    assertThat(good).isInstanceOf(Accepted.class);
    assertThat(node.position()).as("no number is lost").isEqualTo(1);
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    for (int i = 0; i < bytes.length - part.length; i++) {
      if (Arrays.mismatch(bytes, i, i + part.length, part, 0, part.length) < 0) {
        return i;
      }
    }
    throw new AssertionError();
  }

  @Test
  void everyVersionThatClientsWroteSatisfiesTheRules() {
    Edit put =
        new Edit.Put(
            (JsonObject) Json.of(Map.of("a", 1, "b", List.of(1, 2), "c", Map.of("d", "e"))));
    node.write(WriteRequest.of(RECORD, put, new Seen.Everything(), "ann")).join();
    node.write(WriteRequest.of(RECORD, new Edit.Delete(), new Seen.Everything(), "ann")).join();
    for (byte[] version : node.versions(RECORD)) {
      assertThat(VersionCodec.problem(VersionCodec.fromBytes(version), version)).isEmpty();
      assertThat(new ByteReader(version).u8()).isPositive();
    }
  }
}
