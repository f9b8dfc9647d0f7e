// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Every operation under every role, granted for the type it touches, for another type, for another
 * tenant and for everything, as the caller and as somebody else. Operations come from the
 * description that the server serves; one that names its type elsewhere than in its path needs a
 * row here, or the test fails.
 */
class AuthorizationTest {
  private static final Map<String, Set<String>> ROLES = AccessTest.ROLES;
  private static final String TENANT = "main";
  private static final String TYPE = "doc";

  /** Under which names an operation is tried. */
  private enum Actor {
    SELF,
    /** Named by the header. */
    HEADER,
    /** Named in the body. */
    BODY
  }

  /** What an operation touches. */
  private enum Reach {
    NODE,
    TENANT,
    TYPE,
    /** Nothing of a type: lists that leave out what the caller may not see, and personal views. */
    OWN
  }

  /**
   * How an operation is tried.
   *
   * @param named the body that acts for somebody else, where a body can
   * @param refused whether an answer refuses for lack of permission
   */
  private record Row(
      Reach reach,
      String permission,
      String path,
      String body,
      Optional<String> named,
      Predicate<Served.Answer> refused) {}

  private static final String CHECKPOINT = "{\"name\":\"point\",\"type\":\"doc\"}";

  private final Served served = new Served();
  private String review = "";
  private String job = "";

  @BeforeEach
  void prepare() throws InterruptedException {
    String path = "/v1/main/records/doc/contested";
    String context = served.json("PUT", path, "{\"v\":0}").text("context");
    for (int value : List.of(1, 2)) {
      String body = "{\"v\":" + value + "}";
      Served.Answer answer = served.json("PUT", path, body, "Entente-Context", context);
      review = answer.json().get("conflictId") instanceof JsonString(String id) ? id : review;
    }
    assertThat(review).isNotEmpty();
    Served.Answer begun =
        served.json(
            "POST",
            "/v1/main/reviews/decisions",
            "{\"filter\":{\"type\":\"doc\"},\"choose\":0,\"dryRun\":true,\"background\":true}");
    job = begun.text("id");
    assertThat(job).as(begun.body()).isNotEmpty();
  }

  @AfterEach
  void close() {
    served.close();
  }

  private static boolean isForbidden(Served.Answer answer) {
    return answer.status() == 403;
  }

  /** What the caller may not read is not there for them. */
  private static boolean isHidden(Served.Answer answer) {
    return answer.status() == 403 || answer.status() == 404;
  }

  private static boolean isForbiddenInside(Served.Answer answer) {
    return answer.status() == 403 || answer.body().contains("\"code\":\"forbidden\"");
  }

  private static boolean decidesNothing(Served.Answer answer) {
    return answer.status() == 403 || JsonArray.EMPTY.equals(answer.json().members().get("decided"));
  }

