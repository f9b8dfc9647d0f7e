// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What holds for every operation that writes records: a freeze refuses it and says when to try
 * again, and a request that is sent again does nothing again. Operations come from the description
 * that the server serves; a new one needs its line here.
 */
class WriteRoutesTest {
  private static final String RECORD = "/v1/{tenant}/records/{type}/{id}";
  private static final String REVIEW = "/v1/{tenant}/reviews/{review}";

  /**
   * How a record is written.
   *
   * @param body what is sent, from what was prepared and a value to write
   * @param keyed whether another body under the same key is refused
   */
  private record Way(BiFunction<Prepared, Integer, String> body, boolean keyed) {}

  /** A record that two have changed at once, with what is known of it. */
  private record Prepared(String id, String context, String review, String job) {
    String path() {
      return "/v1/main/records/doc/" + id;
    }
  }

  private static final Map<String, Way> WAYS =
      Map.ofEntries(
          Map.entry("PUT " + RECORD, new Way((_, v) -> "{\"v\":" + v + "}", true)),
          Map.entry("PATCH " + RECORD, new Way((_, v) -> "{\"k\":" + v + "}", true)),
          Map.entry("DELETE " + RECORD, new Way((_, _) -> "", false)),
          Map.entry(
              "POST " + RECORD + "/rollback",
              new Way(
                  (of, v) -> "{\"to\":\"" + of.context() + "\",\"reason\":\"" + v + "\"}", true)),
          Map.entry(
              "POST " + RECORD + "/erasure",
              new Way((_, v) -> "{\"reason\":\"" + v + "\"}", false)),
          Map.entry(
              "POST /v1/{tenant}/sync",
              new Way((of, v) -> "{\"events\":[{\"id\":\"e\"," + write(of, v) + "}]}", true)),
          Map.entry(
              "POST /v1/{tenant}/batch",
              new Way((of, v) -> "{\"writes\":[{" + write(of, v) + "}]}", true)),
          Map.entry(
              "POST " + REVIEW + "/decision", new Way((_, v) -> "{\"value\":" + v + "}", false)),
          Map.entry("POST " + REVIEW + "/vote", new Way((_, _) -> "{\"choose\":0}", false)),
          Map.entry(
              "POST /v1/{tenant}/reviews/decisions",
              new Way(
                  (of, _) -> "{\"filter\":{\"recordId\":\"" + of.id() + "\"},\"choose\":0}",
                  false)),
          Map.entry("POST /v1/{tenant}/jobs/{job}/undo", new Way((_, _) -> "{}", false)),
          Map.entry(
              "POST /v1/{tenant}/restores",
              new Way((_, _) -> "{\"type\":\"doc\",\"to\":\"2020-01-01T00:00:00Z\"}", false)));

  /** Operations on something else than records; what is under these paths, too. */
  private static final List<String> OTHERS =
      List.of(
          "POST " + RECORD + "/appeals",
          "POST " + RECORD + "/rebuild",
          "POST /v1/{tenant}/checkpoints",
          "DELETE /v1/{tenant}/checkpoints/{checkpoint}",
          "POST " + REVIEW + "/reopen",
          "POST " + REVIEW + "/assign",
          "POST " + REVIEW + "/notes",
          "POST /v1/{tenant}/freezes",
          "DELETE /v1/{tenant}/freezes",
          "DELETE /v1/{tenant}/jobs/{job}",
          "PUT /v1/{tenant}/policies/{type}",
          "POST /v1/{tenant}/policies/{type}/preview",
          "PUT /v1/{tenant}/views/{view}",
          "DELETE /v1/{tenant}/views/{view}",
          "POST /v1/{tenant}/locks",
          "PUT /v1/{tenant}/locks/{lock}",
          "DELETE /v1/{tenant}/locks/{lock}",
          "PUT /v1/{tenant}/retention",
          "DELETE /v1/{tenant}/retention",
          "POST /v1/{tenant}/retention/runs",
          "POST /v1/verify");

  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  private static String write(Prepared of, int value) {
    return "\"type\":\"doc\",\"op\":\"put\",\"recordId\":\"%s\",\"data\":{\"v\":%d},\"context\":\"%s\""
        .formatted(of.id(), value, of.context());
  }

