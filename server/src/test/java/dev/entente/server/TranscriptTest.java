// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.server.Served.Answer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * A day with the API: concurrent writes, a review, a decision, the feed, the metrics, going back.
 */
class TranscriptTest {
  private static final String USER = "/v1/main/records/user/1";

  @Test
  void twoTypeIntoOneTextAndFindTheirCursorsAgain() {
    try (Served served = new Served()) {
      served.send(
          "PUT",
          "/v1/main/policies/note",
          "type: note\nfields: {body: {cell: text}}".getBytes(StandardCharsets.UTF_8),
          Map.of());
      String note = "/v1/main/records/note/1";
      String read = served.json("PUT", note, "{\"body\":\"one three\"}").text("context");
      Answer ann =
          served.send(
              "PATCH",
              note,
              "{\"ops\":[{\"path\":\"/body\",\"splice\":[4,0,\"two \"]}]}"
                  .getBytes(StandardCharsets.UTF_8),
              Map.of("Content-Type", "application/vnd.entente.ops+json", "Entente-Context", read));
      assertThat(ann.text("outcome")).isEqualTo("applied");
      Answer bob =
          served.json("PUT", note, "{\"body\":\"zero one three\"}", "Entente-Context", read);
      assertThat(bob.text("outcome")).isEqualTo("merged");
      assertThat(served.json("GET", note, "").body()).contains("zero one two three");
      String positions = note + "/positions?unit=/body&context=" + read + "&at=3,4";
      assertThat(served.json("GET", positions, "").body()).contains("[8,9]");
      assertThat(served.json("GET", positions + "&stick=next", "").body()).contains("[8,13]");
      assertThat(
              served
                  .json("GET", note + "/positions?unit=/x&context=" + read + "&at=1", "")
                  .status())
          .isEqualTo(422);
      assertThat(
              served
                  .json("GET", note + "/positions?unit=/body&context=" + read + "&at=-1", "")
                  .status())
          .isEqualTo(422);
    }
  }

  @Test
  void twoOfThreeReviewersDecideAndTheThirdIsTooLate() {
    try (Served served = new Served()) {
      served.send(
          "PUT",
          "/v1/main/policies/user",
          "type: user\nfields: {phone: {strategy: vote, voters: [ann, bob, eve]}}"
              .getBytes(StandardCharsets.UTF_8),
          Map.of());
      String context = served.json("PUT", USER, "{\"phone\":\"0\"}").text("context");
      served.json("PUT", USER, "{\"phone\":\"1\"}", "Entente-Context", context);
      Answer pending = served.json("PUT", USER, "{\"phone\":\"2\"}", "Entente-Context", context);
      String review = "/v1/main/reviews/" + pending.text("conflictId");
      assertThat(served.json("POST", review + "/decision", "{\"choose\":0}").status())
          .isEqualTo(409);
      String vote = review + "/vote";
      Answer first = served.json("POST", vote, "{\"choose\":1}", "Entente-Author", "ann");
      assertThat(first.status()).isEqualTo(200);
      assertThat(first.body()).contains("\"outstanding\":[\"bob\",\"eve\"]");
      assertThat(
              served
                  .json("POST", vote, "{\"choose\":1,\"voter\":\"bob\"}", "Entente-Author", "eve")
                  .status())
          .isEqualTo(403);
      Answer second = served.json("POST", vote, "{\"value\":\"2\"}", "Entente-Author", "bob");
      assertThat(second.text("status")).isEqualTo("resolved");
      assertThat(second.body()).contains("\"certificate\"").contains("{\"phone\":\"2\"}");
      Answer late = served.json("POST", vote, "{\"choose\":0}", "Entente-Author", "eve");
      assertThat(late.status()).isEqualTo(409);
    }
  }

