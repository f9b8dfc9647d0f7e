// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.PercentText;
import dev.entente.cluster.group.FreePort;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A name is the same name at the node that a client asks and at the one that answers. */
class ForwardedNamesTest {
  /** Names that some decoder somewhere takes for another name. */
  private static final List<String> HOSTILE =
      List.of(
          "Zo\u00eb \u00d8deg\u00e5rd",
          "Zoe\u0308",
          "J\uFFFDrg",
          "\uFF41nn",
          "\u0430nn",
          "\u5b89\u5a1c",
          "\u05e9\u05dc\u05d5\u05dd",
          "\ud83d\udc69\ud83c\udffd",
          "100%",
          "%41nn",
          "%C3%28",
          "a+b",
          "a b",
          "a&b=c;d",
          "o'neill",
          "\"quoted\"",
          "back\\slash",
          "sl/ash",
          "que?ry#part",
          "{\"name\":1}",
          "<b>",
          "admin@*",
          "\u00a0nbsp",
          "I\u0307\u0131",
          "\ud83e\udd9c".repeat(60));

  /** Names that no path takes, whoever is asked. */
  private static final List<String> INVISIBLE =
      List.of("a\u202Eb", "a\u200Bb", "a\r\nb", "a\tb", "\uFEFFa", "a\u0000b", "\u2028", "..");

  private static final String SECRET = "a secret of the cluster";

  @TempDir static Path folder;
  private static final List<Served> VOTERS = new ArrayList<>();

  /** Does not vote, so that it has a voter answer whatever must be agreed on, reads too. */
  private static Served asked;

  @BeforeAll
  static void start() throws Exception {
    List<String> voters = new ArrayList<>();
    for (String name : List.of("asia", "eu")) {
      voters.add(name + "=127.0.0.1:" + FreePort.find());
    }
    for (String name : List.of("asia", "eu")) {
      VOTERS.add(serve(name, voters));
    }
    asked = serve("us", voters);
    policy("contract", "fields: {body: {cell: text}}\n");
    Json all = Json.of(HOSTILE.stream().map(Json::of).toList());
    policy("ballot", "fields: {v: {strategy: vote, voters: " + all + "}}\n");
  }

  private static Served serve(String name, List<String> voters) {
    List<String> seeds = VOTERS.stream().map(at -> "http://127.0.0.1:" + at.port()).toList();
    Peering peering = new Peering("", seeds, SECRET).withVoters(voters, folder.resolve(name));
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
    return new Served(node, Optional.of(peering));
  }

  private static List<Served> all() {
    return List.of(VOTERS.getFirst(), VOTERS.getLast(), asked);
  }

  @AfterAll
  static void close() {
    asked.close();
    VOTERS.forEach(Served::close);
  }

  private static void policy(String type, String rest) throws InterruptedException {
    byte[] body = agreed(type, rest).getBytes(StandardCharsets.UTF_8);
    Map<String, String> yaml = Map.of("Content-Type", "application/yaml");
    String path = "/v1/main/policies/" + type;
    Served.eventually(() -> VOTERS.getFirst().send("PUT", path, body, yaml).status() == 200);
    Served.eventually(
        () -> all().stream().allMatch(at -> at.node.policyTypes("main").contains(type)));
  }

  static String agreed(String type, String rest) {
    return "type: " + Json.of(type) + "\nconsistency: strong\ndefault: manual-review\n" + rest;
  }

  @Test
  void everyForwardedRouteIsSentEveryName() throws IOException {
    Set<String> forwarded = new TreeSet<>();
    for (Route route : new Api(asked.node, ServerConfig.of(0, "t")).routes()) {
      if (Steering.isSentOn(route)) {
        forwarded.add(route.method() + " " + route.pattern());
      }
    }
    assertThat(ForwardedRequests.SENDERS.keySet()).containsExactlyInAnyOrderElementsOf(forwarded);
  }