  private static Set<String> operations() {
    Set<String> writing = new TreeSet<>();
    for (AccessTest.Operation operation : AccessTest.operations()) {
      if (!operation.method().equals("GET") && !operation.path().startsWith("/v1/cluster/")) {
        writing.add(operation.toString());
      }
    }
    return writing;
  }

  /** A disputed record, in a type whose reviews people vote on where the operation is a vote. */
  private Prepared prepare(String operation) throws InterruptedException {
    String rule =
        operation.endsWith("/vote")
            ? "fields: {v: {strategy: vote, voters: [admin, ann, bob]}}"
            : "default: manual-review";
    byte[] policy = ("type: doc\n" + rule).getBytes(StandardCharsets.UTF_8);
    Map<String, String> yaml = Map.of("Content-Type", "application/yaml");
    assertThat(served.send("PUT", "/v1/main/policies/doc", policy, yaml).status()).isEqualTo(200);
    String id = "r" + Integer.toHexString(operation.hashCode());
    String path = "/v1/main/records/doc/" + id;
    String context = served.json("PUT", path, "{\"v\":0}").text("context");
    served.json("PUT", path, "{\"v\":1}", "Entente-Context", context);
    String review =
        served.json("PUT", path, "{\"v\":2}", "Entente-Context", context).text("conflictId");
    assertThat(review).isNotEmpty();
    String job = "";
    if (operation.contains("{job}")) {
      String order =
          "{\"filter\":{\"recordId\":\"%s\"},\"choose\":0,\"background\":true}".formatted(id);
      job = served.json("POST", "/v1/main/reviews/decisions", order).text("id");
      String begun = "/v1/main/jobs/" + job;
      Served.eventually(() -> served.get(begun).text("state").equals("done"));
    }
    return new Prepared(id, context, review, job);
  }

  private Served.Answer send(String operation, Prepared prepared, int value, String key) {
    String path = operation.substring(operation.indexOf(' ') + 1);
    Map<String, String> headers = new HashMap<>();
    headers.put(
        "Content-Type",
        operation.startsWith("PATCH") ? "application/merge-patch+json" : "application/json");
    headers.put("Idempotency-Key", key);
    if (operation.endsWith(RECORD)) {
      headers.put("Entente-Context", prepared.context());
    }
    return served.send(
        operation.substring(0, operation.indexOf(' ')),
        path.replace("{tenant}", "main")
            .replace("{type}", "doc")
            .replace("{id}", prepared.id())
            .replace("{review}", prepared.review())
            .replace("{job}", prepared.job()),
        java.util.Objects.requireNonNull(WAYS.get(operation))
            .body()
            .apply(prepared, value)
            .getBytes(StandardCharsets.UTF_8),
        headers);
  }

  private int versions(Prepared prepared) {
    Json versions = served.get(prepared.path() + "/history").json().get("versions");
    return versions instanceof JsonArray(List<Json> items) ? items.size() : 0;
  }

  @Test
  void everyOperationIsListed() {
    Set<String> listed = new TreeSet<>(WAYS.keySet());
    listed.addAll(OTHERS);
    assertThat(operations()).isEqualTo(listed);
  }

  @Test
  void aFreezeRefusesEveryWriteAndSaysWhenToTryAgain() throws InterruptedException {
    for (String operation : WAYS.keySet()) {
      Prepared prepared = prepare(operation);
      int before = versions(prepared);
      served.json("POST", "/v1/main/freezes", "{\"type\":\"doc\",\"reason\":\"incident\"}");
      Served.Answer answer = send(operation, prepared, 7, "k");
      if (answer.status() >= 300) {
        assertThat(answer.status()).as("%s: %s", operation, answer.body()).isEqualTo(423);
        assertThat(answer.response().headers().firstValue("retry-after")).as(operation).isPresent();
      } else {
        // Each part of it is refused by itself, or in the background.
        assertThat(operation).containsAnyOf("/sync", "/decisions", "/undo", "/restores");
        if (operation.matches(".*/(undo|restores)")) {
          String job = "/v1/main/jobs/" + answer.text("id");
          Served.eventually(() -> !served.get(job).text("state").equals("running"));
          assertThat(served.get(job).body()).as(operation).contains("frozen");
        } else {
          assertThat(answer.body()).as(operation).contains("frozen");
        }
      }
      served.json("DELETE", "/v1/main/freezes", "{\"type\":\"doc\"}");
      assertThat(versions(prepared)).as(operation).isEqualTo(before);
    }
  }

