// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.ContextToken;
import dev.entente.server.Served.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The rows of the bad-input catalogue that touch this surface: a clear problem with a code, no
 * change, and the node serves on.
 */
class BadInputTest {
  private static final String DOC = "/v1/main/records/doc/1";
  private static final String HEAD =
      "PUT "
          + DOC
          + " HTTP/1.1\r\n"
          + "Host: localhost\r\n"
          + "Authorization: Bearer test-token\r\n"
          + "Content-Type: application/json\r\n";
  private static Served served;
  private long positionBefore;

  @BeforeAll
  static void start() {
    served = new Served();
    served.json("PUT", DOC, "{\"a\":1,\"n\":1}");
    policy("type: strict\nwrites: [conditional, merge]");
    policy("type: counted\nfields: {n: {cell: counter}}");
  }

  private static void policy(String text) {
    String type = text.lines().findFirst().orElseThrow().substring(6);
    assertThat(
            served
                .send(
                    "PUT",
                    "/v1/main/policies/" + type,
                    text.getBytes(StandardCharsets.UTF_8),
                    Map.of())
                .status())
        .isEqualTo(200);
  }

  @AfterAll
  static void stop() {
    served.close();
  }

  @org.junit.jupiter.api.BeforeEach
  void remember() {
    positionBefore = served.node.position();
  }

  @AfterEach
  void theNodeServesOn() {
    assertThat(served.get("/health/ready").status()).isEqualTo(200);
    assertThat(served.get(DOC).status()).isEqualTo(200);
  }

  private void refused(Answer answer, int... statuses) {
    assertThat(answer.status()).isIn(Arrays.stream(statuses).boxed().toList());
    assertThat(answer.text("code")).isNotBlank();
    assertThat(answer.text("detail"))
        .isNotBlank()
        .doesNotContain("Exception")
        .doesNotContain(Served.TOKEN);
    assertThat(served.node.position()).as("nothing changed").isEqualTo(positionBefore);
  }

  static Stream<Arguments> json() {
    return Stream.of(
        Arguments.of("1 empty", "", 400),
        Arguments.of("2 brace", "{", 400),
        Arguments.of("3 trailing", "{} x", 400),
        Arguments.of("4 comma", "{\"a\":[1,]}", 400),
        Arguments.of("5 quotes", "{'a':1}", 400),
        Arguments.of("6 nan", "{\"a\":NaN}", 400),
        Arguments.of("7 comment", "{} // c", 400),
        Arguments.of("8 bom", "\uFEFF{}", 400),
        Arguments.of("10 control", "{\"a\":\"\u0001\"}", 400),
        Arguments.of("11 escape", "{\"a\":\"\\u12\"}", 400),
        Arguments.of("12 scalar", "7", 422),
        Arguments.of("12 array", "[]", 422),
        Arguments.of("14 duplicate", "{\"a\":1,\"a\":2}", 400),
        Arguments.of("15 escaped duplicate", "{\"a\":1,\"\\u0061\":2}", 400),
        Arguments.of("21 name", "{\"" + "n".repeat(50_001) + "\":1}", 413),
        Arguments.of("23 depth", "[".repeat(100_000), 413),
        Arguments.of("24 depth", "{\"a\":" + "[".repeat(128) + "]".repeat(128) + "}", 413),
        Arguments.of("33 digits", "{\"a\":" + "1".repeat(1_000_000) + "}", 400),
        Arguments.of("34 exponent", "{\"a\":1e1000000000}", 400),
        Arguments.of("40 magnitude", "{\"a\":1E400}", 400),
        Arguments.of("42 surrogate", "{\"a\":\"\\ud800\"}", 400),
        Arguments.of("45 string", "{\"a\":\"" + "x".repeat(5_000_000) + "\"}", 413));
  }

  @ParameterizedTest(name = "B{0}")
  @MethodSource("json")
  void bodiesThatAreNoAcceptableJson(String row, String body, int status) {
    refused(served.json("PUT", DOC, body), status);
  }

  private static Answer put(byte[] body, String contentType) {
    return served.send("PUT", DOC, body, Map.of("Content-Type", contentType));
  }

