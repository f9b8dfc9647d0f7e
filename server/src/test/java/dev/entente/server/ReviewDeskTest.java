// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The queue as people work with it: owners, notes, kept filters, two persons. */
class ReviewDeskTest {
  private static final String PATH = "/v1/main/records/bill/b";
  private final Served served = new Served();
  private final String[] eve = {
    "Authorization", "Bearer " + served.account("eve", "reviewer@main")
  };
  private final String[] fay = {
    "Authorization", "Bearer " + served.account("fay", "reviewer@main")
  };

  @BeforeEach
  void declare() {
    String policy =
        "type: bill\ndefault: manual-review\nreview: {two-persons: [amount], sla: 1h}\n";
    served.send(
        "PUT",
        "/v1/main/policies/bill",
        policy.getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
  }

  @AfterEach
  void close() {
    served.close();
  }

  /** Two change a field at once; the review's path. */
  private String contested(String field) {
    String context = served.json("PUT", PATH, "{\"amount\":1,\"note\":1}").text("context");
    for (int value = 2; value < 4; value++) {
      served.send(
          "PATCH",
          PATH,
          ("{\"" + field + "\":" + value + "}").getBytes(StandardCharsets.UTF_8),
          Map.of(
              "Content-Type",
              "application/merge-patch+json",
              "Entente-Context",
              context,
              "Entente-Author",
              "author " + value));
    }
    JsonArray reviews = (JsonArray) served.get("/v1/main/reviews").json().get("reviews");
    JsonObject review = (JsonObject) reviews.items().getFirst();
    return "/v1/main/reviews/" + ((JsonString) review.get("id")).value();
  }

  @Test
  void ignoredReviewIsReopenedByWhoMayDecide() {
    String review = contested("note");
    String reopen = review + "/reopen";
    assertThat(served.json("POST", reopen, "{}", eve).status()).isEqualTo(409);
    served.json("POST", review + "/decision", "{\"ignore\":true}", eve);
    String reader = "Bearer " + served.account("rea", "reader@main");
    assertThat(served.json("POST", reopen, "{}", "Authorization", reader).status()).isEqualTo(403);
    assertThat(served.json("POST", reopen, "{\"why\":1}", eve).status()).isEqualTo(422);
    Served.Answer again = served.json("POST", reopen, "{\"reason\":\"new facts\"}", fay);
    assertThat(again.status()).as(again.body()).isEqualTo(200);
    assertThat(again.text("status")).isEqualTo("pending");
    assertThat(served.get("/v1/main/audit?limit=1").body())
        .contains("\"reopened\"", "fay", "new facts");
    assertThat(served.json("POST", review + "/decision", "{\"choose\":0}", eve).status())
        .isEqualTo(200);
  }

  @Test
  void dryRunOfManyDecisionsIsRefusedWhatTheDecisionsWouldBe() {
    contested("note");
    String order = "{\"filter\":{\"type\":\"bill\"},\"choose\":0,\"dryRun\":true}";
    String decisions = "/v1/main/reviews/decisions";
    assertThat(served.json("POST", decisions, order).body()).contains("\"skipped\":[]");
    served.json("POST", "/v1/main/freezes", "{\"type\":\"bill\",\"reason\":\"incident\"}");
    Served.Answer frozen = served.json("POST", decisions, order);
    assertThat(frozen.body()).contains("\"decided\":[]", "frozen: incident");
    served.json("DELETE", "/v1/main/freezes", "{\"type\":\"bill\"}");
    assertThat(served.get("/v1/main/reviews").body()).contains("\"total\":1");
  }

  @Test
  void anOwnerAndNotesAreShownAndFilteredBy() {
    String review = contested("note");
    assertThat(served.get("/v1/main/reviews?owner=-").body()).contains("\"unit\":\"note\"");
    served.json("POST", review + "/assign", "{\"owner\":\"eve\"}", eve);
    assertThat(served.get("/v1/main/reviews?owner=eve").body()).contains("\"owner\":\"eve\"");
    assertThat(served.get("/v1/main/reviews?owner=-").body()).contains("\"reviews\":[]");
    Served.Answer noted =
        served.json("POST", review + "/notes", "{\"text\":\"ask <b>ann</b>\"}", eve);
    assertThat(noted.status()).isEqualTo(200);
    assertThat(served.get(review).body()).contains("ask <b>ann</b>").contains("\"by\":\"eve\"");
    assertThat(served.json("POST", review + "/notes", "{\"text\":\" \"}", eve).status())
        .isEqualTo(422);
    assertThat(
            served
                .json("POST", review + "/notes", "{\"text\":\"" + "x".repeat(4_001) + "\"}", eve)
                .status())
        .isEqualTo(422);
    assertThat(served.json("POST", review + "/assign", "{\"owner\":null}", eve).body())
        .doesNotContain("\"owner\"");
    assertThat(served.json("POST", review + "/assign", "{}", eve).status()).isEqualTo(422);
    served.json("POST", review + "/decision", "{\"choose\":0}", eve);
    assertThat(served.json("POST", review + "/notes", "{\"text\":\"late\"}", eve).status())
        .isEqualTo(409);
  }

  @Test
  void twoPersonsDecideEachSignedInAsThemselves() {
    String review = contested("amount");
    assertThat(served.get(review).body()).contains("\"twoPersons\":true");
    Served.Answer forged =
        served.json("POST", review + "/decision", "{\"choose\":0}", "Entente-Author", "fay");
    assertThat(forged.status()).as("a delegate is not two persons").isEqualTo(403);
    Served.Answer first =
        served.json("POST", review + "/decision", "{\"choose\":0,\"reason\":\"as billed\"}", eve);
    assertThat(first.status()).isEqualTo(202);
    assertThat(first.body()).contains("\"status\":\"pending\"").contains("as billed");
    assertThat(served.json("POST", review + "/decision", "{\"choose\":0}", eve).status())
        .isEqualTo(202);
    Served.Answer bulk =
        served.json(
            "POST",
            "/v1/main/reviews/decisions",
            "{\"filter\":{\"type\":\"bill\"},\"choose\":0}",
            fay);
    assertThat(bulk.body()).contains("two persons decide on amount").contains("\"decided\":[]");
    Served.Answer second = served.json("POST", review + "/decision", "{\"choose\":0}", fay);
    assertThat(second.status()).isEqualTo(200);
    assertThat(second.body()).contains("\"status\":\"resolved\"").contains("\"amount\":2");
  }

  @Test
  void aFilterIsKeptForOneselfOrShared() {
    String mine = "{\"filter\":{\"owner\":\"-\",\"severity\":\"high\"}}";
    assertThat(served.json("PUT", "/v1/main/views/urgent", mine, eve).status()).isEqualTo(200);
    String ours = "{\"filter\":{\"late\":\"overdue\"},\"shared\":true}";
    assertThat(served.json("PUT", "/v1/main/views/late", ours, eve).status()).isEqualTo(200);
    assertThat(served.json("GET", "/v1/main/views", "", eve).body()).contains("urgent", "late");
    assertThat(served.json("GET", "/v1/main/views", "", fay).body())
        .contains("late")
        .doesNotContain("urgent");
    assertThat(served.get("/v1/other/views").body()).startsWith("{\"views\":[]");
    assertThat(served.json("DELETE", "/v1/main/views/late", "", fay).status()).isEqualTo(404);
    assertThat(served.json("DELETE", "/v1/main/views/late", "", eve).status()).isEqualTo(200);
    assertThat(
            served
                .json("PUT", "/v1/main/views/odd", "{\"filter\":{\"colour\":\"red\"}}", eve)
                .status())
        .isEqualTo(422);
  }

  @Test
  void whatIsLateIsFound() {
    contested("note");
    assertThat(served.get("/v1/main/reviews?late=overdue").body()).contains("\"reviews\":[]");
    assertThat(served.get("/v1/main/reviews?late=soon").status()).isEqualTo(422);
  }
}
