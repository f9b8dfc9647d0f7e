// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whoever wrote something and does not find it learns why, and asks for it back. */
class AppealTest {
  private static final String PATH = "/v1/main/records/note/n";
  private final Served served = new Served();

  @BeforeEach
  void declare() {
    served.send(
        "PUT",
        "/v1/main/policies/note",
        "type: note\ndefault: last-writer-wins\n".getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
    served.json("PUT", PATH, "{\"phone\":\"0\",\"mail\":\"a\"}", "Entente-Author", "eve");
  }

  @AfterEach
  void close() {
    served.close();
  }

  private void patch(String author, String context, String body) {
    Served.Answer answer =
        served.send(
            "PATCH",
            PATH,
            body.getBytes(StandardCharsets.UTF_8),
            Map.of(
                "Content-Type",
                "application/merge-patch+json",
                "Entente-Context",
                context,
                "Entente-Author",
                author));
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
  }

  /** Ann and bob change the phone at the same time; bob's comes later and wins. */
  private void clash() {
    String context = served.get(PATH).text("context");
    patch("ann", context, "{\"phone\":\"ann\",\"mail\":\"b\"}");
    patch("bob", context, "{\"phone\":\"bob\"}");
  }

  /** Node and number of an author's version. */
  private String[] version(String author) {
    JsonArray versions = (JsonArray) served.get(PATH + "/history").json().get("versions");
    for (Json one : versions.items()) {
      JsonObject version = (JsonObject) one;
      if (version.get("author").equals(Json.of(author))) {
        return new String[] {
          ((JsonString) version.get("node")).value(),
          String.valueOf(((JsonNumber) version.get("number")).longValue())
        };
      }
    }
    throw new AssertionError("no version of " + author);
  }

  private String fate(String author) {
    String[] version = version(author);
    return served.get(PATH + "/fate?node=" + version[0] + "&number=" + version[1]).body();
  }

  private Served.Answer appeal(String author, String by) {
    String[] version = version(author);
    return served.json(
        "POST",
        PATH + "/appeals",
        "{\"node\":\"" + version[0] + "\",\"number\":" + version[1] + ",\"reason\":\"mine\"}",
        "Entente-Author",
        by);
  }

  private Served.Answer decide(Served.Answer appeal, int choose) {
    String id =
        ((JsonString) ((JsonArray) appeal.json().get("reviews")).items().getFirst()).value();
    return served.json(
        "POST", "/v1/main/reviews/" + id + "/decision", "{\"choose\":" + choose + "}");
  }

  @Test
  void aRuleTookAnothersAndTheReviewerGivesItBack() {
    clash();
    assertThat(fate("ann")).contains("\"fate\":\"lost\"").contains("\"fate\":\"holds\"");
    assertThat(fate("bob")).contains("holds").doesNotContain("lost");
    Served.Answer appeal = appeal("ann", "ann");
    assertThat(appeal.status()).as(appeal.body()).isEqualTo(201);
    String reviews = served.get("/v1/main/reviews").body();
    assertThat(reviews)
        .contains("ann asks for what ann wrote")
        .contains("mine")
        .contains("\"total\":1");
    assertThat(decide(appeal, 1).status()).isEqualTo(200);
    assertThat(served.get(PATH).body()).contains("\"phone\":\"ann\"").contains("\"mail\":\"b\"");
    assertThat(served.get("/v1/main/reviews").body()).contains("\"total\":0");
    assertThat(fate("bob")).contains("replaced").contains("given back");
    assertThat(served.node.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void theReviewerMayLeaveWhatIsThere() {
    clash();
    assertThat(decide(appeal("ann", "ann"), 0).body()).contains("kept");
    assertThat(served.get(PATH).body()).contains("\"phone\":\"bob\"");
  }

  @Test
  void whatSomebodyReplacedKnowinglyCanBeAskedForToo() {
    patch("ann", served.get(PATH).text("context"), "{\"phone\":\"ann\"}");
    patch("bob", served.get(PATH).text("context"), "{\"phone\":null}");
    assertThat(fate("ann")).contains("replaced").contains("\"by\":\"bob\"");
    Served.Answer appeal = appeal("ann", "ann");
    assertThat(appeal.status()).isEqualTo(201);
    assertThat(appeal("ann", "ann").json().get("reviews"))
        .as("asking twice is asking once")
        .isEqualTo(appeal.json().get("reviews"));
    decide(appeal, 1);
    assertThat(served.get(PATH).body()).contains("\"phone\":\"ann\"");
  }

  @Test
  void onlyWhoWroteItOrAReviewerAsksAndNothingIsOpenedForWhatHolds() {
    clash();
    assertThat(appeal("bob", "bob").body()).contains("\"reviews\":[]");
    served.json("PUT", "/v1/cluster/accounts/eve", "{\"grants\":[\"writer@main\"]}");
    String token = served.json("POST", "/v1/cluster/accounts/eve/tokens", "{}").text("token");
    String[] version = version("ann");
    Served.Answer foreign =
        served.json(
            "POST",
            PATH + "/appeals",
            "{\"node\":\"" + version[0] + "\",\"number\":" + version[1] + "}",
            "Authorization",
            "Bearer " + token);
    assertThat(foreign.status()).isEqualTo(403);
    for (String body :
        List.of("{}", "{\"node\":\"x\",\"number\":1}", "{\"node\":\"n.1\",\"number\":99}")) {
      assertThat(served.json("POST", PATH + "/appeals", body).status()).as(body).isIn(404, 422);
    }
  }
}