  @Test
  void everyNameArrivesAsItselfByEveryForwardedRoute() throws Exception {
    Served first = VOTERS.getFirst();
    Map<String, String> tokens = new HashMap<>();
    for (String name : HOSTILE) {
      String escaped = PercentText.encode(name);
      tokens.put(name, first.account(escaped, "writer@main", "reviewer@main", "admin@main"));
    }
    String delegate = first.account("app", "delegate@main", "reviewer@main", "admin@main");
    for (String token : List.of(delegate, tokens.getOrDefault(HOSTILE.getLast(), ""))) {
      Served.eventually(() ->
          all().stream()
              .allMatch(at ->
                  ForwardedRequests.as(at, token, "GET", "/v1/whoami", Json.of(1)).status()
                      == 200));
    }
    try (ExecutorService people = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (String name : HOSTILE) {
        String token = tokens.getOrDefault(name, "");
        all.add(people.submit(() -> sendEveryWay(name, token, delegate)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
  }

  private static boolean sendEveryWay(String name, String token, String delegate)
      throws InterruptedException {
    ForwardedRequests person = new ForwardedRequests(all(), name, token, delegate);
    for (Map.Entry<String, ForwardedRequests.Sender> route : ForwardedRequests.SENDERS.entrySet()) {
      try {
        route.getValue().send(person);
      } catch (AssertionError e) {
        throw new AssertionError(route.getKey() + " as " + name, e);
      }
    }
    return true;
  }

  @Test
  void everyTenantIsTheSameTenantAtTheNodeThatAnswers() throws Exception {
    for (String tenant : HOSTILE) {
      String policy = ForwardedRequests.path(tenant, "policies", tenant);
      byte[] body = agreed(tenant, "").getBytes(StandardCharsets.UTF_8);
      Map<String, String> yaml = Map.of("Content-Type", "application/yaml");
      assertThat(asked.send("PUT", policy, body, yaml).status()).as(tenant).isEqualTo(200);
    }
    for (String tenant : HOSTILE) {
      Served.eventually(() -> asked.node.policyTypes(tenant).contains(tenant));
      JsonObject write =
          JsonObject.of(Map.of("type", Json.of(tenant), "op", Json.of("put")))
              .with("data", ForwardedRequests.parsed("{'v':1}"));
      Json event = write.with("recordId", Json.of("synced")).with("id", Json.of("e"));
      Json sync = JsonObject.of("events", Json.of(List.of(event)));
      Served.Answer synced =
          ForwardedRequests.as(
              asked, Served.TOKEN, "POST", ForwardedRequests.path(tenant, "sync"), sync);
      assertThat(synced.json().get("errors")).as(tenant).isEqualTo(JsonArray.EMPTY);
      Json together =
          JsonObject.of("writes", Json.of(List.of(write.with("recordId", Json.of("batched")))));
      Served.Answer batched =
          ForwardedRequests.as(
              asked, Served.TOKEN, "POST", ForwardedRequests.path(tenant, "batch"), together);
      assertThat(batched.status()).as(batched.body()).isEqualTo(200);
      for (String id : List.of("synced", "batched")) {
        Served.Answer read = asked.get(ForwardedRequests.path(tenant, "records", tenant, id));
        assertThat(read.text("tenant")).as(read.body()).isEqualTo(tenant);
        assertThat(read.text("type")).isEqualTo(tenant);
      }
    }
  }

  @Test
  void invisibleNamesAreRefusedAtEveryNode() {
    for (Served at : all()) {
      for (String name : INVISIBLE) {
        String path = "/v1/main/records/contract/a";
        assertThat(
                ForwardedRequests.as(
                        at,
                        Served.TOKEN,
                        "PUT",
                        path,
                        ForwardedRequests.parsed("{}"),
                        "Entente-Author",
                        name)
                    .status())
            .as(PercentText.encode(name))
            .isIn(400, 422);
      }
    }
  }

  @Test
  void headersThatAreNotPercentEncodedUtf8AreRefusedAndNothingIsWritten() throws Exception {
    for (Served at : all()) {
      for (String header :
          List.of("Entente-Author", "Entente-Reason", "Entente-Fence", "Idempotency-Key")) {
        for (String value :
            List.of("J\u00f6rg", "\u00c3\u00b6", "J%F6rg", "J%rg", "%", "%C3%28", "%ED%A0%80")) {
          boolean opaque = header.equals("Idempotency-Key") && value.contains("%");
          String head =
              "PUT /v1/main/records/contract/raw HTTP/1.1\r\n"
                  + "Host: localhost\r\n"
                  + "Authorization: Bearer "
                  + Served.TOKEN
                  + "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                  + header
                  + ": "
                  + value
                  + "\r\nConnection: close\r\n\r\n{}";
          if (!opaque) {
            assertThat(at.raw(head)).as(header + " " + value).contains(" 400");
          }
        }
      }
      assertThat(at.get("/v1/main/records/contract/raw").status()).isEqualTo(404);
      for (String path : List.of("%FF", "%C3%28", "%ED%A0%80", "%zz")) {
        String get =
            "GET /v1/main/records/contract/%s HTTP/1.1\r\nHost: localhost\r\n".formatted(path);
        assertThat(at.raw(get + "Authorization: Bearer " + Served.TOKEN + "\r\n\r\n"))
            .as(path)
            .contains(" 400");
        String query =
            "GET /v1/main/reviews?owner=%s HTTP/1.1\r\nHost: localhost\r\n".formatted(path);
        assertThat(at.raw(query + "Authorization: Bearer " + Served.TOKEN + "\r\n\r\n"))
            .as(path)
            .contains(" 400");
      }
    }
  }
}