  private Optional<Row> row(AccessTest.Operation operation) {
    String path = operation.path();
    String permission = operation.permission();
    String write = "{\"type\":\"doc\",\"recordId\":\"y\",\"op\":\"put\",\"data\":{\"v\":1}";
    String event = "{\"events\":[" + write + ",\"id\":\"%s\"%s}]}";
    Optional<String> none = Optional.empty();
    return Optional.ofNullable(
        switch (operation.toString()) {
          case "POST /v1/{tenant}/sync" ->
              new Row(
                  Reach.TYPE,
                  permission,
                  path,
                  event.formatted("1", ""),
                  Optional.of(event.formatted("2", ",\"author\":\"eve\"")),
                  AuthorizationTest::isForbiddenInside);
          case "POST /v1/{tenant}/batch" ->
              new Row(
                  Reach.TYPE,
                  permission,
                  path,
                  "{\"writes\":[" + write + "}]}",
                  none,
                  AuthorizationTest::isForbidden);
          case "POST /v1/{tenant}/freezes", "DELETE /v1/{tenant}/freezes" ->
              new Row(
                  Reach.TYPE,
                  permission,
                  path,
                  "{\"type\":\"doc\",\"id\":\"frozen\"}",
                  none,
                  AuthorizationTest::isForbidden);
          case "POST /v1/{tenant}/restores" ->
              new Row(
                  Reach.TYPE,
                  permission,
                  path,
                  "{\"type\":\"doc\",\"to\":\"2020-01-01T00:00:00Z\",\"dryRun\":true}",
                  none,
                  AuthorizationTest::isForbidden);
          case "POST /v1/{tenant}/checkpoints" ->
              new Row(
                  Reach.TYPE, permission, path, CHECKPOINT, none, AuthorizationTest::isForbidden);
          case "GET /v1/{tenant}/checkpoints/{checkpoint}" -> checkpoint(operation);
          case "DELETE /v1/{tenant}/checkpoints/{checkpoint}" -> checkpoint(operation);
          case "POST /v1/{tenant}/reviews/decisions" ->
              new Row(
                  Reach.TYPE,
                  permission,
                  path,
                  "{\"filter\":{\"recordId\":\"contested\"},\"choose\":0,\"dryRun\":true}",
                  none,
                  AuthorizationTest::decidesNothing);
          case "POST /v1/{tenant}/reviews/{review}/decision" -> review(operation, "{\"choose\":9}");
          case "POST /v1/{tenant}/reviews/{review}/assign" ->
              review(operation, "{\"owner\":\"kim\"}");
          case "POST /v1/{tenant}/reviews/{review}/notes" -> review(operation, "{\"text\":\"t\"}");
          case "POST /v1/{tenant}/reviews/{review}/reopen" -> review(operation, "{}");
          case "POST /v1/{tenant}/reviews/{review}/vote" -> review(operation, "{\"choose\":9}");
          case "GET /v1/{tenant}/reviews/{review}" -> review(operation, "");
          case "GET /v1/{tenant}/jobs/{job}" -> job(operation, permission);
          // It was begun by an administrator, and whoever did not begin it operates.
          case "DELETE /v1/{tenant}/jobs/{job}" -> job(operation, "operate");
          case "POST /v1/{tenant}/jobs/{job}/undo" -> job(operation, permission);
          case "POST /v1/{tenant}/locks" ->
              new Row(
                  Reach.TENANT,
                  permission,
                  path,
                  "{\"lock\":\"l\"}",
                  Optional.of("{\"lock\":\"l\",\"owner\":\"eve\"}"),
                  AuthorizationTest::isForbidden);
          case "GET /v1/{tenant}/records",
              "GET /v1/{tenant}/changes",
              "GET /v1/{tenant}/conflicts",
              "GET /v1/{tenant}/reviews",
              "GET /v1/{tenant}/freezes",
              "GET /v1/{tenant}/policies",
              "GET /v1/{tenant}/jobs",
              "GET /v1/{tenant}/checkpoints",
              "GET /v1/{tenant}/views",
              "PUT /v1/{tenant}/views/{view}",
              "DELETE /v1/{tenant}/views/{view}" ->
              new Row(Reach.OWN, permission, path, "{}", none, AuthorizationTest::isForbidden);
          default -> null;
        });
  }

  private Row review(AccessTest.Operation operation, String body) {
    return new Row(
        Reach.TYPE,
        operation.permission(),
        operation.path().replace("{review}", review),
        body,
        Optional.empty(),
        AuthorizationTest::isHidden);
  }

  /** It is created anew each time, since whoever may delete it does. */
  private Row checkpoint(AccessTest.Operation operation) {
    served.json("POST", "/v1/main/checkpoints", CHECKPOINT);
    return new Row(
        Reach.TYPE,
        operation.permission(),
        operation.path().replace("{checkpoint}", "point"),
        "{}",
        Optional.empty(),
        answer -> {
          served.json("POST", "/v1/main/checkpoints", CHECKPOINT);
          return isHidden(answer);
        });
  }

  private Row job(AccessTest.Operation operation, String permission) {
    return new Row(
        Reach.TYPE,
        permission,
        operation.path().replace("{job}", job),
        "{}",
        Optional.empty(),
        AuthorizationTest::isHidden);
  }

  /** What an operation takes whose path names all that it touches. */
  private static Row byPath(AccessTest.Operation operation) {
    return new Row(
        operation.path().contains("{type}")
            ? Reach.TYPE
            : operation.isOfATenant() ? Reach.TENANT : Reach.NODE,
        operation.permission(),
        operation.path(),
        "{}",
        Optional.empty(),
        AuthorizationTest::isForbidden);
  }

  /** Somebody who calls, and where their role holds. */
  private record Someone(
      String role, String token, boolean ofType, boolean ofTenant, boolean ofNode, boolean some) {
    boolean mayIn(Reach reach) {
      return switch (reach) {
        case NODE -> ofNode;
        case TENANT -> ofTenant;
        case TYPE -> ofType;
        case OWN -> some;
      };
    }

    boolean may(Row row, Actor actor) {
      Set<String> permissions = ROLES.getOrDefault(role, Set.of());
      return mayIn(row.reach())
          && permissions.contains(row.permission())
          && (actor == Actor.SELF || permissions.contains("name authors"));
    }
  }

