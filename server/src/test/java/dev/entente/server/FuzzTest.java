// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.server.Served.Answer;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Every endpoint under requests that are nearly right: each is put together from a seed out of
 * parts that work and parts that do not. No answer is a 5xx, each refusal is a problem with a code,
 * and in the end the audit chain is whole.
 *
 * <p>The build runs a short seeded round. The deep run: {@code mvn verify -Dtest=FuzzTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dentente.fuzz.seconds=60}; {@code -Dentente.fuzz.seed=N}
 * repeats one.
 */
class FuzzTest {
  private static final int REQUESTS = 2_000;
  private static final long SEED = Long.getLong("entente.fuzz.seed", 20261122L);
  private static final int SECONDS = Integer.getInteger("entente.fuzz.seconds", 0);

  private static final List<String> NAMES =
      List.of(
          "doc", "1", "2", "hold", "résumé", "a/b", "..", "", "x".repeat(300), "\u202e", "'\"<");
  private static final List<String> CREDENTIALS =
      List.of(
          "Bearer x",
          "Bearer",
          "Basic eA==",
          "Bearer a.b.c",
          "Bearer eyJhbGciOiJub25lIn0.e30.",
          "Bearer ent_0123456789abcdef_" + "0".repeat(48),
          "Bearer " + "x".repeat(7_000));
  private static final List<String> COOKIES =
      List.of("entente-session=", "entente-session=%00;;=", "=;" + "a=b;".repeat(500));
  private static final List<String> SCALARS =
      List.of(
          "null",
          "true",
          "0",
          "-1",
          "1e308",
          "1e309",
          "9223372036854775807",
          "0.1",
          "\"\"",
          "\"a\"",
          "\"2026-11-22T10:00:00Z\"",
          "\"\\ud800\"",
          "\"/a\"",
          "NaN",
          "[]",
          "{}");
  private static final List<String> MEMBERS =
      List.of(
          "a",
          "n",
          "status",
          "ops",
          "path",
          "increment",
          "add",
          "remove",
          "set",
          "splice",
          "events",
          "device",
          "id",
          "type",
          "recordId",
          "context",
          "base",
          "op",
          "data",
          "at",
          "author",
          "to",
          "reason",
          "choose",
          "value",
          "ignore",
          "filter",
          "owner",
          "scope",
          "token",
          "cases",
          "left",
          "right",
          "policy",
          "from",
          "unit",
          "__proto__",
          "");
  private static final List<String> TEXTS =
      List.of("put", "merge", "ops", "delete", "pending", "/a", "/n", "doc", "0", "-1", "tenant");
  private static final List<String> TYPES =
      List.of(
          "application/json",
          "application/merge-patch+json",
          "application/json-patch+json",
          "application/vnd.entente.ops+json",
          "application/yaml",
          "text/plain",
          "nonsense");
  private static final List<String> POLICIES =
      List.of(
          "type: doc\ndefault: last-writer-wins",
          "type: doc\nfields: {n: {cell: counter}, a: union}\nunique: [a]",
          "type: doc\nrules: [{name: r, when: 'conflict.complexity < 0.5', then: merge}]",
          "type: doc\ninvariants: [{name: i, check: 'data.n > 0', severity: high}]",
          "type: hold\n"
              + "groups: {g: {fields: [status, n], strategy: state-machine, states: {a: [b], b:"
              + " []}}}",
          "type: doc\nwrites: [merge]\nrecord: true",
          "type: &a [*a]",
          "- 1",
          "type: doc\nfields: {n: {cell: nothing}}");

  private final Random random = new Random(SEED);
  private final List<String> contexts = new ArrayList<>(List.of("", "x", "AQ", "*"));
  private final List<String> reviews = new ArrayList<>(List.of("none"));

