// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Proof;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Versions of accounts and tokens have an effect only where somebody who may grant signed them. */
class AccessKeysTest {
  private static final RecordKey ANN = new RecordKey(Registry.TENANT, Registry.ACCOUNT, "ann");
  private static final AccessKeys ADMIN = AccessKeys.of("the administrator's token", Set.of());

  private static Node node(String name, AccessKeys keys) {
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name).onCallersThread());
    node.demandProofs(keys);
    return node;
  }

  private static Outcome grant(Node node, RecordKey key, String grants) {
    return node.write(
            WriteRequest.of(
                key,
                new Edit.Put(
                    JsonObject.of(
                        Map.of(
                            "grants", Json.of(List.of(Json.of(grants))),
                            "status", Json.of("active")))),
                new Seen.Everything(),
                "somebody"))
        .join();
  }

  private static Intake ship(Node from, Node to) {
    return to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 20)).join();
  }

  @Test
  void keysAreThoseOfTheStandard() throws Exception {
    byte[] seed =
        HexFormat.of().parseHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    byte[] expected =
        HexFormat.of().parseHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assertThat(AccessKeys.publicKeyOf(seed))
        .isEqualTo(Base64.getUrlEncoder().withoutPadding().encodeToString(expected));
  }

  @Test
  void nodesUnderOneAdministratorTakeAccountsFromEachOther() {
    try (Node eu = node("eu", ADMIN);
        Node us = node("us", AccessKeys.of("the administrator's token", Set.of()))) {
      grant(eu, ANN, "*:admin");
      ship(eu, us);
      assertThat(us.read(ANN).view().exists()).isTrue();
      assertThat(us.unprovenAccess().bySender()).isEmpty();
    }
  }

  @Test
  void whoOnlyBelongsToTheClusterGrantsNothing() {
    for (String type :
        List.of(
            Registry.ACCOUNT,
            Registry.TOKEN,
            Registry.WEBHOOK,
            "freeze",
            "retention",
            ReviewSheet.TYPE,
            "anything later")) {
      for (AccessKeys keys : List.of(AccessKeys.NONE, AccessKeys.of("another token", Set.of()))) {
        RecordKey key = new RecordKey(Registry.TENANT, type, "mallory");
        try (Node liar = node("liar", keys);
            Node us = node("us", ADMIN)) {
          assertThat(grant(liar, key, "*:admin")).isInstanceOf(Outcome.Accepted.class);
          grant(liar, new RecordKey("main", "doc", "1"), "no grant");
          assertThat(ship(liar, us).violated()).isEqualTo(1);
          assertThat(us.read(key).view().exists()).isFalse();
          assertThat(us.read(new RecordKey("main", "doc", "1")).view().exists())
              .as("the rest is taken")
              .isTrue();
          assertThat(us.unprovenAccess().bySender().getFirst().count()).isEqualTo(1);
          assertThat(ship(liar, us).violated()).as("once").isZero();
        }
      }
    }
  }

  /** What all nodes say to have may be let go of, so a node says so for itself only. */
  @Test
  void whatANodeHasIsSaidByThatNodeOnly() {
    try (Node eu = node("eu", AccessKeys.of("another token", Set.of()));
        Node us = node("us", ADMIN)) {
      RecordKey own = new RecordKey(Registry.TENANT, Retention.KNOWLEDGE, "eu.1");
      RecordKey another = new RecordKey(Registry.TENANT, Retention.KNOWLEDGE, "asia.1");
      RecordKey nobody = new RecordKey(Registry.TENANT, Retention.KNOWLEDGE, "of nobody");
      for (RecordKey key : List.of(own, another, nobody)) {
        grant(eu, key, "has");
      }
      ship(eu, us);
      assertThat(us.read(own).view().exists()).isTrue();
      assertThat(us.read(another).view().exists()).isFalse();
      assertThat(us.read(nobody).view().exists()).isFalse();
      assertThat(us.unprovenAccess().bySender().getFirst().count()).isEqualTo(2);
    }
  }

  @Test
  void aRefusedVersionIsToldOfTheNodeThatSentItAndNotOfTheOneThatItNames() {
    try (Node liar = node("liar", AccessKeys.NONE);
        Node us = node("us", ADMIN)) {
      grant(liar, ANN, "*:admin");
      Version planted = liar.history(ANN, Long.MAX_VALUE, 1).getFirst().version();
      byte[] framing = VersionCodec.toBytes(numberedBy("honest.1", planted));
      us.take(shipment("liar.1", 1, framing), "http://liar:1").join();
      UnprovenAccess.Refused refused = us.unprovenAccess().bySender().getFirst();
      assertThat(refused.from()).isEqualTo(new Sender("liar", "http://liar:1"));
      assertThat(refused.numberedBy()).isEqualTo("honest");
      us.forgetUnprovenAccess("honest", "http://honest:1").join();
      assertThat(us.unprovenAccess().bySender()).as("honest departs").hasSize(1);
      us.forgetUnprovenAccess("liar", "").join();
      assertThat(us.unprovenAccess().bySender()).isEmpty();
    }
  }

  /** A refused version of a third node's number is no sign that the number was taken. */
  @Test
  void aRefusedVersionUnderAThirdNodesNumberDoesNotSuppressWhatThatNodeWrote() {
    try (Node honest = node("honest", ADMIN);
        Node third = node("third", ADMIN);
        Node us = node("us", ADMIN)) {
      us.require(() -> 2);
      grant(honest, ANN, "main:reader");
      Dot number = new Dot(honest.id(), 1);
      Version planted = honest.history(ANN, Long.MAX_VALUE, 1).getFirst().version();
      byte[] framing = VersionCodec.toBytes(forged(planted, Optional.empty()));
      VersionVector claimed = VersionVector.of(Map.of(new NodeId("liar.1"), 1L, honest.id(), 1L));
      us.take(
              new Shipment(
                  new NodeId("liar.1"),
                  0,
                  List.of(new Shipment.Entry(1, framing)),
                  1,
                  true,
                  claimed),
              "http://liar:1")
          .join();
      assertThat(us.unprovenAccess().bySender()).hasSize(1);
      assertThat(us.versionIndex().isRefused(number)).isFalse();
      assertThat(us.versionIndex().last(honest.id())).isZero();
      assertThat(us.known().contains(number)).as("it is asked for").isFalse();
      ship(honest, third);
      ship(third, us);
      assertThat(us.read(ANN).view().exists()).isTrue();
      assertThat(us.known().contains(number)).isTrue();
    }
  }

  @Test
  void howeverManyNamesAreInventedAFixedNumberIsListed() {
    try (Node liar = node("liar", AccessKeys.NONE);
        Node us = node("us", ADMIN)) {
      grant(liar, ANN, "*:admin");
      Version planted = liar.history(ANN, Long.MAX_VALUE, 1).getFirst().version();
      for (int i = 1; i <= 150; i++) {
        byte[] version = VersionCodec.toBytes(numberedBy("name" + i + ".1", planted));
        us.take(shipment("name" + i + ".1", 1, version), "").join();
      }
      assertThat(us.unprovenAccess().bySender()).hasSize(SenderTable.SENDERS_MAX);
      assertThat(us.unprovenAccess().ofOthers()).isEqualTo(150 - SenderTable.SENDERS_MAX);
      long audited =
          us.audit(entry -> entry.action().equals("violation"), Long.MAX_VALUE, 1_000).size();
      assertThat(audited).isLessThanOrEqualTo(SenderTable.SENDERS_MAX + UnprovenAccess.AUDITED_MAX);
    }
  }

  @Test
  void whatWasRefusedIsForgottenOnceItsKeyIsNamed() {
    try (Node partner = node("partner", AccessKeys.of("their token", Set.of()));
        Node us = node("us", ADMIN)) {
      grant(partner, ANN, "main:writer");
      ship(partner, us);
      assertThat(us.unprovenAccess().bySender()).hasSize(1);
      us.demandProofs(AccessKeys.of("the administrator's token", Set.of(key("their token"))));
      us.receive(partner.versions(ANN), Sender.at(partner.id(), "")).join();
      assertThat(us.read(ANN).view().exists()).isTrue();
      assertThat(us.unprovenAccess().bySender()).isEmpty();
      assertThat(us.versionIndex().isRefused(new Dot(partner.id(), 1))).isFalse();
    }
  }

  private static Shipment shipment(String from, long position, byte[] version) {
    return new Shipment(
        new NodeId(from),
        position - 1,
        List.of(new Shipment.Entry(position, version)),
        position,
        true,
        VersionVector.of(Map.of(new NodeId(from), position)));
  }

  @Test
  void aNodeThatIsNamedMayGrant() {
    try (Node partner = node("partner", AccessKeys.of("their token", Set.of()));
        Node us = node("us", AccessKeys.of("our token", Set.of(key("their token"))))) {
      grant(partner, ANN, "main:writer");
      ship(partner, us);
      assertThat(us.read(ANN).view().exists()).isTrue();
    }
  }

  private static Fingerprint key(String token) {
    return AccessKeys.parse(AccessKeys.of(token, Set.of()).publicKey().orElseThrow());
  }

  @Test
  void aProofIsOfOneVersionOnly() {
    try (Node eu = node("eu", ADMIN)) {
      grant(eu, ANN, "*:admin");
      Version signed = eu.history(ANN, Long.MAX_VALUE, 1).getFirst().version();
      assertThat(ADMIN.isProven(signed)).isTrue();
      assertThat(VersionCodec.fromBytes(VersionCodec.toBytes(signed))).isEqualTo(signed);
      Proof proof = signed.proof().orElseThrow();
      for (Version forged :
          List.of(
              forged(signed, Optional.empty()),
              forged(signed, Optional.of(new Proof(proof.signer(), proof.second(), proof.first()))),
              forged(
                  signed,
                  Optional.of(
                      new Proof(new Fingerprint(1, 2, 3, 4), proof.first(), proof.second()))),
              moved(signed))) {
        assertThat(ADMIN.isProven(forged)).as("%s", forged).isFalse();
      }
    }
  }

  private static Version forged(Version signed, Optional<Proof> proof) {
    return signed.toBuilder().proof(proof).build();
  }

  /** The same grant, under a number that another node gives it. */
  private static Version moved(Version signed) {
    return numberedBy("liar.1", signed);
  }

  private static Version numberedBy(String node, Version signed) {
    return Version.builder(new Dot(new NodeId(node), signed.dot().number()), signed.key())
        .previous(signed.previous())
        .context(signed.context())
        .acceptedAt(signed.acceptedAt())
        .time(signed.time())
        .author(signed.author())
        .device(signed.device())
        .eventId(signed.eventId())
        .note(signed.note())
        .changes(signed.changes())
        .clockErrorMillis(signed.clockErrorMillis())
        .origin(signed.origin())
        .proof(signed.proof())
        .build();
  }

  @Test
  void whatIsNoKeyIsRefused() {
    for (String text : List.of("", "key", "A".repeat(44), "!".repeat(43))) {
      assertThatThrownBy(() -> AccessKeys.parse(text))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no access key");
    }
  }
}