  private List<Someone> everybody() {
    List<Someone> all = new ArrayList<>();
    for (String role : new TreeSet<>(ROLES.keySet())) {
      all.add(someone(role, "type", true, false, false, true, role + "@main/doc"));
      all.add(someone(role, "sibling", false, false, false, true, role + "@main/other"));
      all.add(someone(role, "elsewhere", false, false, false, false, role + "@else"));
      all.add(someone(role, "tenant", true, true, false, true, role + "@main"));
      all.add(someone(role, "all", true, true, true, true, role + "@*"));
    }
    return all;
  }

  private Someone someone(
      String role,
      String name,
      boolean ofType,
      boolean ofTenant,
      boolean ofNode,
      boolean some,
      String... grants) {
    String token = served.account(role + "-" + name, grants);
    return new Someone(role, token, ofType, ofTenant, ofNode, some);
  }

  private Served.Answer send(String token, String method, Row row, Actor actor) {
    Map<String, String> headers = new HashMap<>();
    headers.put("Authorization", "Bearer " + token);
    headers.put("Content-Type", "application/json");
    if (actor == Actor.HEADER) {
      headers.put("Entente-Author", "eve");
    }
    String body = actor == Actor.BODY ? row.named().orElseThrow() : row.body();
    String path =
        row.path()
            .replace("{tenant}", TENANT)
            .replace("{type}", TYPE)
            .replaceAll("\\{[a-z]+}", "x");
    return served.send(method, path, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  @Test
  void everyOperationAsksForItsTypeAndForTheNameThatActs() {
    List<String> wrong = new ArrayList<>();
    List<Someone> everybody = everybody();
    for (AccessTest.Operation operation : AccessTest.operations()) {
      Row row = row(operation).orElseGet(() -> byPath(operation));
      for (Someone someone : everybody) {
        for (Actor actor : Actor.values()) {
          boolean makesSense =
              actor == Actor.SELF
                  || (actor == Actor.HEADER && !operation.method().equals("GET"))
                  || (actor == Actor.BODY && row.named().isPresent());
          if (makesSense) {
            Served.Answer answer = send(someone.token(), operation.method(), row, actor);
            assertThat(answer.status()).as(operation + " " + answer.body()).isNotEqualTo(500);
            if (someone.may(row, actor) == row.refused().test(answer)) {
              wrong.add(operation + " " + someone + " " + actor + " " + answer.status());
            }
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyRouteThatLooksAtTypesByItselfHasARow() {
    Set<String> without = new TreeSet<>();
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT)) {
      for (Route route : new Api(node, ServerConfig.of(0, "t")).routes()) {
        if (route.access() instanceof Route.Access.GrantedSome) {
          String name = route.method() + " " + route.pattern();
          if (row(new AccessTest.Operation(route.method(), route.pattern(), "")).isEmpty()) {
            without.add(name);
          }
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    assertThat(without).isEmpty();
  }

  @Test
  void aDelegateOfOneTypeActsForNobodyInAnother() {
    String token =
        served.account(
            "portal",
            "delegate@main/notes",
            "writer@main/doc",
            "reviewer@main/doc",
            "operator@main/doc",
            "admin@else");
    for (AccessTest.Operation operation : AccessTest.operations()) {
      Row row = row(operation).orElseGet(() -> byPath(operation));
      if (row.reach() == Reach.TYPE && !operation.method().equals("GET")) {
        for (Actor actor : List.of(Actor.HEADER, Actor.BODY)) {
          if (actor == Actor.HEADER || row.named().isPresent()) {
            Served.Answer answer = send(token, operation.method(), row, actor);
            assertThat(row.refused().test(answer))
                .as(operation + " " + actor + " " + answer.status() + " " + answer.body())
                .isTrue();
          }
        }
      }
    }
    assertThat(served.get("/v1/main/records/doc/y/history").body()).doesNotContain("\"eve\"");
    String vote = "/v1/main/reviews/" + review + "/vote";
    String authorization = "Bearer " + token;
    for (String voter : List.of("kim", "lou")) {
      String body = "{\"choose\":1,\"voter\":\"" + voter + "\"}";
      assertThat(served.json("POST", vote, body, "Authorization", authorization).status())
          .isEqualTo(403);
    }
  }
}
