// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.HttpTransport;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.server.access.Role;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * Who may do what: every operation of the description, under every role, for their own tenant and
 * for another's. What an operation takes is read from the description that the server itself
 * serves, which roles include that from the table here, so a new operation is tried without a word.
 */
class AccessTest {
  static final Map<String, Set<String>> ROLES =
      Map.of(
          "reader", Set.of("read"),
          "writer", Set.of("read", "write"),
          "delegate", Set.of("read", "write", "name authors"),
          "reviewer", Set.of("read", "review"),
          "operator", Set.of("read", "operate"),
          "auditor", Set.of("read", "audit"),
          "admin",
              Set.of("read", "write", "review", "operate", "audit", "name authors", "administer"));

  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  /** One operation of the description. */
  record Operation(String method, String path, String permission) {
    boolean isOfATenant() {
      return path.contains("{tenant}");
    }

    String at(String tenant, String type) {
      return path.replace("{tenant}", tenant).replace("{type}", type).replaceAll("\\{[a-z]+}", "x");
    }

    @Override
    public String toString() {
      return method + " " + path;
    }
  }

  /** The description that the server serves. */
  static JsonObject description() {
    return (JsonObject)
        Json.of(new Load(LoadSettings.builder().build()).loadFromString(OperatorRoutes.openApi()));
  }

  static List<Operation> operations() {
    List<Operation> operations = new ArrayList<>();
    ((JsonObject) description().get("paths"))
        .members()
        .forEach((path, item) ->
            ((JsonObject) item)
                .members()
                .forEach((method, operation) -> {
                  if (operation instanceof JsonObject described
                      && described.get("security") instanceof JsonArray(List<Json> ways)
                      && !ways.isEmpty()
                      && ((JsonObject) ways.getFirst()).get("token")
                          instanceof JsonArray(List<Json> scopes)
                      && !scopes.isEmpty()) {
                    operations.add(
                        new Operation(
                            method.toUpperCase(Locale.ROOT),
                            path,
                            scopes.getFirst().toString().replace("\"", "")));
                  }
                }));
    return operations;
  }