  @Test
  void bytesThatAreNoText() {
    refused(put("{}".getBytes(StandardCharsets.UTF_16), "application/json"), 400);
    refused(
        put(
            new byte[] {'{', '"', (byte) 0xC0, (byte) 0x80, '"', ':', '1', '}'},
            "application/json"),
        400);
    refused(put("{}".getBytes(StandardCharsets.UTF_8), "application/json; charset=utf-16"), 415);
    refused(put("{}".getBytes(StandardCharsets.UTF_8), "text/plain"), 415);
    refused(
        served.send(
            "PUT",
            DOC,
            new byte[] {31, -117},
            Map.of("Content-Type", "application/json", "Content-Encoding", "gzip")),
        400,
        415);
  }

  @Test
  void keptExactly() {
    for (String data :
        List.of(
            "{\"\":1}",
            "{\"__proto__\":1,\"constructor\":2}",
            "{\"\u00e9\":1,\"e\u0301\":2}",
            "{\"n\":9007199254740993}",
            "{\"n\":0.1}",
            "{\"x\":\"<img src=x onerror=alert(1)>\"}",
            "{\"a\":" + "[".repeat(127) + "]".repeat(127) + "}")) {
      String path = "/v1/main/records/kept/" + Math.floorMod(data.hashCode(), 1_000_000);
      assertThat(served.json("PUT", path, data).status()).isEqualTo(201);
      assertThat(served.get(path).json().get("data")).isEqualTo(Served.parsed(data));
    }
    positionBefore = served.node.position();
  }

