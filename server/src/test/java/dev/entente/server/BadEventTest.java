// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One bad part of a list is refused by itself, in every way it can be bad, on every such route. */
class BadEventTest {
  /** The lists of objects that requests take, all of which are tried below. */
  static final Set<String> LISTS =
      Set.of("post /v1/{tenant}/batch writes", "post /v1/{tenant}/sync events");

  /** Events that are refused; {@code %s} is their id. */
  private static final List<String> BAD =
      List.of(
          event("{\"k\":1,\"k\":2}"),
          event("{\"t\":" + "[".repeat(200) + "]".repeat(200) + "}"),
          event("{\"t\":" + "[".repeat(129) + "]".repeat(129) + "}"),
          event("{\"n\":1e999999}"),
          event("{\"n\":NaN}"),
          event("{\"n\":" + "9".repeat(2_000) + "}"),
          event("{\"" + "k".repeat(60_000) + "\":1}"),
          event("{bad}"),
          event("{\"k\":1,}"),
          event("{\"k\":[1,2}"),
          event("{\"k\":1"),
          event("{\"k\":\"\\ud800\"}"),
          event("{\"k\":\"a\tb\"}"),
          event("[]"),
          event("null"),
          event("{}").replace("}}", "},\"unknown\":1}"),
          event("{}").replace("\"put\"", "\"no such op\""),
          event("{}").replace("\"doc\"", "\"\""),
          event("{}").replace("\"doc\"", "7"));

  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  private static String event(String data) {
    return "{\"id\":\"%s\",\"type\":\"doc\",\"recordId\":\"%s\",\"op\":\"put\",\"data\":"
        + data
        + "}";
  }

  private static String named(String event, String id) {
    return event.replace("%s", id);
  }

  private static String refusals(Served served) {
    return served.get("/v1/main/audit?action=rejected&limit=1000").body();
  }

  @Test
  void eachBadEventIsRefusedByItsIdAndTheOthersAreTaken() {
    int round = 0;
    for (String bad : BAD) {
      String id = "bad-" + ++round;
      String good = "good-" + round;
      String body =
          "{\"device\":\"d\",\"events\":["
              + named(event("{\"v\":1}"), good + "a")
              + ","
              + named(bad, id)
              + ","
              + named(event("{\"v\":2}"), good + "b")
              + "]}";
      Served.Answer answer = served.json("POST", "/v1/main/sync", body);
      assertThat(answer.status()).as(answer.body()).isEqualTo(200);
      assertThat(answer.json().get("syncedEventIds").toString())
          .as(bad)
          .isEqualTo("[\"" + good + "a\",\"" + good + "b\"]");
      JsonArray errors = (JsonArray) answer.json().get("errors");
      assertThat(errors.items()).as(bad).hasSize(1);
      assertThat(((JsonObject) errors.items().getFirst()).get("id")).isEqualTo(Json.of(id));
      assertThat(((JsonArray) answer.json().get("results")).items()).hasSize(3);
      assertThat(served.get("/v1/main/records/doc/" + good + "b").status()).isEqualTo(200);
      assertThat(served.get("/v1/main/records/doc/" + id).status()).isEqualTo(404);
      assertThat(refusals(served)).as(bad).contains("\"id\":\"" + id + "\"");
    }
  }

  @Test
  void anEventWithoutALegibleIdIsRefusedByItsPosition() {
    for (String bad :
        List.of(
            "7", "null", "[]", "\"x\"", "", "{\"id\":\"a\",\"id\":\"b\"}", "{\"id\":}", "{id}")) {
      String body =
          "{\"events\":["
              + named(event("{}"), "first")
              + ","
              + bad
              + ","
              + named(event("{}"), "x")
              + "]}";
      Served.Answer answer = served.json("POST", "/v1/main/sync", body);
      assertThat(answer.status()).as(bad).isEqualTo(200);
      JsonObject error = (JsonObject) ((JsonArray) answer.json().get("errors")).items().getFirst();
      assertThat(error.get("id")).as(bad).isEqualTo(JsonNull.NULL);
      assertThat(error.get("position")).isEqualTo(JsonNumber.of(1));
    }
  }

  @Test
  void aBatchThatHoldsTogetherSaysWhichWriteHoldsItBack() {
    String good = event("{\"v\":1}").replace("\"id\":\"%s\",", "");
    for (String bad : BAD) {
      String write = bad.replace("\"id\":\"%s\",", "");
      Served.Answer answer =
          served.json(
              "POST",
              "/v1/main/batch",
              "{\"writes\":[" + named(good, "a") + "," + named(write, "b") + "]}");
      assertThat(answer.status()).as(bad).isBetween(400, 422);
      assertThat(answer.json().get("write")).as(answer.body()).isEqualTo(JsonNumber.of(1));
      assertThat(served.get("/v1/main/records/doc/a").status()).isEqualTo(404);
    }
    assertThat(refusals(served)).contains("main/batch");
  }

  @Test
  void whatIsRecordedOfARefusedEventIsBounded() {
    String bad = named(event("{\"k\":\"" + "x".repeat(1_000_000) + "\",}"), "long");
    assertThat(served.json("POST", "/v1/main/sync", "{\"events\":[" + bad + "]}").status())
        .isEqualTo(200);
    assertThat(refusals(served)).hasSizeLessThan(10_000).contains("\"bytes\":1000");
  }
}