  private <T> T any(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  private String value(int depth) {
    int kind = random.nextInt(depth > 4 ? 4 : 8);
    if (kind < 3) {
      return any(SCALARS);
    }
    if (kind == 3) {
      return '"' + any(TEXTS) + '"';
    }
    StringBuilder text = new StringBuilder();
    boolean array = kind == 4;
    int size = random.nextInt(5);
    for (int i = 0; i < size; i++) {
      text.append(i == 0 ? "" : ",");
      text.append(array ? "" : '"' + any(MEMBERS) + "\":").append(value(depth + 1));
    }
    return array ? "[" + text + "]" : "{" + text + "}";
  }

  /** Now and then what the route really takes, so that the requests get past the first check. */
  private String body(Route route) {
    int kind = random.nextInt(10);
    if (kind == 0) {
      byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      return new String(noise, StandardCharsets.ISO_8859_1);
    }
    if (kind < 4) {
      return value(0);
    }
    String pattern = route.pattern();
    if (pattern.contains("policies") && kind < 8) {
      return any(POLICIES);
    }
    if (pattern.endsWith("/sync")) {
      return "{\"device\":\"d\",\"events\":["
          + "{\"id\":\"%d\",\"type\":\"doc\",\"recordId\":\"%d\",\"op\":\"%s\",\"data\":%s%s}]}"
              .formatted(
                  random.nextInt(500),
                  random.nextInt(5),
                  any(List.of("put", "merge", "ops", "delete", "odd")),
                  value(1),
                  random.nextBoolean() ? "" : ",\"context\":\"" + any(contexts) + '"');
    }
    if (pattern.endsWith("/decision")) {
      return any(
          List.of(
              "{\"choose\":\"0\",\"reason\":\"r\"}",
              "{\"choose\":7}",
              "{\"value\":" + value(2) + "}",
              "{\"ignore\":true}"));
    }
    if (pattern.endsWith("/rollback")) {
      return "{\"to\":\"" + any(contexts) + "\",\"reason\":\"fuzz\"}";
    }
    if (route.method().equals("PATCH")) {
      return any(
          List.of(
              "{\"ops\":[{\"path\":\"/n\",\"increment\":" + any(SCALARS) + "}]}",
              "{\"ops\":[{\"path\":\"/a\",\"add\":" + value(1) + ",\"remove\":" + value(1) + "}]}",
              "{\"ops\":[{\"path\":\"" + any(TEXTS) + "\",\"set\":" + value(1) + "}]}",
              "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
              "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":" + value(1) + "}]",
              "{\"a\":" + value(1) + "}"));
    }
    return "{\"a\":" + value(1) + ",\"n\":" + value(3) + "}";
  }

  private String path(Route route) {
    StringBuilder path = new StringBuilder();
    for (String segment : route.pattern().substring(1).split("/", -1)) {
      String name =
          switch (segment) {
            case "{tenant}" -> random.nextInt(20) == 0 ? any(NAMES) : "main";
            case "{type}" -> random.nextInt(4) == 0 ? any(NAMES) : "doc";
            case "{id}" ->
                route.pattern().contains("reviews") ? any(reviews) : any(NAMES.subList(0, 4));
            default -> segment.startsWith("{") ? any(NAMES) : segment;
          };
      path.append('/').append(URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20"));
    }
    List<String> queries =
        List.of(
            "limit",
            "since",
            "wait",
            "at",
            "siblings",
            "explain",
            "cursor",
            "status",
            "type",
            "odd");
    // Most parameters are declared of few operations only, and refused by all others.
    int count = random.nextInt(4) == 0 ? 1 + random.nextInt(2) : 0;
    for (int i = 0; i < count; i++) {
      path.append(path.indexOf("?") < 0 ? '?' : '&').append(any(queries)).append('=');
      path.append(
          URLEncoder.encode(
              any(
                  List.of(
                      "1", "0", "true", "-5", "zz", "2026-11-22T10:00:00Z", "pending", "%", "0s")),
              StandardCharsets.UTF_8));
    }
    return path.toString();
  }

  private Map<String, String> headers(Route route) {
    Map<String, String> headers = new HashMap<>();
    boolean policy = route.pattern().contains("policies");
    headers.put(
        "Content-Type",
        random.nextInt(4) == 0
            ? any(TYPES)
            : policy
                ? "application/yaml"
                : route.method().equals("PATCH") ? any(TYPES.subList(1, 4)) : TYPES.getFirst());
    if (random.nextInt(4) == 0) {
      headers.put("If-Match", '"' + any(contexts) + '"');
    }
    if (random.nextInt(4) == 0) {
      headers.put("Entente-Context", any(contexts));
    }
    if (random.nextInt(8) == 0) {
      headers.put("If-None-Match", "*");
    }
    if (random.nextInt(8) == 0) {
      headers.put("Idempotency-Key", "k" + random.nextInt(50));
    }
    if (random.nextInt(8) == 0) {
      headers.put(
          "Entente-Author",
          any(List.of("ann", "%D1%80%D0%B0ypal", "100%", "%ff", "x".repeat(400))));
    }
    if (random.nextInt(50) == 0) {
      headers.put("Authorization", any(CREDENTIALS));
      headers.put("Cookie", any(COOKIES));
    }
    return headers;
  }

  private void learn(Answer answer) {
    for (String line : answer.body().lines().limit(3).toList()) {
      int at = line.indexOf("\"context\":\"");
      if (at >= 0 && contexts.size() < 200) {
        contexts.add(line.substring(at + 11, line.indexOf('"', at + 11)));
      }
      at = line.indexOf("\"conflictId\":\"");
      if (at >= 0 && reviews.size() < 200) {
        reviews.add(line.substring(at + 14, line.indexOf('"', at + 14)));
      }
    }
  }

  @Test
  void noRequestBreaksTheNode() throws IOException {
    try (Served served = new Served()) {
      List<Route> routes =
          new Api(served.node, ServerConfig.of(0, "t"))
              .routes().stream().filter(route -> !route.pattern().contains("/stream")).toList();
      Map<Integer, Integer> statuses = new TreeMap<>();
      long end = System.nanoTime() + SECONDS * 1_000_000_000L;
      for (int i = 0; i < REQUESTS || System.nanoTime() < end; i++) {
        if (i % 50 == 0) {
          // A freeze of everything would make all that follows the same refusal.
          served.node.thaw("main", "fuzz").join();
        }
        Route route = any(routes);
        String path = path(route);
        String body = route.method().equals("GET") ? "" : body(route);
        Answer answer =
            served.send(
                route.method(), path, body.getBytes(StandardCharsets.UTF_8), headers(route));
        assertThat(answer.status())
            .as("request %d of seed %d: %s %s %s", i, SEED, route.method(), path, body)
            .isLessThan(500);
        if (answer.status() >= 400) {
          assertThat(answer.text("code")).as(answer.body()).isNotBlank();
        }
        statuses.merge(answer.status(), 1, Integer::sum);
        learn(answer);
      }
      assertThat(statuses.keySet()).as("the requests get everywhere").contains(200, 201, 404, 422);
      assertThat(served.json("POST", "/v1/verify", "").body()).contains("\"intact\":true");
      System.out.println("fuzzed: " + statuses);
    }
  }
}