  @Test
  void manyKeysThatCollideTakeLinearTime() {
    StringBuilder body = new StringBuilder("{\"a\":{");
    for (int i = 0; i < 120_000; i++) {
      StringBuilder name = new StringBuilder();
      for (int bit = 0; bit < 17; bit++) {
        name.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      body.append(i == 0 ? "" : ",").append('"').append(name).append("\":1");
    }
    long start = System.nanoTime();
    assertThat(
            served
                .json("PUT", "/v1/main/records/kept/collide", body.append("}}").toString())
                .status())
        .isEqualTo(201);
    assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
  }

  @Test
  void sizesAndCounts() throws IOException {
    byte[] large = new byte[Limits.BODY_BYTES_MAX + 1];
    Arrays.fill(large, (byte) ' ');
    assertThat(
            served.raw(
                "PUT "
                    + DOC
                    + " HTTP/1.1\r\n"
                    + "Host: localhost\r\n"
                    + "Authorization: Bearer test-token\r\n"
                    + "Content-Length: "
                    + large.length
                    + "\r\n\r\n"))
        .startsWith("HTTP/1.1 413");
    StringBuilder events = new StringBuilder("{\"events\":[");
    for (int i = 0; i <= Limits.EVENTS_MAX; i++) {
      events.append(i == 0 ? "" : ",").append("{}");
    }
    refused(served.json("POST", "/v1/main/sync", events.append("]}").toString()), 413);
  }

  @Test
  void framing() throws IOException {
    assertThat(served.raw(HEAD + "Content-Length: -1\r\n\r\n")).startsWith("HTTP/1.1 400");
    assertThat(served.raw(HEAD + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "))
        .startsWith("HTTP/1.1 400");
    assertThat(
            served.raw(
                "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: "
                    + "x".repeat(64_000)
                    + "\r\n\r\n"))
        .containsAnyOf(" 431", " 400", "");
    assertThat(served.raw("GET /" + "x".repeat(64_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .containsAnyOf(" 414", " 400", "");
  }

  @Test
  void counters() {
    assertThat(served.json("PUT", "/v1/main/records/counted/1", "{\"n\":1}").status())
        .isIn(200, 201);
    positionBefore = served.node.position();
    refused(ops("{\"ops\":[{\"path\":\"/n\",\"increment\":9223372036854775808}]}"), 422);
    refused(ops("{\"ops\":[{\"path\":\"/n\",\"increment\":9223372036854775807}]}"), 422);
    refused(ops("{\"ops\":[{\"path\":\"/n\",\"increment\":1.5}]}"), 422);
    refused(ops("{\"ops\":[{\"path\":\"/other\",\"increment\":1}]}"), 422);
    refused(ops("{\"ops\":[{\"path\":\"/n\"}]}"), 422);
    refused(served.json("PUT", "/v1/main/records/counted/1", "{\"n\":\"x\"}"), 422);
  }

  private static Answer ops(String body) {
    return served.json(
        "PATCH",
        "/v1/main/records/counted/1",
        body,
        "Content-Type",
        "application/vnd.entente.ops+json");
  }

  @Test
  void names() {
    refused(served.json("PUT", "/v1/main/records/doc/a%00b", "{}"), 400);
    refused(served.json("PUT", "/v1/main/records/doc/%2e%2e", "{}"), 400);
    refused(served.json("PUT", "/v1/main/records/doc/a%E2%80%AEb", "{}"), 422);
    refused(served.json("PUT", "/v1/main/records/doc/a%E2%80%8Bb", "{}"), 422);
    refused(served.json("PUT", "/v1/main/records/doc/" + "x".repeat(257), "{}"), 422);
    refused(served.json("PUT", "/v1/main/records/doc/%ff", "{}"), 400);
    refused(served.get("/v1/main/things/doc"), 404);
    refused(served.json("PUT", "/v1/main/records/doc", "{}"), 405);
    refused(served.json("POST", DOC, "{}"), 405);
    refused(
        served.json(
            "PUT", DOC, "{\"a\":9}", "X-HTTP-Method-Override", "DELETE", "If-Match", "\"bad\""),
        400);
  }

  @Test
  void contexts() {
    String token = served.get(DOC).text("context");
    served.json("PUT", "/v1/main/records/doc/2", "{\"a\":1}");
    String others = served.get("/v1/main/records/doc/2").text("context");
    positionBefore = served.node.position();
    refused(served.json("PUT", DOC, "{\"a\":5}", "If-Match", "\"nonsense\""), 400);
    refused(served.json("PUT", DOC, "{\"a\":5}", "Entente-Context", others), 400);
    refused(served.json("PUT", DOC, "{\"a\":5}", "Entente-Context", "x".repeat(7_000)), 413);
    refused(served.json("PUT", DOC, "{\"a\":5}", "Entente-Context", token, "If-Match", "*"), 422);
    refused(served.json("PUT", "/v1/main/records/doc/new", "{}", "If-Match", "*"), 412);
    refused(served.json("PUT", DOC, "{}", "If-None-Match", "*"), 412);
    served.json("PUT", "/v1/main/records/strict/1", "{\"a\":1}");
    positionBefore = served.node.position();
    refused(served.json("PUT", "/v1/main/records/strict/1", "{\"a\":2}"), 428);
  }

  @Test
  void idempotencyKeys() {
    assertThat(
            served
                .json("PUT", "/v1/main/records/doc/k", "{\"a\":1}", "Idempotency-Key", "k1")
                .status())
        .isEqualTo(201);
    Answer again =
        served.json("PUT", "/v1/main/records/doc/k", "{\"a\":1}", "Idempotency-Key", "k1");
    assertThat(again.text("outcome")).isEqualTo("duplicate");
    positionBefore = served.node.position();
    refused(
        served.json("PUT", "/v1/main/records/doc/k", "{\"a\":2}", "Idempotency-Key", "k1"), 422);
  }

  @Test
  void queries() {
    for (String limit : List.of("-1", "0", "1000000000", "x")) {
      refused(served.get("/v1/main/reviews?limit=" + limit), 422);
    }
    refused(served.get("/v1/main/changes?since=forged"), 400);
    refused(served.get("/v1/main/changes?wait=999s"), 422);
    refused(served.get("/v1/main/reviews?cursor=forged"), 400);
    refused(served.get("/v1/main/reviews?status=odd"), 422);
    refused(served.get(DOC + "?at=yesterday"), 422);
    refused(served.get(DOC + "?number=1"), 422);
    refused(served.get(DOC + "?node=x.1&number=-1"), 422);
    refused(served.get(DOC + "?node=%00&number=1"), 422);
    refused(served.get(DOC + "?node=nobody.7&number=1"), 404);
    refused(served.get("/v1/main/records/doc/none?x='%20OR%201=1"), 400);
    refused(served.get("/v1/main/records/doc/none?at='%20OR%201=1"), 422);
  }

  @Test
  void strictObjects() {
    refused(served.json("POST", "/v1/main/sync", "{\"events\":[],\"extra\":1}"), 422);
    refused(served.json("POST", "/v1/main/sync", "{\"events\":7}"), 422);
    Answer one =
        served.json(
            "POST",
            "/v1/main/sync",
            "{\"events\":[{\"id\":\"e\",\"type\":\"t\",\"recordId\":\"1\",\"data\":7},{\"id\":\"f\",\"type\":\"t\",\"recordId\":\"1\",\"data\":{},\"at\":\"2060-01-01T00:00:00Z\"},7]}");
    assertThat(one.status()).isEqualTo(200);
    assertThat(one.json().get("syncedEventIds")).hasToString("[]");
    assertThat(served.node.position()).isEqualTo(positionBefore);
  }

  @Test
  void policies() {
    for (String text :
        List.of(
            "",
            "type: x",
            "type: doc\ndefault: nonsense",
            "{",
            "type: doc\n"
                + "rules: [{name: a, when: 'conflict.values.exists(v, v.matches(\"(.*a){20}\"))',"
                + " then: merge}]")) {
      refused(
          served.send(
              "PUT", "/v1/main/policies/doc", text.getBytes(StandardCharsets.UTF_8), Map.of()),
          422);
    }
  }

  @Test
  void reviewsThatAreNone() {
    refused(served.get("/v1/main/reviews/none"), 404);
    refused(served.json("POST", "/v1/main/reviews/none/decision", "{\"choose\":0}"), 404);
    refused(served.json("POST", "/v1/main/reviews/none/decision", "{}"), 422);
    refused(served.json("POST", "/v1/main/reviews/decisions", "{\"ignore\":true}"), 422);
  }

  @Test
  void aMillionKeys() {
    StringBuilder body = new StringBuilder("{\"a\":{");
    for (int i = 0; i < 1_000_000; i++) {
      body.append(i == 0 ? "" : ",").append('"').append(i).append("\":1");
    }
    refused(served.json("PUT", DOC, body.append("}}").toString()), 413);
  }

  @Test
  void bodiesThatNeverEnd() throws IOException {
    assertThat(
            served.endless(
                HEAD + "Transfer-Encoding: chunked\r\n\r\n",
                "1000\r\n" + " ".repeat(4096) + "\r\n",
                0))
        .as("27 endless chunks")
        .contains("HTTP/1.1 413");
    assertThat(served.endless(HEAD + "Content-Length: 1000\r\n\r\n", " ", 100))
        .as("32 a body that trickles")
        .contains("HTTP/1.1 408");
    assertThat(served.endless(HEAD + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 100))
        .as("32 chunks that trickle")
        .contains("HTTP/1.1 408");
  }

  @Test
  void twoLengthsInOneRequest() throws IOException {
    assertThat(
            served.raw(
                HEAD
                    + "Content-Length: 4\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n"
                    + "2\r\n"
                    + "{}\r\n"
                    + "0\r\n\r\n"))
        .as("86 a smuggling pair")
        .startsWith("HTTP/1.1 400");
  }

  @Test
  void manyIdleConnectionsLeaveRoomForOthers() throws IOException {
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 1_000; i++) {
        idle.add(new Socket(InetAddress.getLoopbackAddress(), served.port()));
      }
      assertThat(served.get(DOC).status()).isEqualTo(200);
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
  }

  @Test
  void contextsOfOtherNodesAndOfTheFuture() {
    var key = new RecordKey("main", "doc", "1");
    var seen = served.node.read(key).state().context();
    String unknown = ContextToken.of(key, seen.with(new Dot(new NodeId("elsewhere.1"), 7)));
    assertThat(served.json("PUT", DOC, "{\"a\":1,\"n\":2}", "Entente-Context", unknown).status())
        .as("48 a context that names a node we do not know")
        .isEqualTo(200);
    positionBefore = served.node.position();
    String future =
        ContextToken.of(key, seen.with(new Dot(served.node.id(), served.node.position() + 5)));
    refused(served.json("PUT", DOC, "{\"a\":3}", "Entente-Context", future), 409);
    refused(served.json("PUT", DOC, "{\"a\":3}", "If-Match", '"' + future + '"'), 409);
    assertThat(served.get("/v1/main/audit?limit=2").body())
        .as("49 is in the audit log")
        .contains("restored from a backup");
  }

  @Test
  void aTimeFarAheadMovesNoClock() {
    long before = served.node.nowMillis();
    Answer answer =
        served.json(
            "POST",
            "/v1/main/sync",
            "{\"events\":[{\"id\":\"future\",\"type\":\"doc\",\"recordId\":\"1\",\"data\":{\"a\":9},\"at\":\"2036-11-22T10:00:00Z\"}]}");
    assertThat(answer.body()).contains("\"code\":\"invalid\"").contains("check the device's clock");
    served.json("PUT", "/v1/main/records/doc/clock", "{\"a\":1}");
    String updatedAt = served.get("/v1/main/records/doc/clock").text("updatedAt");
    assertThat(Instant.parse(updatedAt).toEpochMilli()).isBetween(before, before + 60_000);
  }

  @Test
  void aReplayedBatchHasNoEffect() {
    String batch =
        "{\"device\":\"d\",\"events\":[{\"id\":\"r1\",\"type\":\"doc\",\"recordId\":\"r\",\"data\":{\"a\":1}},{\"id\":\"r2\",\"type\":\"doc\",\"recordId\":\"r\",\"data\":{\"a\":2}}]}";
    String context =
        served.json("POST", "/v1/main/sync", batch).status() == 200
            ? served.get("/v1/main/records/doc/r").text("context")
            : "";
    positionBefore = served.node.position();
    assertThat(served.json("POST", "/v1/main/sync", batch).json().get("syncedEventIds"))
        .hasToString("[\"r1\",\"r2\"]");
    assertThat(served.get("/v1/main/records/doc/r").text("context")).isEqualTo(context);
    assertThat(served.node.position()).isEqualTo(positionBefore);
  }

  @Test
  void aMoveIntoItself() {
    refused(
        served.json(
            "PATCH",
            DOC,
            "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
            "Content-Type",
            "application/json-patch+json"),
        422);
  }

  @Test
  void decisionsThatCannotBe() {
    String path = "/v1/main/records/undeclared/1";
    served.json("PUT", path, "{\"a\":0}");
    String context = served.get(path).text("context");
    served.json("PUT", path, "{\"a\":1}", "Entente-Context", context);
    String review =
        served
            .json(
                "PUT",
                path,
                "{\"a\":2}",
                "Entente-Context",
                context,
                "Entente-Author",
                "%D1%80%D0%B0ul")
            .text("conflictId");
    positionBefore = served.node.position();
    String decision = "/v1/main/reviews/" + review + "/decision";
    refused(served.json("POST", decision, "{\"choose\":\"2\"}"), 422);
    refused(served.json("POST", decision, "{\"choose\":\"" + context + "\"}"), 422);
    assertThat(served.get("/v1/main/reviews/" + review).body())
        .as("46 an author whose name mixes alphabets is flagged")
        .contains("authorMixesAlphabets");
    assertThat(served.json("POST", decision, "{\"choose\":\"0\"}").status()).isEqualTo(200);
    positionBefore = served.node.position();
    refused(served.json("POST", decision, "{\"choose\":\"0\"}"), 409);
  }

  @Test
  void anotherTenantsRecordLooksLikeAMissingOne() {
    Answer missing = served.get("/v1/other/records/doc/none");
    Answer others = served.get("/v1/other/records/doc/1");
    refused(others, 404);
    assertThat(others.text("detail").replace("doc/1", ""))
        .isEqualTo(missing.text("detail").replace("doc/none", ""));
  }
}