  @Test
  void aRequestThatIsSentAgainUndoesNothingThatOthersWroteSince() throws InterruptedException {
    for (Map.Entry<String, Way> way : WAYS.entrySet()) {
      String operation = way.getKey();
      if (operation.matches(".*/(undo|restores|erasure|decisions)")) {
        // Jobs skip what was changed since, an erasure holds, a filter finds what is there by now.
        continue;
      }
      Prepared prepared = prepare(operation);
      Served.Answer first = send(operation, prepared, 7, "again " + operation);
      assertThat(first.status()).as("%s: %s", operation, first.body()).isLessThan(300);
      String others = "{\"v\":99}";
      assertThat(
              served
                  .json("PUT", prepared.path(), others, "Entente-Context", prepared.context())
                  .status())
          .as(operation)
          .isIn(200, 201);
      int before = versions(prepared);
      send(operation, prepared, 7, "again " + operation);
      assertThat(versions(prepared)).as(operation).isEqualTo(before);
      if (way.getValue().keyed()) {
        Served.Answer other = send(operation, prepared, 8, "again " + operation);
        String told = other.body();
        assertThat(operation.endsWith("/sync") ? 422 : other.status()).as(told).isEqualTo(422);
        assertThat(told).as(operation).contains("invalid");
        assertThat(versions(prepared)).as(operation).isEqualTo(before);
      }
    }
  }

  @Test
  void aRollbackOrErasureUnderALockThatIsLostIsRefused() throws InterruptedException {
    for (String operation :
        List.of("POST " + RECORD + "/rollback", "POST " + RECORD + "/erasure")) {
      Prepared prepared = prepare(operation);
      List<Served.Answer> answers = new ArrayList<>();
      for (String fence : List.of("held-by-nobody=1", "held-by-nobody=2")) {
        String path = prepared.path() + operation.substring(operation.lastIndexOf('/'));
        String body =
            java.util.Objects.requireNonNull(WAYS.get(operation)).body().apply(prepared, 1);
        answers.add(served.json("POST", path, body, "Entente-Fence", fence));
      }
      assertThat(answers).allMatch(answer -> answer.status() >= 400 && answer.status() < 500);
    }
  }

  /** Lists of things that each stand for themselves need their row in {@link BadEventTest}. */
  @Test
  void everyRouteThatTakesAListOfWritesIsTriedWithBadOnes() {
    Set<String> lists = new TreeSet<>();
    JsonObject paths = (JsonObject) AccessTest.description().get("paths");
    paths
        .members()
        .forEach((path, item) ->
            ((JsonObject) item)
                .members()
                .forEach((method, operation) -> {
                  if (operation instanceof JsonObject described
                      && described.get("requestBody") instanceof JsonObject body) {
                    listsOf(body).forEach(list -> lists.add(method + " " + path + " " + list));
                  }
                }));
    assertThat(lists).isEqualTo(BadEventTest.LISTS);
  }

  /** The names of a body's members that are lists of objects. */
  private static List<String> listsOf(JsonObject body) {
    List<String> found = new ArrayList<>();
    body.members()
        .forEach((name, value) -> {
          if (value instanceof JsonObject object) {
            boolean isList = object.get("type").equals(Json.of("array"));
            boolean isOfTexts =
                object.get("items") instanceof JsonObject items
                    && (items.get("type").equals(Json.of("string"))
                        || items.get("enum") instanceof JsonArray);
            if (isList && !isOfTexts && !name.equals("schema")) {
              found.add(name);
            }
            found.addAll(listsOf(object));
          }
        });
    return found;
  }
}
