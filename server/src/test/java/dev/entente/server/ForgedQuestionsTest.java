// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.NodeMessage;
import dev.entente.cluster.PullRequest;
import dev.entente.cluster.Wire;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who knows the secret of nodes asks everything that nodes ask each other, in ways that no node
 * does: each is refused, told with the name of who asked, and changes nothing. The lies are made
 * from the list of messages, so a message that is added is lied to as well.
 */
class ForgedQuestionsTest {
  private static final String SECRET = "a secret of the cluster";
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{[a-z]+}");

  private static final Set<Integer> REFUSALS = Set.of(400, 403, 404, 413, 422, 503);

  private final List<Served> served = new ArrayList<>();

  /** A question of the liar. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Question(NodeMessage message, String path, String from, byte[] body) {}

  private void join(String name) {
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
    List<String> urls = served.stream().map(at -> "http://127.0.0.1:" + at.port()).toList();
    served.add(new Served(node, Optional.of(new Peering("", urls, SECRET))));
  }

  @AfterEach
  void close() {
    served.forEach(Served::close);
  }

  private static List<Question> lies(NodeMessage message) {
    List<Question> lies = new ArrayList<>();
    String honest = PLACEHOLDER.matcher(message.path()).replaceAll("1");
    if (message.method().equals("GET")) {
      for (String from : List.of("", "no node", "../../etc", "a".repeat(2_000), "liar.1.2")) {
        lies.add(new Question(message, honest, from, new byte[0]));
      }
    } else {
      for (byte[] body :
          List.of(
              new byte[0],
              new byte[] {9, 9, 9, 9},
              new byte[3_000],
              "{\"owner\":\"mallory\"}".getBytes(StandardCharsets.UTF_8),
              new ByteWriter().u8(1).u8(1).varint(1L << 40).raw(new byte[64]).toBytes(),
              new ByteWriter().u8(1).u8(0).varint(-1).varint(-1).toBytes())) {
        lies.add(new Question(message, honest, "liar.1", body));
      }
    }
    for (String value : List.of("%0A", "-1", "9999999999999999999", "%00x", "a".repeat(600))) {
      String path = PLACEHOLDER.matcher(message.path()).replaceAll(value);
      if (!path.equals(message.path())) {
        lies.add(new Question(message, path, "liar.1", new byte[0]));
      }
    }
    return lies;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5})
  void everyMessageIsSentByALiar(int nodes) throws InterruptedException {
    for (int i = 0; i < nodes; i++) {
      join("h" + i);
    }
    served.getFirst().json("PUT", "/v1/main/records/note/n", "{\"v\":1}");
    Served.eventually(() -> served.stream().allMatch(at -> at.get(path("n")).status() == 200));
    EnumSet<NodeMessage> refused = EnumSet.noneOf(NodeMessage.class);
    for (Served at : served) {
      for (NodeMessage message : NodeMessage.values()) {
        List<Question> lies = lies(message);
        assertThat(lies).as("%s", message).hasSizeGreaterThanOrEqualTo(5);
        for (Question lie : lies) {
          Served.Answer answer =
              at.send(
                  message.method(),
                  lie.path(),
                  lie.body(),
                  Map.of("Authorization", "Bearer " + SECRET, HttpTransport.NODE, lie.from()));
          if (answer.status() != 200) {
            assertThat(REFUSALS).as("%s: %s", lie, answer.body()).contains(answer.status());
            assertThat(answer.text("detail")).as("%s", lie).isNotBlank();
            refused.add(message);
          }
        }
      }
      assertThat(at.node.peerFaults().bySender())
          .anySatisfy(told -> assertThat(told.from().node()).isEqualTo("liar"));
    }
    assertThat(refused).containsExactly(NodeMessage.values());
    for (Served at : served) {
      for (NodeMessage message : NodeMessage.values()) {
        String said = message.method() + " " + message.path();
        assertThat(at.node.audit("_entente", Long.MAX_VALUE, 1_000))
            .as("%s is told by %s", message, at.node.id())
            .anySatisfy(entry -> assertThat(entry.detail().toString()).contains(said));
      }
      assertThat(at.node.failure()).isEmpty();
      assertThat(at.node.policies()).isEmpty();
      assertThat(at.node.records("_entente", "account", Optional.empty(), 9)).isEmpty();
      assertThat(at.node.read(new RecordKey("main", "note", "n")).view().data().toString())
          .isEqualTo("{\"v\":1}");
      assertThat(at.json("PUT", path("of-" + at.node.id().name()), "{\"v\":2}").status())
          .isEqualTo(201);
    }
    Served.eventually(() ->
        served.stream()
            .allMatch(at ->
                at.node.digest().buckets().equals(served.getFirst().node.digest().buckets())
                    && at.node.digest().records() == nodes + 1L));
  }

  @Test
  void aNodeThatWasRemovedIsRefusedByEveryRouteUntilItIsAdmittedAgain()
      throws InterruptedException {
    join("h0");
    join("h1");
    Served us = served.get(0);
    Served gone = served.get(1);
    us.json("PUT", path("n"), "{\"v\":1}");
    Served.eventually(() -> gone.get(path("n")).status() == 200 && us.node.held() == 0);
    Served.eventually(() -> us.get("/v1/cluster").body().contains("\"node\":\"h1.1\""));
    assertThat(us.send("DELETE", "/v1/cluster/members/h1.1", new byte[0], Map.of()).status())
        .isEqualTo(200);
    for (String name : List.of("h1.1", "h1.2", "h1")) {
      Map<String, String> as =
          Map.of("Authorization", "Bearer " + SECRET, HttpTransport.NODE, name);
      for (NodeMessage message : NodeMessage.values()) {
        String asked = PLACEHOLDER.matcher(message.path()).replaceAll("1");
        Served.Answer answer = us.send(message.method(), asked, new byte[0], as);
        assertThat(answer.status()).as("%s of %s", message, name).isEqualTo(403);
        assertThat(answer.text("detail")).contains("readmit h1");
      }
      Map<String, String> relayed =
          Map.of(
              "Authorization",
              "Bearer " + SECRET,
              HttpTransport.NODE,
              name,
              Steering.FORWARDED,
              "1",
              HttpTransport.RELAYED,
              "Bearer " + Served.TOKEN);
      assertThat(us.send("GET", path("n"), new byte[0], relayed).status()).isEqualTo(403);
    }
    PullRequest pull =
        new PullRequest(
            gone.node.id(), Optional.empty(), 0, VersionVector.EMPTY, 1, 0, 0, List.of(), false);
    assertThat(
            us.send(
                    "POST",
                    NodeMessage.PULL.path(),
                    Wire.toBytes(pull),
                    Map.of("Authorization", "Bearer " + SECRET))
                .status())
        .as("it does not say in its header who it is")
        .isEqualTo(403);
    us.json("PUT", path("later"), "{\"v\":2}");
    gone.json("PUT", path("apart"), "{\"v\":3}");
    Served.eventually(() -> gone.get("/v1/cluster").body().contains("was removed from this"));
    assertThat(gone.get(path("later")).status()).isEqualTo(404);
    assertThat(us.get(path("apart")).status()).isEqualTo(404);
    assertThat(us.json("POST", "/v1/cluster/members/h1/readmit", "{}").status()).isEqualTo(200);
    assertThat(us.json("POST", "/v1/cluster/members/h1/readmit", "{}").status()).isEqualTo(404);
    Served.eventually(
        () -> gone.get(path("later")).status() == 200 && us.get(path("apart")).status() == 200);
    Served.eventually(() -> !us.get("/v1/cluster").body().contains("\"departed\":true"));
  }

  private static String path(String id) {
    return "/v1/main/records/note/" + id;
  }
}
