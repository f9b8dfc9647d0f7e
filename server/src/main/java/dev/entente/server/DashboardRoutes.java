// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.server.Problem.Code;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The dashboard's files, and signing in to it. */
final class DashboardRoutes {
  private static final String SCRIPT = "text/javascript; charset=utf-8";
  private static final Map<String, String> FILES = files();

  private static Map<String, String> files() {
    Map<String, String> files = new TreeMap<>();
    files.put("index.html", "text/html; charset=utf-8");
    files.put("style.css", "text/css; charset=utf-8");
    files.put("icon.svg", "image/svg+xml");
    files.put("policy.schema.json", "application/schema+json");
    for (String script :
        List.of(
            "accounts",
            "app",
            "audit",
            "cluster",
            "complete",
            "diff",
            "dom",
            "json",
            "live",
            "operate",
            "overview",
            "policies",
            "record",
            "reviews",
            "subjects")) {
      files.put(script + ".js", SCRIPT);
    }
    return Map.copyOf(files);
  }

  private final Auth auth;

  DashboardRoutes(Auth auth) {
    this.auth = auth;
  }

  void addTo(Route.Table routes) {
    routes
        .open("GET", "/", _ -> file("index.html"))
        .open("GET", "/ui/{file}", call -> file(call.param("file")))
        .open("POST", "/session", this::signIn)
        .open("DELETE", "/session", this::signOut);
  }

  private static Reply file(String name) {
    String type = FILES.get(name);
    if (type == null) {
      throw new Problem(Code.NOT_FOUND, "there is no such page");
    }
    try (InputStream in = DashboardRoutes.class.getResourceAsStream("/dashboard/" + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing from the program");
      }
      return Reply.bytes(200, type, in.readAllBytes()).with("Cache-Control", "no-cache");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Reply signIn(Call call) {
    Auth.requireOwnPage(call);
    JsonObject body = call.jsonObject();
    Call.only(body, "signing in", Set.of("token"));
    String cookie =
        Call.text(body, "token")
            .flatMap(token -> auth.signIn(token, call))
            .orElseThrow(() ->
                new Problem(
                    Code.UNAUTHORIZED,
                    "this is no token that is good here; the administrator's is in the file token"
                        + " of the node's data directory"));
    return Reply.json(200, JsonObject.of("signedIn", Json.of(true))).with("Set-Cookie", cookie);
  }

  private Reply signOut(Call call) {
    String cookie = auth.signOut(call);
    return Reply.json(200, JsonObject.of("signedIn", Json.of(false))).with("Set-Cookie", cookie);
  }
}
