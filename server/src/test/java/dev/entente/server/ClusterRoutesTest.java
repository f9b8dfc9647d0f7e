// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.HttpTransport;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Review;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Nodes that are served find each other over HTTP, and say how it is between them. */
class ClusterRoutesTest {
  private static final String MERGE = "application/merge-patch+json";
  private static final String SECRET = "a secret of the cluster";
  private static final RecordKey KEY = new RecordKey("main", "note", "n");
  private final List<Served> served = new ArrayList<>();

  private Served join(String name, Served... seeds) throws IOException {
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
    List<String> urls =
        Arrays.stream(seeds).map(seed -> "http://127.0.0.1:" + seed.port()).toList();
    Served started = new Served(node, Optional.of(new Peering("", urls, SECRET)));
    served.add(started);
    return started;
  }

  @AfterEach
  void close() {
    served.forEach(Served::close);
  }

  private static List<String> states(Served at) {
    JsonObject cluster = at.get("/v1/cluster").json();
    return ((JsonArray) cluster.get("links"))
        .items().stream().map(link -> ((JsonObject) link).get("state").toString()).toList();
  }

  private static boolean inStep(Served... all) {
    return Arrays.stream(all)
        .allMatch(at ->
            at.node.known().equals(all[0].node.known())
                && states(at).size() == all.length - 1
                && states(at).stream().allMatch("\"in-step\""::equals));
  }

  @Test
  void threeNodesMeetThroughOneAndAgree() throws IOException, InterruptedException {
    Served a = join("a");
    Served b = join("b", a);
    Served c = join("c", a);
    for (Served at : served) {
      at.json("PUT", "/v1/main/records/note/n", "{\"by\":\"" + at.node.id() + "\"}");
      at.json("PUT", "/v1/main/records/note/" + at.node.id().name(), "{\"v\":1}");
    }
    Served.eventually(() -> inStep(a, b, c));
    assertThat(StateCodec.toBytes(b.node.read(KEY).state()))
        .isEqualTo(StateCodec.toBytes(a.node.read(KEY).state()))
        .isEqualTo(StateCodec.toBytes(c.node.read(KEY).state()));
    Served.Answer compared = a.json("POST", "/v1/cluster/verify", "{}");
    assertThat(compared.body().split("\"findings\":\\[]", -1)).as(compared.body()).hasSize(3);
    assertThat(compared.body()).contains("\"records\":4").doesNotContain("problem");
    assertThat(c.get("/v1/main/records/note/b").status()).isEqualTo(200);
    assertThat(a.get("/metrics").body())
        .contains("entente_link_up{peer=\"b\"} 1")
        .contains("entente_link_behind_seconds")
        .contains("entente_link_clock_offset_seconds");
  }