  @Test
  void fromTheFirstWriteToTheDecision() {
    try (Served served = new Served()) {
      served.send(
          "PUT",
          "/v1/main/policies/user",
          "type: user\nfields: {phone: last-writer-wins}\nnever-automatic: [email]"
              .getBytes(StandardCharsets.UTF_8),
          Map.of());
      Answer created = served.json("PUT", USER, "{\"phone\":\"0\",\"email\":\"a\"}");
      assertThat(created.status()).isEqualTo(201);
      String context = created.text("context");
      assertThat(created.response().headers().firstValue("etag")).hasValue('"' + context + '"');

      assertThat(
              served
                  .json(
                      "PUT",
                      USER,
                      "{\"phone\":\"1\",\"email\":\"a\"}",
                      "Entente-Context",
                      context,
                      "Entente-Author",
                      "mobile")
                  .text("outcome"))
          .isEqualTo("applied");
      Answer merged =
          served.json(
              "PUT",
              USER,
              "{\"phone\":\"2\",\"email\":\"b\"}",
              "Entente-Context",
              context,
              "Entente-Author",
              "web");
      assertThat(merged.text("outcome")).isEqualTo("merged");
      assertThat(merged.body())
          .contains("last writer")
          .contains("mobile")
          .contains("web")
          .contains("\"uncertain\":true");
      Answer pending =
          served.json(
              "PATCH",
              USER,
              "{\"email\":\"c\"}",
              "Entente-Context",
              context,
              "Entente-Author",
              "crm",
              "Content-Type",
              "application/merge-patch+json");
      assertThat(pending.text("outcome")).isEqualTo("pending");
      Answer stale = served.json("PUT", USER, "{}", "If-Match", '"' + context + '"');
      assertThat(stale.status()).isEqualTo(412);
      assertThat(((JsonObject) stale.json().get("current")).get("data"))
          .isEqualTo(Served.parsed("{\"email\":\"a\",\"phone\":\"2\"}"));

      Answer read = served.get(USER + "?explain=true&siblings=true");
      assertThat(read.json().get("data"))
          .isEqualTo(Served.parsed("{\"email\":\"a\",\"phone\":\"2\"}"));
      assertThat(((JsonObject) read.json().get("siblings")).get("email"))
          .isEqualTo(Served.parsed("[\"b\",\"c\"]"));

      String review = pending.text("conflictId");
      Answer list = served.get("/v1/main/reviews?status=pending");
      assertThat(list.json().get("total")).isEqualTo(JsonNumber.of(1));
      assertThat(
              served
                  .json("POST", "/v1/main/reviews/" + review + "/assign", "{\"owner\":\"eve\"}")
                  .text("owner"))
          .isEqualTo("eve");
      Answer bulk =
          served.json(
              "POST",
              "/v1/main/reviews/decisions",
              "{\"filter\":{\"type\":\"user\"},\"choose\":0,\"reason\":\"all\"}");
      assertThat(bulk.json().get("decided")).hasToString("[]");
      Answer decided =
          served.json(
              "POST",
              "/v1/main/reviews/" + review + "/decision",
              "{\"choose\":\"1\",\"reason\":\"called them\"}",
              "Entente-Author",
              "eve");
      assertThat(decided.text("status")).isEqualTo("resolved");
      assertThat(((JsonObject) served.get(USER).json().get("data")).get("email"))
          .isEqualTo(new JsonString("c"));
      assertThat(
              served
                  .json("POST", "/v1/main/reviews/" + review + "/decision", "{\"choose\":0}")
                  .status())
          .isEqualTo(409);

      Answer history = served.get(USER + "/history?limit=2");
      assertThat(history.body()).contains("called them");
      assertThat(served.get(USER + "/history?limit=2&cursor=" + history.text("next")).body())
          .contains("mobile");
      Answer back =
          served.json(
              "POST", USER + "/rollback", "{\"to\":\"" + context + "\",\"reason\":\"undo\"}");
      assertThat(back.json().get("data"))
          .isEqualTo(Served.parsed("{\"email\":\"a\",\"phone\":\"0\"}"));
      assertThat(served.json("POST", "/v1/verify", "").body()).contains("\"intact\":true");
      assertThat(served.get("/metrics").body())
          .contains("entente_writes_total{outcome=\"merged\",tenant=\"main\",type=\"user\"} 1")
          .contains("entente_uncertain_total");
      assertThat(served.json("DELETE", USER, "").text("outcome")).isEqualTo("applied");
      assertThat(served.get(USER).status()).isEqualTo(404);
    }
  }

  @Test
  void theFeedIsOrderedGapFreeAndResumable() {
    try (Served served = new Served()) {
      for (int i = 0; i < 25; i++) {
        served.json("PUT", "/v1/main/records/t/" + i, "{\"n\":" + i + "}");
        served.json("PUT", "/v1/other/records/t/" + i, "{\"n\":" + i + "}");
      }
      StringBuilder seen = new StringBuilder();
      String cursor = "";
      while (true) {
        Answer page =
            served.get("/v1/main/changes?limit=7" + (cursor.isEmpty() ? "" : "&since=" + cursor));
        if (page.body().isEmpty()) {
          break;
        }
        page.body()
            .lines()
            .forEach(line ->
                seen.append(((JsonString) ((JsonObject) Served.parsed(line)).get("id")).value())
                    .append(' '));
        cursor = page.response().headers().firstValue("entente-cursor").orElseThrow();
      }
      assertThat(seen)
          .hasToString("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 ");
      assertThat(served.get("/v1/main/changes?wait=1s&since=" + cursor).body()).isEmpty();
    }
  }

  @Test
  void aDevicesQueueIsAnsweredEventByEvent() {
    try (Served served = new Served()) {
      served.send(
          "PUT",
          "/v1/main/policies/note",
          "type: note\nidentity: event.well + \"/\" + day(event.at, \"America/Chicago\")\nfields: {text: append}"
              .getBytes(StandardCharsets.UTF_8),
          Map.of());
      String a =
          "{\"device\":\"a\",\"events\":[{\"id\":\"1\",\"type\":\"note\",\"at\":\"2025-10-23T12:00:00Z\",\"data\":{\"well\":\"w\",\"text\":\"Leak\"}},{\"id\":\"2\",\"type\":\"note\",\"data\":{}}]}";
      Answer first = served.json("POST", "/v1/main/sync", a);
      assertThat(first.json().get("syncedEventIds")).hasToString("[\"1\"]");
      assertThat(((JsonArray) first.json().get("errors")).size()).isEqualTo(1);
      String b =
          "{\"device\":\"b\",\"events\":[{\"id\":\"3\",\"type\":\"note\",\"at\":\"2025-10-23T14:00:00Z\",\"data\":{\"well\":\"w\",\"text\":\"Noise\"}}]}";
      assertThat(served.json("POST", "/v1/main/sync", b).body()).contains("merged");
      assertThat(served.json("POST", "/v1/main/sync", b).body()).contains("duplicate");
      assertThat(served.get("/v1/main/records/note/w%2F2025-10-23").body())
          .contains("Leak\\n\\nNoise");
    }
  }
}
