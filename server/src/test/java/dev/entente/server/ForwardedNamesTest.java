// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.PercentText;
import dev.entente.cluster.group.FreePort;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  private static final List<Served> SERVED = new ArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    List<String> voters = new ArrayList<>();
    for (String name : List.of("asia", "eu")) {
      voters.add(name + "=127.0.0.1:" + FreePort.find());
    }
    for (String name : List.of("asia", "eu")) {
      List<String> seeds = SERVED.stream().map(at -> "http://127.0.0.1:" + at.port()).toList();
      Peering peering = new Peering("", seeds, SECRET).withVoters(voters, folder.resolve(name));
      Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
      SERVED.add(new Served(node, Optional.of(peering)));
    }
    put("contract", "default: manual-review\n");
  }

  @AfterAll
  static void close() {
    SERVED.forEach(Served::close);
  }

  private static void put(String type, String rest) throws InterruptedException {
    String policy = "type: " + type + "\nconsistency: strong\n" + rest;
    byte[] body = policy.getBytes(StandardCharsets.UTF_8);
    Map<String, String> yaml = Map.of("Content-Type", "application/yaml");
    String path = "/v1/main/policies/" + type;
    Served.eventually(() -> SERVED.getFirst().send("PUT", path, body, yaml).status() == 200);
    Served.eventually(
        () -> SERVED.stream().allMatch(at -> at.node.policyTypes("main").contains(type)));
  }

  private static Served.Answer as(
      Served at, String token, String method, String path, Json body, String... more) {
    Map<String, String> headers = new HashMap<>();
    headers.put("Authorization", "Bearer " + token);
    headers.put("Content-Type", "application/json");
    for (int i = 0; i < more.length; i += 2) {
      headers.put(more[i], PercentText.encode(more[i + 1]));
    }
    return at.send(method, path, body.toString().getBytes(StandardCharsets.UTF_8), headers);
  }

  private static Json parsed(String json) {
    return Served.parsed(json.replace('\'', '"'));
  }

  private static List<String> members(String history, String member) {
    List<String> found = new ArrayList<>();
    for (Json version :
        ((JsonArray) ((JsonObject) Served.parsed(history)).get("versions")).items()) {
      if (((JsonObject) version).get(member) instanceof JsonString(String text)) {
        found.add(text);
      }
    }
    return found;
  }

  @Test
  void everyNameArrivesAsItselfByEveryRoute() throws Exception {
    Map<String, String> tokens = new HashMap<>();
    for (String name : HOSTILE) {
      String escaped = PercentText.encode(name);
      tokens.put(name, SERVED.getFirst().account(escaped, "writer@main", "reviewer@main"));
    }
    String delegate = SERVED.getFirst().account("app", "delegate@main", "reviewer@main");
    Served.eventually(
        () -> as(SERVED.getLast(), delegate, "GET", "/v1/whoami", Json.of(1)).status() == 200);
    Served at = follower();
    String last = tokens.getOrDefault(HOSTILE.getLast(), "");
    Served.eventually(() -> as(at, last, "GET", "/v1/whoami", Json.of(1)).status() == 200);
    for (String name : HOSTILE) {
      String token = tokens.getOrDefault(name, "");
      records(at, name, token, delegate);
      reviews(at, name, token, delegate);
    }
  }

  /** A node that sends on what must be agreed on. */
  private static Served follower() {
    String leader = SERVED.getFirst().get("/v1/cluster").body();
    return SERVED.stream()
        .filter(at -> !leader.contains("\"leader\":\"" + at.node.id().name() + '"'))
        .findFirst()
        .orElseThrow();
  }

  /** Writes of all kinds, under a name of one's own and in another's. */
  private void records(Served at, String name, String token, String delegate) {
    String id = at.node.id().name() + " " + name;
    String path = "/v1/main/records/contract/" + PercentText.encode(id);
    Json document = parsed("{'v':1}");
    List<Served.Answer> answers = new ArrayList<>();
    answers.add(as(at, token, "PUT", path, document, "Entente-Reason", name));
    String context = answers.getLast().text("context");
    answers.add(as(at, delegate, "PUT", path, parsed("{'v':2}"), "Entente-Author", name));
    Json back = JsonObject.of("to", Json.of(context)).with("reason", Json.of(name));
    answers.add(as(at, delegate, "POST", path + "/rollback", back, "Entente-Author", name));
    JsonObject write =
        JsonObject.of(Map.of("type", Json.of("contract"), "recordId", Json.of(id)))
            .with("op", Json.of("put"));
    Json event =
        write
            .with("data", parsed("{'v':3}"))
            .with("id", Json.of(id))
            .with("author", Json.of(name))
            .with("context", Json.of(answers.getLast().text("context")));
    Json sync = JsonObject.of("events", Json.of(List.of(event))).with("device", Json.of(name));
    answers.add(as(at, delegate, "POST", "/v1/main/sync", sync));
    assertThat(answers.getLast().json().get("errors")).isEqualTo(JsonArray.EMPTY);
    Json batch = JsonObject.of("writes", Json.of(List.of(write.with("data", parsed("{'v':4}")))));
    answers.add(as(at, delegate, "POST", "/v1/main/batch", batch, "Entente-Author", name));
    Json lock = JsonObject.of("lock", Json.of(name)).with("owner", Json.of(name));
    answers.add(as(at, delegate, "POST", "/v1/main/locks", lock));
    assertThat(answers.getLast().text("owner")).isEqualTo(name);
    String fence = name + "=" + answers.getLast().json().get("token");
    answers.add(as(at, token, "DELETE", path, Json.of(1), "Entente-Fence", fence));
    String release = "/v1/main/locks/" + PercentText.encode(name) + "?owner=";
    answers.add(as(at, token, "DELETE", release + PercentText.encode(name), Json.of(1)));
    assertThat(answers).allMatch(answer -> answer.status() < 300, "is accepted");
    String history = at.get(path + "/history").body();
    assertThat(members(history, "author")).hasSize(6).containsOnly(name);
    assertThat(members(history, "device")).containsExactly(name);
    assertThat(members(history, "reason")).hasSize(2).containsOnly(name);
  }

  /** Decisions, notes and assignments, under a name of one's own and in another's. */
  private void reviews(Served at, String name, String token, String delegate)
      throws InterruptedException {
    String id = "disputed " + at.node.id().name() + name;
    String path = "/v1/main/records/contract/" + PercentText.encode(id);
    String context = as(at, token, "PUT", path, parsed("{'v':0}")).text("context");
    as(at, token, "PUT", path, parsed("{'v':1}"), "Entente-Context", context);
    Served.Answer disputed =
        as(at, delegate, "PUT", path, parsed("{'v':2}"), "Entente-Context", context);
    String review = "/v1/main/reviews/" + disputed.text("conflictId");
    Served.eventually(() -> at.get(review).status() == 200);
    Json note = JsonObject.of("text", Json.of(name));
    assertThat(as(at, token, "POST", review + "/notes", note).body())
        .contains("\"by\":" + Json.of(name));
    Json owner = JsonObject.of("owner", Json.of(name));
    assertThat(as(at, delegate, "POST", review + "/assign", owner).text("owner")).isEqualTo(name);
    Served.Answer decided =
        as(
            at,
            delegate,
            "POST",
            review + "/decision",
            parsed("{'choose':1}"),
            "Entente-Author",
            name);
    assertThat(decided.text("decidedBy")).as(decided.body()).isEqualTo(name);
  }

  @Test
  void invisibleNamesAreRefusedAtEveryNode() {
    for (Served at : SERVED) {
      for (String name : INVISIBLE) {
        String path = "/v1/main/records/contract/a";
        assertThat(as(at, Served.TOKEN, "PUT", path, parsed("{}"), "Entente-Author", name).status())
            .as(PercentText.encode(name))
            .isIn(400, 422);
      }
    }
  }

  @Test
  void headersThatAreNotPercentEncodedUtf8AreRefusedAndNothingIsWritten() throws Exception {
    for (Served at : SERVED) {
      for (String header :
          List.of("Entente-Author", "Entente-Reason", "Entente-Fence", "Idempotency-Key")) {
        for (String value :
            List.of("J\u00f6rg", "\u00c3\u00b6", "J%F6rg", "J%rg", "%", "%C3%28", "%ED%A0%80")) {
          boolean opaque = header.equals("Idempotency-Key") && value.contains("%");
          String head =
              "PUT /v1/main/records/contract/raw HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
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
        String get = "GET /v1/main/records/contract/%s HTTP/1.1\r\nHost: x\r\n".formatted(path);
        assertThat(at.raw(get + "Authorization: Bearer " + Served.TOKEN + "\r\n\r\n"))
            .as(path)
            .contains(" 400");
        String query = "GET /v1/main/reviews?owner=%s HTTP/1.1\r\nHost: x\r\n".formatted(path);
        assertThat(at.raw(query + "Authorization: Bearer " + Served.TOKEN + "\r\n\r\n"))
            .as(path)
            .contains(" 400");
      }
    }
  }
}
