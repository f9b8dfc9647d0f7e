// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The routes are the documented ones, and none but the declared few answers without a credential.
 */
class RoutesTest {
  private static final List<String> OPEN =
      List.of(
          "GET /health/live",
          "GET /health/ready",
          "GET /openapi.yaml",
          "GET /",
          "GET /ui/{file}",
          "POST /session",
          "DELETE /session");

  @Test
  void theServedDescriptionListsExactlyTheRoutes() throws IOException {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT)) {
      TreeSet<String> routes = new TreeSet<>();
      new Api(node, ServerConfig.of(0, "t"))
          .routes()
          .forEach(route -> routes.add(route.method() + " " + route.pattern()));
      TreeSet<String> documented = new TreeSet<>();
      JsonObject file =
          (JsonObject)
              Json.of(
                  new Load(LoadSettings.builder().build())
                      .loadFromString(OperatorRoutes.openApi()));
      ((JsonObject) file.get("paths"))
          .members()
          .forEach((path, item) ->
              ((JsonObject) item)
                  .members().keys().stream()
                      .filter(name -> !name.equals("parameters"))
                      .forEach(method ->
                          documented.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path)));
      assertThat(documented).isEqualTo(routes);
    }
  }

  @Test
  void everyOtherRouteNeedsTheToken() throws IOException {
    try (Served served = new Served()) {
      Api api = new Api(served.node, ServerConfig.of(0, "t"));
      for (Route route : api.routes()) {
        String name = route.method() + " " + route.pattern();
        boolean isOpen = route.access() instanceof Route.Access.Anyone;
        assertThat(isOpen).as(name).isEqualTo(OPEN.contains(name));
        if (!isOpen) {
          String path = route.pattern().replaceAll("\\{[a-z]+}", "x");
          for (String authorization : List.of("Bearer wrong", "Basic dGVzdA==", "Bearer")) {
            assertThat(
                    served
                        .send(
                            route.method(),
                            path,
                            new byte[0],
                            Map.of("Authorization", authorization))
                        .status())
                .as(name)
                .isEqualTo(401);
          }
        }
      }
    }
  }

  @Test
  void aSessionCookieChangesNothingFromAnotherOrigin() {
    try (Served served = new Served()) {
      var signedIn = served.json("POST", "/session", "{\"token\":\"" + Served.TOKEN + "\"}");
      String cookie = signedIn.response().headers().firstValue("set-cookie").orElseThrow();
      assertThat(cookie).contains("HttpOnly").contains("SameSite=Strict");
      String session = cookie.substring(0, cookie.indexOf(';'));
      assertThat(served.json("POST", "/session", "{\"token\":\"no\"}").status()).isEqualTo(401);
      assertThat(
              served
                  .send(
                      "GET",
                      "/v1/status",
                      new byte[0],
                      Map.of("Authorization", "", "Cookie", session))
                  .status())
          .isEqualTo(200);
      assertThat(putFrom(served, session, "http://evil.example")).isEqualTo(403);
      for (String other :
          List.of(
              "https://127.0.0.1:" + served.port(),
              "http://127.0.0.1",
              "http://localhost:" + served.port(),
              "null")) {
        assertThat(putFrom(served, session, other)).as(other).isEqualTo(403);
      }
      assertThat(putFrom(served, session, "http://127.0.0.1:" + served.port())).isEqualTo(201);
      assertThat(
              served
                  .get("/")
                  .response()
                  .headers()
                  .firstValue("content-security-policy")
                  .orElseThrow())
          .doesNotContain("unsafe")
          .contains("default-src 'none'")
          .contains("frame-ancestors 'none'")
          .contains("form-action 'self'");
      assertThat(served.get("/").response().headers().firstValue("x-content-type-options"))
          .contains("nosniff");
    }
  }

  @Test
  void pagesOfOtherOriginsSignNobodyInOrOut() {
    try (Served served = new Served()) {
      String own = "http://127.0.0.1:" + served.port();
      String evil = "http://evil.example";
      String secure = "https://127.0.0.1:" + served.port();
      String body = "{\"token\":\"" + Served.TOKEN + "\"}";
      for (String other : List.of(evil, secure, "null")) {
        assertThat(served.json("POST", "/session", body, "Origin", other).status()).isEqualTo(403);
      }
      var signedIn = served.json("POST", "/session", body, "Origin", own);
      assertThat(signedIn.status()).isEqualTo(200);
      String cookie = signedIn.response().headers().firstValue("set-cookie").orElseThrow();
      assertThat(cookie).doesNotContain("Secure");
      String session = cookie.substring(0, cookie.indexOf(';'));
      assertThat(signOutFrom(served, session, evil)).isEqualTo(403);
      assertThat(putFrom(served, session, own)).as("still signed in").isEqualTo(201);
      assertThat(signOutFrom(served, session, own)).isEqualTo(200);
      assertThat(putFrom(served, session, own)).isEqualTo(401);
      var proxied =
          served.json("POST", "/session", body, "Origin", secure, "X-Forwarded-Proto", "https");
      assertThat(proxied.status()).isEqualTo(200);
      assertThat(proxied.response().headers().firstValue("set-cookie").orElseThrow())
          .contains("Secure");
    }
  }

  private static int signOutFrom(Served served, String session, String origin) {
    return served
        .send(
            "DELETE",
            "/session",
            new byte[0],
            Map.of("Authorization", "", "Cookie", session, "Origin", origin))
        .status();
  }

  /** A page of this origin writes with the session's cookie. */
  private static int putFrom(Served served, String session, String origin) {
    return served
        .json(
            "PUT",
            "/v1/main/records/a/1",
            "{}",
            "Authorization",
            "",
            "Cookie",
            session,
            "Origin",
            origin)
        .status();
  }
}
