// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Review;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What names a lock is done only while it is held, or refused; no operation ignores it. */
class FencedRequestsTest {
  private static final String REVIEW = "/v1/{tenant}/reviews/{review}/";
  private static final String RECORD = "/v1/{tenant}/records/{type}/{id}";

  /** A body that would be carried out, for each operation that is done under a lock. */
  private static final Map<String, String> DONE_UNDER_A_LOCK =
      Map.of(
          "PUT " + RECORD,
          "{\"v\":9}",
          "PATCH " + RECORD,
          "{\"k\":9}",
          "DELETE " + RECORD,
          "",
          "POST " + RECORD + "/rollback",
          "{\"to\":\"2100-01-01T00:00:00Z\"}",
          "POST " + RECORD + "/erasure",
          "{\"reason\":\"asked for\"}",
          "POST /v1/{tenant}/batch",
          "{\"writes\":[{\"type\":\"t\",\"recordId\":\"r\",\"op\":\"put\",\"data\":{\"v\":9}}]}",
          "POST " + REVIEW + "decision",
          "{\"choose\":1}",
          "POST " + REVIEW + "vote",
          "{\"choose\":1}",
          "POST " + REVIEW + "reopen",
          "{}",
          "POST /v1/{tenant}/reviews/decisions",
          "{\"filter\":{\"type\":\"t\"},\"choose\":1}");

  private final Served served = new Served();

  @BeforeEach
  void conflict() {
    served.send(
        "PUT",
        "/v1/main/policies/t",
        "type: t\nwrites: [overwrite, conditional, merge]\ndefault: manual-review\n"
            .getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
    both("r");
  }

  private void both(String id) {
    String path = "/v1/main/records/t/" + id;
    String seen = served.json("PUT", path, "{\"v\":0}").text("context");
    served.json("PUT", path, "{\"v\":1}", "Entente-Context", seen, "Entente-Author", "ann");
    served.json("PUT", path, "{\"v\":2}", "Entente-Context", seen, "Entente-Author", "bob");
  }

  @AfterEach
  void close() {
    served.close();
  }

  private Review review() {
    return served.node.reviews("main", Review.Status.PENDING, Optional.empty(), 10).getFirst();
  }

  @Test
  void noOperationGoesOnWithoutTheLockThatItNames() {
    String review = review().id();
    int number = 0;
    for (AccessTest.Operation operation : AccessTest.operations()) {
      String name = operation.method() + " " + operation.path();
      if (operation.method().equals("GET")) {
        continue;
      }
      String path =
          operation
              .path()
              .replace("{tenant}", "main")
              .replace("{type}", "t")
              .replace("{id}", "r")
              .replace("{review}", review)
              .replaceAll("\\{[a-z]+}", "x");
      String type =
          operation.method().equals("PATCH") ? "application/merge-patch+json" : "application/json";
      String body = DONE_UNDER_A_LOCK.getOrDefault(name, "{}");
      Served.Answer answer =
          served.json(
              operation.method(), path, body, "Content-Type", type, "Entente-Fence", "lost=1");
      if (name.endsWith("/reviews/decisions")) {
        assertThat(answer.json().get("decided")).as(name).isEqualTo(Json.of(List.of()));
        assertThat(answer.body()).as(name).contains("is not held under the token 1");
      } else if (DONE_UNDER_A_LOCK.containsKey(name)) {
        assertThat(answer.status()).as(name + ": " + answer.body()).isEqualTo(412);
        number++;
      } else {
        assertThat(answer.status()).as(name + ": " + answer.body()).isEqualTo(422);
        assertThat(answer.body()).as(name).contains("Entente-Fence");
      }
    }
    assertThat(number).isEqualTo(DONE_UNDER_A_LOCK.size() - 1);
    assertThat(review().id()).isEqualTo(review);
    assertThat(served.get("/v1/main/audit").body())
        .contains("is not held under the token 1", review);
  }

  @Test
  void bulkDecisionUnderOneKeyDecidesOnce() {
    String body = "{\"filter\":{\"type\":\"t\"},\"choose\":1,\"reason\":\"monday\"}";
    String path = "/v1/main/reviews/decisions";
    JsonObject first = served.json("POST", path, body, "Idempotency-Key", "k").json();
    assertThat(ids(first, "decided")).hasSize(1);
    both("later");
    JsonObject again = served.json("POST", path, body, "Idempotency-Key", "k").json();
    assertThat(ids(again, "decided")).isEqualTo(ids(first, "decided"));
    assertThat(served.node.countReviews("main", Review.Status.PENDING)).isEqualTo(1);
    for (String other : List.of(body.replace("1,", "0,"), body.replace("monday", "tuesday"))) {
      assertThat(served.json("POST", path, other, "Idempotency-Key", "k").status()).isEqualTo(422);
    }
    assertThat(served.json("POST", path, body, "Idempotency-Key", "l").json().get("decided"))
        .isNotEqualTo(first.get("decided"));
  }

  @Test
  void bulkDecisionThatIsAJobBeginsOnceUnderItsKey() {
    String body = "{\"filter\":{\"type\":\"t\"},\"choose\":1,\"background\":true}";
    String path = "/v1/main/reviews/decisions";
    String job = served.json("POST", path, body, "Idempotency-Key", "k").text("id");
    assertThat(served.json("POST", path, body, "Idempotency-Key", "k").text("id")).isEqualTo(job);
    assertThat(served.json("POST", path, body, "Idempotency-Key", "l").text("id"))
        .isNotEqualTo(job);
  }

  private static List<String> ids(JsonObject answer, String list) {
    return answer.get(list) instanceof JsonArray(List<Json> items)
        ? items.stream().map(item -> ((JsonString) item).value()).toList()
        : List.of();
  }
}