  private Served.Answer as(String token, String method, String path, String body, String... more) {
    Map<String, String> headers = new HashMap<>();
    headers.put("Authorization", "Bearer " + token);
    headers.put("Content-Type", "application/json");
    for (int i = 0; i < more.length; i += 2) {
      headers.put(more[i], more[i + 1]);
    }
    return served.send(method, path, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  private boolean isForbidden(String token, Operation operation, String tenant, String type) {
    Served.Answer answer = as(token, operation.method(), operation.at(tenant, type), "{}");
    assertThat(answer.status())
        .as(() -> operation + " answered " + answer.body())
        .isNotEqualTo(401)
        .isLessThan(500);
    return answer.status() == 403;
  }

  @Test
  void everyRoleMayDoWhatItIsForInItsTenantAndNothingElse() {
    List<Operation> operations = operations();
    assertThat(operations).hasSizeGreaterThan(40);
    Map<String, List<String>> wrong = new TreeMap<>();
    for (Map.Entry<String, Set<String>> role : ROLES.entrySet()) {
      String token = served.account("an-" + role.getKey(), role.getKey() + "@own");
      for (Operation operation : operations) {
        boolean expected =
            operation.isOfATenant() && role.getValue().contains(operation.permission());
        if (expected == isForbidden(token, operation, "own", "doc")) {
          wrong.computeIfAbsent(role.getKey(), _ -> new ArrayList<>()).add(operation.toString());
        }
        if (!isForbidden(token, operation, "other", "doc")) {
          wrong
              .computeIfAbsent(role.getKey() + " elsewhere", _ -> new ArrayList<>())
              .add(operation.toString());
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(ROLES.keySet())
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(Role.values()).map(Role::label).toList());
  }

  @Test
  void everyOperationRefusesParametersThatItDoesNotDeclare() {
    String token = served.account("curious", "admin@own");
    Map<String, String> wrong = new TreeMap<>();
    for (Operation operation : operations()) {
      if (!operation.isOfATenant()) {
        continue;
      }
      Served.Answer answer =
          as(token, operation.method(), operation.at("own", "doc") + "?limt=3", "{}");
      if (answer.status() != 400 || !answer.body().contains("limt")) {
        wrong.put(operation.toString(), answer.status() + " " + answer.body());
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyOperationRefusesValuesThatItsParametersDoNotHave() {
    String token = served.account("careless", "admin@own");
    for (String at :
        List.of(
            "records/doc/1?siblings=yes",
            "records/doc/1?explain=1",
            "records/doc/1/positions?unit=/a&context=x&at=0&stick=after",
            "changes?include=everything",
            "reviews?status=opne",
            "reviews?severity=hihg",
            "reviews?conflict=concurrent",
            "reviews?late=soon")) {
      Served.Answer answer = as(token, "GET", "/v1/own/" + at, "");
      assertThat(answer.status()).as("%s: %s", at, answer.body()).isEqualTo(422);
    }
  }

  @Test
  void whoWasGrantedOneTypeSeesNothingOfAnother() {
    String token = served.account("clerk", "writer@main/invoice", "reviewer@main/invoice");
    for (String type : List.of("invoice", "salary")) {
      served.json("PUT", "/v1/main/records/" + type + "/1", "{\"v\":\"canary-" + type + "\"}");
      String context = served.get("/v1/main/records/" + type + "/1").text("context");
      for (String value : List.of("canary-" + type + "-a", "canary-" + type + "-b")) {
        served.json(
            "PUT",
            "/v1/main/records/" + type + "/1",
            "{\"v\":\"" + value + "\"}",
            "Entente-Context",
            context);
      }
      served.json("POST", "/v1/main/freezes", "{\"type\":\"" + type + "\",\"reason\":\"x\"}");
    }
    for (Operation operation : operations()) {
      if (operation.path().contains("{type}") && operation.isOfATenant()) {
        assertThat(isForbidden(token, operation, "main", "salary"))
            .as(operation.toString())
            .isTrue();
      }
    }
    for (String path :
        List.of(
            "/changes?include=data",
            "/conflicts",
            "/reviews",
            "/reviews?type=salary",
            "/freezes",
            "/policies",
            "/audit",
            "/hotspots",
            "/locks")) {
      assertThat(as(token, "GET", "/v1/main" + path, "").body()).as(path).doesNotContain("salary");
    }
    assertThat(as(token, "GET", "/v1/main/reviews", "").body()).contains("canary-invoice");
    Served.Answer theirs = served.get("/v1/main/reviews?type=salary");
    String id = reviewId(theirs);
    assertThat(as(token, "GET", "/v1/main/reviews/" + id, "").status()).isEqualTo(404);
    assertThat(as(token, "POST", "/v1/main/reviews/" + id + "/decision", "{\"choose\":0}").status())
        .isEqualTo(404);
    Served.Answer many =
        as(
            token,
            "POST",
            "/v1/main/reviews/decisions",
            "{\"filter\":{\"type\":\"salary\"},\"choose\":0}");
    assertThat(many.json().get("decided")).isEqualTo(JsonArray.EMPTY);
  }

  private static String reviewId(Served.Answer reviews) {
    return ((JsonObject) ((JsonArray) reviews.json().get("reviews")).items().getFirst())
        .get("id")
        .toString()
        .replace("\"", "");
  }

  @Test
  void whatHoldsForAWholeHoldsForEachPartOfIt() {
    String token = served.account("clerk", "writer@main/invoice");
    String event =
        """
        {"id":"%s","type":"%s","recordId":"1","op":"put","data":{}}\
        """;
    Served.Answer synced =
        as(
            token,
            "POST",
            "/v1/main/sync",
            "{\"events\":["
                + event.formatted("1", "invoice")
                + ","
                + event.formatted("2", "salary")
                + "]}");
    assertThat(synced.status()).isEqualTo(200);
    assertThat(synced.json().get("syncedEventIds").toString()).isEqualTo("[\"1\"]");
    assertThat(synced.json().get("errors").toString()).contains("forbidden");
    String write =
        """
        {"type":"%s","recordId":"2","op":"put","data":{}}\
        """;
    Served.Answer batch =
        as(
            token,
            "POST",
            "/v1/main/batch",
            "{\"writes\":[" + write.formatted("invoice") + "," + write.formatted("salary") + "]}");
    assertThat(batch.status()).isEqualTo(403);
    assertThat(served.get("/v1/main/records/invoice/2").status()).isEqualTo(404);
    assertThat(as(token, "POST", "/v1/main/freezes", "{\"reason\":\"x\"}").status()).isEqualTo(403);
  }

  @Test
  void onlyADelegateNamesAnotherAuthor() {
    String writer = served.account("ann", "writer@main");
    String delegate = served.account("app", "delegate@main");
    String path = "/v1/main/records/doc/1";
    assertThat(as(writer, "PUT", path, "{}", "Entente-Author", "eve").status()).isEqualTo(403);
    assertThat(as(writer, "PUT", path, "{}").status()).isEqualTo(201);
    assertThat(as(delegate, "PUT", path, "{\"a\":1}", "Entente-Author", "eve").status())
        .isEqualTo(200);
    assertThat(served.get(path + "/history").body()).contains("\"ann\"").contains("\"eve\"");
    Served.Answer synced =
        as(
            writer,
            "POST",
            "/v1/main/sync",
            """
            {"events":[{"id":"1","type":"doc","recordId":"9","op":"put","data":{},"author":"eve"}]}\
            """);
    assertThat(synced.json().get("errors").toString()).contains("forbidden");
    assertThat(as(writer, "POST", "/v1/main/locks", "{\"lock\":\"l\",\"owner\":\"eve\"}").status())
        .isEqualTo(403);
  }

  @Test
  void whoSpeaksAsANodeButIsNoneGainsNothing() {
    Peering among = new Peering("", List.of(), "a secret among nodes");
    try (Served member = new Served(config -> config.with(Optional.of(among)))) {
      for (Served one : List.of(served, member)) {
        String token = one.account("clerk", "reader@main");
        for (String credential : List.of(token, Served.TOKEN, "a secret among nodez")) {
          Served.Answer answer =
              one.json(
                  "PUT",
                  "/v1/main/records/doc/1",
                  "{}",
                  "Authorization",
                  "Bearer " + credential,
                  Steering.FORWARDED,
                  "1",
                  HttpTransport.RELAYED,
                  "Bearer " + Served.TOKEN);
          assertThat(answer.status()).as(credential).isEqualTo(401);
        }
        assertThat(one.get("/v1/main/records/doc/1").status()).isEqualTo(404);
      }
    }
  }

  @Test
  void aNodeActsForNobodyWhoseTokenItDoesNotShow() {
    Peering among = new Peering("", List.of(), "a secret among nodes");
    try (Served one = new Served(config -> config.with(Optional.of(among)))) {
      String reader = one.account("clerk", "reader@main");
      String[] node = {
        "Authorization", "Bearer a secret among nodes", Steering.FORWARDED, "1",
      };
      List<String[]> claims =
          List.of(
              new String[] {},
              new String[] {"Entente-Actor", "admin", "Entente-Grants", "admin@*"},
              new String[] {HttpTransport.RELAYED, "Bearer a secret among nodes"},
              new String[] {HttpTransport.RELAYED, "admin"},
              new String[] {HttpTransport.RELAYED, "Bearer a guess"},
              new String[] {
                HttpTransport.RELAYED, "Bearer " + reader, "Entente-Grants", "admin@*"
              });
      for (String[] claim : claims) {
        String[] headers =
            java.util.stream.Stream.of(node, claim)
                .flatMap(java.util.Arrays::stream)
                .toArray(String[]::new);
        assertThat(one.json("PUT", "/v1/main/records/doc/1", "{}", headers).status())
            .as(String.join(" ", claim))
            .isIn(401, 403);
        for (Route route : new Api(one.node, ServerConfig.of(0, "t")).routes()) {
          if (!Steering.isSentOn(route)
              && !(route.access() instanceof Route.Access.Anyone)
              && !(route.access() instanceof Route.Access.OfNodes)) {
            String path = route.pattern().replaceAll("\\{[^}]*}", "x");
            assertThat(one.json(route.method(), path, "{}", headers).status())
                .as(route.method() + " " + path)
                .isIn(401, 403);
          }
        }
      }
      assertThat(one.get("/v1/main/records/doc/1").status()).isEqualTo(404);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aBadTokenIsNotMadeGoodByASession() {
    String session =
        served
            .json("POST", "/session", "{\"token\":\"" + Served.TOKEN + "\"}")
            .response()
            .headers()
            .firstValue("set-cookie")
            .orElseThrow()
            .replaceAll(";.*", "");
    for (String header : List.of("Bearer wrong", "Bearer", "Basic YWRtaW46YWRtaW4=", "bearer x")) {
      assertThat(
              served
                  .send(
                      "GET",
                      "/v1/status",
                      new byte[0],
                      Map.of("Authorization", header, "Cookie", session))
                  .status())
          .as(header)
          .isEqualTo(401);
    }
    for (String cookie : List.of(session + "x", "entente-session=", "entente-session")) {
      assertThat(
              served
                  .send(
                      "GET",
                      "/v1/status",
                      new byte[0],
                      Map.of("Authorization", "", "Cookie", cookie))
                  .status())
          .as(cookie)
          .isEqualTo(401);
    }
  }

  @Test
  void aTokenThatWasRevokedOrIsOverOrOfADisabledAccountIsRefusedAtOnce() {
    String token = served.account("ann", "reader@main");
    String path = "/v1/main/policies";
    assertThat(as(token, "GET", path, "").status()).isEqualTo(200);
    assertThat(as(token, "GET", "/v1/whoami", "").body()).contains("ann").contains("reader@main");
    String session =
        served
            .json("POST", "/session", "{\"token\":\"" + token + "\"}")
            .response()
            .headers()
            .firstValue("set-cookie")
            .orElseThrow()
            .replaceAll(";.*", "");
    Map<String, String> cookie = Map.of("Authorization", "", "Cookie", session);
    assertThat(served.send("GET", path, new byte[0], cookie).status()).isEqualTo(200);
    String id = token.substring(4, 20);
    assertThat(served.json("DELETE", "/v1/cluster/accounts/ann/tokens/" + id, "").status())
        .isEqualTo(200);
    assertThat(as(token, "GET", path, "").status()).isEqualTo(401);
    assertThat(served.send("GET", path, new byte[0], cookie).status()).isEqualTo(401);
    String other = served.account("bob", "reader@main");
    served.json(
        "PUT", "/v1/cluster/accounts/bob", "{\"grants\":[\"reader@main\"],\"disabled\":true}");
    assertThat(as(other, "GET", path, "").status()).isEqualTo(401);
    served.json("PUT", "/v1/cluster/accounts/bob", "{\"grants\":[\"reader@else\"]}");
    assertThat(as(other, "GET", path, "").status()).isEqualTo(403);
    served.json("DELETE", "/v1/cluster/accounts/bob", "");
    assertThat(as(other, "GET", path, "").status()).isEqualTo(401);
    assertThat(as("ent_0000000000000000_" + "0".repeat(48), "GET", path, "").status())
        .isEqualTo(401);
  }

  @Test
  void secretsAreKeptAsHashesAndTheRegistryIsNobodysTenant() {
    String token = served.account("ann", "admin@*");
    String secret = token.substring(21);
    StringBuilder kept = new StringBuilder();
    served.node.changes("_entente", 0, 100).forEach(feed -> kept.append(feed.version()));
    assertThat(kept).contains("ann").doesNotContain(secret);
    for (String path : List.of("/records/token/x", "/changes", "/audit", "/reviews")) {
      assertThat(as(token, "GET", "/v1/_entente" + path, "").status()).as(path).isEqualTo(404);
    }
    assertThat(as(token, "GET", "/v1/cluster/accounts/ann", "").body()).doesNotContain(secret);
  }

  @Test
  void grantsAreCheckedWhenTheyAreGiven() {
    for (String grant :
        List.of("writer", "king@main", "writer@", "reader@*/doc", "reader@a/\\u0000")) {
      assertThat(
              served
                  .json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"" + grant + "\"]}")
                  .status())
          .as(grant)
          .isEqualTo(422);
    }
    assertThat(
            served.json("PUT", "/v1/cluster/accounts/admin", "{\"grants\":[\"admin@*\"]}").status())
        .isEqualTo(422);
  }
}