  @Test
  void anAccountHoldsAtEveryNodeAndEndsAtEveryNode() throws Exception {
    Served a = join("a");
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    a.json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"writer@main\"]}");
    String token = a.json("POST", "/v1/cluster/accounts/ann/tokens", "{}").text("token");
    String[] as = {"Authorization", "Bearer " + token};
    String path = "/v1/main/records/note/n";
    Served.eventually(() -> b.json("PUT", path, "{\"by\":\"ann\"}", as).status() < 300);
    assertThat(b.json("PUT", "/v1/other/records/note/n", "{}", as).status()).isEqualTo(403);
    b.json("DELETE", "/v1/cluster/accounts/ann/tokens/" + token.substring(4, 20), "");
    Served.eventually(() -> a.json("PUT", path, "{}", as).status() == 401);
    Served.eventually(() -> inStep(a, b));
    Served.Answer compared = a.json("POST", "/v1/cluster/verify", "{}");
    assertThat(compared.body()).as("accounts are compared as well").contains("\"records\":3");
  }

  @Test
  void aNewNodeBeginsWithACopyAndTakesTheRestFromLogs() throws Exception {
    Served a = join("a");
    for (int i = 0; i < 40; i++) {
      a.json("PUT", "/v1/main/records/note/r" + i, "{\"v\":" + i + "}");
    }
    MemoryStore store = new MemoryStore();
    NodeConfig config = NodeConfig.DEFAULT.withName("b");
    String url = "http://127.0.0.1:" + a.port();
    try (HttpTransport transport = new HttpTransport(SECRET, Optional.empty())) {
      Bootstrap.Copied copied =
          transport.copy(url, new NodeId("b"), in -> Bootstrap.read(in, store, config, _ -> {}));
      assertThat(copied.position()).isEqualTo(40);
    }
    a.json("PUT", "/v1/main/records/note/r40", "{\"v\":40}");
    Served b =
        new Served(Node.open(store, config), Optional.of(new Peering("", List.of(url), SECRET)));
    served.add(b);
    Served.eventually(() -> inStep(a, b));
    assertThat(b.get("/v1/main/records/note/r7").body()).contains("\"v\":7");
    assertThat(b.get("/v1/cluster").body())
        .as("all that the link brought")
        .contains("\"applied\":1,");
    b.json("PUT", "/v1/main/records/note/r7", "{\"v\":\"b\"}");
    Served.eventually(() -> a.get("/v1/main/records/note/r7").body().contains("\"b\""));
    try (HttpTransport stranger =
        new HttpTransport("another secret altogether", Optional.empty())) {
      assertThatThrownBy(() -> stranger.copy(url, new NodeId("b"), in -> in.readAllBytes().length))
          .hasMessageContaining("do not share the same secret");
    }
  }

  @Test
  void nodesVoteForWhatTheyHadAndCountEachOthersBallots() throws Exception {
    Served a = join("a");
    Served b = join("b", a);
    Served c = join("c", a);
    Served.eventually(() -> inStep(a, b, c));
    String policy =
        "type: note\ndefault: {strategy: vote, voters: [a, b, c], otherwise: manual-review}\n";
    a.send(
        "PUT",
        "/v1/main/policies/note",
        policy.getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
    a.json("PUT", "/v1/main/records/note/n", "{\"v\":0}");
    Served.eventually(() -> inStep(a, b, c) && c.node.policyTypes("main").contains("note"));
    for (Served at : List.of(a, b)) {
      at.json("PUT", "/v1/cluster/links/" + c.node.id(), "{\"cut\":true}");
    }
    c.json("PUT", "/v1/main/records/note/n", "{\"v\":\"alone\"}");
    b.json("PUT", "/v1/main/records/note/n", "{\"v\":\"of most\"}");
    Served.eventually(() -> a.get("/v1/main/records/note/n").body().contains("of most"));
    for (Served at : List.of(a, b)) {
      at.json("PUT", "/v1/cluster/links/" + c.node.id(), "{\"cut\":false}");
    }
    Served.eventually(() ->
        served.stream()
            .allMatch(at ->
                at.get("/v1/main/records/note/n").body().contains("\"data\":{\"v\":\"of most\"}")));
    Served.eventually(() ->
        served.stream()
            .allMatch(
                at -> at.get("/v1/main/reviews?status=pending").body().contains("\"total\":0")));
    assertThat(a.get("/v1/main/records/note/n/history").body()).contains("voted by a, b");
    Served.eventually(() -> inStep(a, b, c));
    assertThat(StateCodec.toBytes(b.node.read(KEY).state()))
        .isEqualTo(StateCodec.toBytes(a.node.read(KEY).state()))
        .isEqualTo(StateCodec.toBytes(c.node.read(KEY).state()));
    assertThat(a.node.polls(10)).isEmpty();
  }

  @Test
  void aFreezeHoldsAtEveryNodeAndKeepsReadersFromNodesThatLack() throws Exception {
    Served a = join("a");
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    String path = "/v1/main/records/note/n";
    a.json("PUT", path, "{}");
    a.json("POST", "/v1/main/freezes", "{\"type\":\"note\",\"reads\":\"consistent\"}");
    Served.eventually(() -> b.json("PUT", path, "{}").status() == 423);
    Served.eventually(() -> inStep(a, b) && b.get(path).status() == 200);
    a.json("PUT", "/v1/cluster/links/" + b.node.id(), "{\"cut\":true}");
    Served.eventually(() -> a.get(path).status() == 503);
    assertThat(a.get(path).body()).contains("this one reaches 0 of 1 others");
    assertThat(a.get("/v1/main/records/other/n").status()).as("others are read").isEqualTo(404);
    a.json("PUT", "/v1/cluster/links/" + b.node.id(), "{\"cut\":false}");
    Served.eventually(() -> inStep(a, b) && a.get(path).status() == 200);
    b.json("DELETE", "/v1/main/freezes", "{\"type\":\"note\"}");
    Served.eventually(() -> a.json("PUT", path, "{}").status() == 200);
    assertThat(a.get("/v1/main/audit?action=thaw").body()).contains("main/note");
  }

  @Test
  void whatTwoApprovedOnTwoSidesIsDecidedOnceTheyMeet() throws Exception {
    Served a = join("a");
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    Map<String, String> tokens = new TreeMap<>();
    for (String name : List.of("eve", "fay")) {
      tokens.put(name, "Bearer " + a.account(name, "reviewer@main"));
    }
    String policy = "type: note\ndefault: manual-review\nreview: {two-persons: ['*']}\n";
    a.send(
        "PUT",
        "/v1/main/policies/note",
        policy.getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
    String context = a.json("PUT", "/v1/main/records/note/n", "{\"v\":0}").text("context");
    for (int v = 1; v < 3; v++) {
      a.json("PUT", "/v1/main/records/note/n", "{\"v\":" + v + "}", "Entente-Context", context);
    }
    Served.eventually(
        () -> inStep(a, b) && b.get("/v1/main/reviews").body().contains("\"total\":1"));
    a.json("PUT", "/v1/cluster/links/" + b.node.id(), "{\"cut\":true}");
    String review =
        "/v1/main/reviews/"
            + a.node.reviews("main", Review.Status.PENDING, Optional.empty(), 1).getFirst().id();
    Map<Served, String> who = Map.of(a, "eve", b, "fay");
    for (Map.Entry<Served, String> each : who.entrySet()) {
      Served.Answer approved =
          each.getKey()
              .json(
                  "POST",
                  review + "/decision",
                  "{\"choose\":1}",
                  "Authorization",
                  tokens.getOrDefault(each.getValue(), ""));
      assertThat(approved.status()).as(approved.body()).isEqualTo(202);
    }
    a.json("PUT", "/v1/cluster/links/" + b.node.id(), "{\"cut\":false}");
    Served.eventually(() ->
        served.stream().allMatch(at -> at.get(review).body().contains("\"status\":\"resolved\"")));
    Served.eventually(() -> inStep(a, b));
    assertThat(StateCodec.toBytes(b.node.read(KEY).state()))
        .isEqualTo(StateCodec.toBytes(a.node.read(KEY).state()));
    assertThat(a.get("/v1/main/reviews").body()).contains("\"total\":0");
  }

  @Test
  void comingTogetherIsForeseenFollowedAndAccountedFor() throws IOException, InterruptedException {
    Served a = join("a");
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    String policy = "type: note\nfields:\n  n: {cell: counter}\n  v: last-writer-wins\n";
    assertThat(
            a.send(
                    "PUT",
                    "/v1/main/policies/note",
                    policy.getBytes(StandardCharsets.UTF_8),
                    Map.of("Content-Type", "application/yaml"))
                .status())
        .isEqualTo(200);
    Served.eventually(() -> b.node.policyTypes("main").contains("note"));
    for (String id : List.of("counted", "competing", "reviewed")) {
      a.json("PUT", "/v1/main/records/note/" + id, "{\"n\":0,\"v\":0,\"w\":0}");
    }
    Served.eventually(() -> inStep(a, b));
    a.json("PUT", "/v1/cluster/links/" + b.node.id(), "{\"cut\":true}");
    Thread.sleep(2_000);
    for (Served at : List.of(a, b)) {
      String mine = "\"" + at.node.id() + "\"";
      at.json(
          "PATCH",
          "/v1/main/records/note/counted",
          "{\"n\":1}",
          "Content-Type",
          MERGE,
          "If-Match",
          at.get("/v1/main/records/note/counted").response().headers().firstValue("etag").get());
      at.json(
          "PATCH",
          "/v1/main/records/note/competing",
          "{\"v\":" + mine + "}",
          "Content-Type",
          MERGE);
      at.json(
          "PATCH", "/v1/main/records/note/reviewed", "{\"w\":" + mine + "}", "Content-Type", MERGE);
      at.json("PUT", "/v1/main/records/note/" + at.node.id().name(), "{}");
    }
    Served.Answer foreseen =
        a.json("POST", "/v1/cluster/healings/" + b.node.id() + "/preview", "{}");
    String both = "\"both\":{\"merged\":1,\"pending\":1,\"resolved\":1,\"siblings\":0}";
    assertThat(foreseen.body()).contains(both, "\"onlyOurs\":1", "\"onlyTheirs\":1");
    assertThat(a.get("/v1/main/records/note/b").status()).as("nothing was taken").isEqualTo(404);
    a.json("PUT", "/v1/cluster/links/" + b.node.id(), "{\"cut\":false}");
    Served.eventually(() -> a.get("/v1/cluster/healings").body().contains("\"step\":\"healed\""));
    assertThat(a.get("/v1/cluster/healings").body())
        .as("as it was foreseen")
        .contains(both, "\"ours\":4", "\"theirs\":4", "\"findings\":0")
        .contains("\"fate\":\"pending\"", "main/note/reviewed");
    assertThat(a.node.audit("", Long.MAX_VALUE, 10).getFirst().action()).isEqualTo("healing");
  }

  @Test
  void nodesAreNamedAsPeopleNamedThem() throws IOException, InterruptedException {
    Served a = join("a");
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    a.send(
        "PUT",
        "/v1/main/policies/seats",
        "type: seats\nfields: {left: {cell: bounded-counter}}\n".getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
    String path = "/v1/main/records/seats/s";
    String ops = "application/vnd.entente.ops+json";
    a.json("PUT", path, "{\"left\":9}");
    String give = "{\"path\":\"/left\",\"give\":2,\"to\":\"NODE\"}";
    for (String name : List.of("b", b.node.id().value())) {
      Served.Answer given =
          a.json(
              "PATCH", path, "{\"ops\":[" + give.replace("NODE", name) + "]}", "Content-Type", ops);
      assertThat(given.status()).as("%s: %s", name, given.body()).isEqualTo(200);
    }
    String data = give.replace("NODE", "b");
    Served.Answer synced =
        a.json(
            "POST",
            "/v1/main/sync",
            "{\"device\":\"d\",\"events\":[{\"id\":\"1\",\"type\":\"seats\",\"recordId\":\"s\",\"op\":"
                + "\"ops\",\"data\":{\"ops\":["
                + data
                + "]}}]}");
    assertThat(synced.body()).contains("\"errors\":[]");
    assertThat(a.get(path + "?explain=true").body()).contains("\"" + b.node.id() + "\":6");
    for (String nobody : List.of("c", "b.7")) {
      Served.Answer refused =
          a.json(
              "PATCH",
              path,
              "{\"ops\":[" + give.replace("NODE", nobody) + "]}",
              "Content-Type",
              ops);
      assertThat(refused.status()).isEqualTo(422);
      assertThat(refused.body()).contains("known are").contains(b.node.id().value());
    }
    String number =
        String.valueOf(a.node.read(key("seats", "s")).state().context().get(a.node.id()));
    assertThat(a.get(path + "?node=a&number=" + number).status()).isEqualTo(200);
    assertThat(a.json("POST", "/v1/cluster/healings/b/preview", "{}").status()).isEqualTo(200);
    assertThat(a.json("DELETE", "/v1/cluster/members/a", "").status()).isEqualTo(404);
    assertThat(a.json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"reader@*\"]}").status())
        .isEqualTo(200);
    assertThat(a.json("DELETE", "/v1/cluster/members/b?undo-access=perhaps", "").status())
        .isEqualTo(422);
    Served.Answer departed = a.json("DELETE", "/v1/cluster/members/b?undo-access=true", "");
    assertThat(departed.status()).isEqualTo(200);
    assertThat(((JsonObject) departed.json().get("access")).get("undoneCount"))
        .isEqualTo(Json.of(0));
    assertThat(a.get("/v1/cluster/audit?action=depart").body()).contains("undoneCount");
    Served.eventually(() -> a.get("/v1/cluster").body().contains("\"departed\":true"));
  }

  private static RecordKey key(String type, String id) {
    return new RecordKey("main", type, id);
  }

  @Test
  void aCutLineLetsBothSidesWriteAndHealingBringsThemTogether()
      throws IOException, InterruptedException {
    Served a = join("a");
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    String link = "/v1/cluster/links/" + b.node.id();
    assertThat(a.json("PUT", link, "{\"cut\":true}").body()).contains("\"state\":\"cut\"");
    a.json("PUT", "/v1/main/records/note/n", "{\"left\":1}");
    b.json("PUT", "/v1/main/records/note/n", "{\"right\":2}");
    Served.eventually(() -> b.get("/v1/cluster").body().contains("refuses"));
    assertThat(b.node.known().get(a.node.id())).isZero();
    String everywhere = "/v1/cluster/records/main/note/n";
    assertThat(a.get(everywhere).body()).contains("\"left\":1").doesNotContain("\"right\":2");
    assertThat(b.get(everywhere).body()).contains("\"right\":2").contains("it refuses for now");
    a.json("PUT", link, "{\"cut\":false}");
    Served.eventually(() -> inStep(a, b));
    assertThat(StateCodec.toBytes(a.node.read(KEY).state()))
        .isEqualTo(StateCodec.toBytes(b.node.read(KEY).state()));
    String merged = a.get(everywhere).body();
    assertThat(merged.split("\"left\":1", -1)).as("both have both").hasSize(3);
    assertThat(a.json("PUT", link, "{\"cut\":1}").status()).isEqualTo(422);
    assertThat(a.json("PUT", "/v1/cluster/links/nobody.1", "{\"cut\":true}").status())
        .isEqualTo(404);
  }

  @Test
  void aSessionReadsItsWritesAtAnyNodeOrIsToldToWait() throws IOException, InterruptedException {
    Served a = join("a");
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    String note = "/v1/main/records/note/n";
    String session = "new";
    for (int i = 0; i < 10; i++) {
      Served writer = i % 2 == 0 ? a : b;
      Served reader = i % 2 == 0 ? b : a;
      session = session(writer.json("PUT", note, "{\"v\":" + i + "}", "Entente-Session", session));
      Served.Answer read = reader.json("GET", note, "", "Entente-Session", session);
      assertThat(read.body()).contains("\"v\":" + i);
      session = session(read);
    }
    // What a took of b moved a's own log on, and b is to have heard of that before the cut.
    Served.eventually(() -> inStep(a, b));
    String link = "/v1/cluster/links/" + b.node.id();
    a.json("PUT", link, "{\"cut\":true}");
    session = session(a.json("PUT", note, "{\"v\":99}", "Entente-Session", session));
    Served.Answer behind = b.json("GET", note, "", "Entente-Session", session);
    assertThat(behind.status()).isEqualTo(503);
    assertThat(behind.text("detail")).contains("it lacks 1 of a");
    assertThat(b.json("GET", note, "").status()).as("without a session").isEqualTo(200);
    for (String wrong : List.of("?", "AAAA", "AQEDYS4x", "x".repeat(7_000))) {
      assertThat(b.json("GET", note, "", "Entente-Session", wrong).status()).isIn(400, 413);
    }
    a.json("PUT", link, "{\"cut\":false}");
  }

  private static String session(Served.Answer answer) {
    assertThat(answer.status()).as(answer.body()).isLessThan(300);
    return answer.response().headers().firstValue("Entente-Session").orElseThrow();
  }

  @Test
  void whatSeveralNodesCannotPromiseIsRefusedAndNotWeakened()
      throws IOException, InterruptedException {
    Served a = join("a");
    byte[] policy = "type: payment\nconsistency: strong".getBytes(StandardCharsets.UTF_8);
    a.send("PUT", "/v1/main/policies/payment", policy, Map.of());
    String payment = "/v1/main/records/payment/1";
    assertThat(a.json("PUT", payment, "{\"v\":1}").status()).as("alone").isEqualTo(201);
    Served b = join("b", a);
    Served.eventually(() -> inStep(a, b));
    Served.Answer refused = a.json("PUT", payment, "{\"v\":2}");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.text("code")).isEqualTo("unavailable");
    assertThat(a.get("/v1/main/audit").body()).as("the payload is kept").contains("\"v\":2");
    assertThat(b.get(payment).body()).contains("\"v\":1");
  }

  @Test
  void aNodeThatLeftIsForgottenByAll() throws IOException, InterruptedException {
    Served a = join("a");
    Served b = join("b", a);
    Served c = join("c", a);
    Served.eventually(() -> inStep(a, b, c));
    c.close();
    served.remove(c);
    String path = "/v1/cluster/members/" + c.node.id();
    assertThat(a.send("DELETE", path, new byte[0], Map.of()).status()).isEqualTo(200);
    Served.eventually(() -> inStep(a, b));
  }

  @Test
  void onlyNodesWithTheSecretAreAnswered() throws IOException, InterruptedException {
    Served a = join("a");
    String pull = "/v1/cluster/pull";
    assertThat(a.send("POST", pull, new byte[0], Map.of()).status())
        .as("the administrator's token is not the secret")
        .isEqualTo(401);
    Map<String, String> node = Map.of("Authorization", "Bearer " + SECRET);
    assertThat(a.send("POST", pull, new byte[0], node).status()).isEqualTo(400);
    assertThat(a.send("POST", pull, new byte[] {1, 0, 3}, node).status()).isEqualTo(400);
    assertThat(a.send("GET", "/v1/cluster", new byte[0], node).status())
        .as("the secret is not the administrator's token")
        .isEqualTo(401);
    Node stranger = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("s"));
    Served outside =
        new Served(
            stranger,
            Optional.of(
                new Peering(
                    "", List.of("http://127.0.0.1:" + a.port()), "another secret altogether")));
    served.add(outside);
    Served.eventually(
        () -> outside.get("/v1/cluster").body().contains("do not share the same secret"));
  }

  @Test
  void aNodeAloneSaysSo() {
    try (Served alone = new Served()) {
      assertThat(alone.get("/v1/cluster").json().get("links")).isEqualTo(JsonArray.EMPTY);
      assertThat(alone.json("PUT", "/v1/cluster/links/a.1", "{\"cut\":true}").body())
          .contains("takes part in no cluster");
    }
  }
}
