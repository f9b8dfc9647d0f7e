// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * A cursor goes on where its list was left, or is refused: on every paged route of the description,
 * at its own node and at another.
 */
class CursorsTest {
  /** Lists that every node orders alike, so that another node goes on with their cursors. */
  private static final Set<String> PORTABLE =
      Set.of(
          "/v1/{tenant}/records/{type}",
          "/v1/{tenant}/subjects",
          "/v1/{tenant}/erasures",
          "/v1/cluster/accounts");

  private final Served here = new Served(open("here"), config -> config);
  private final Served there = new Served(open("there"), config -> config);

  private static Node open(String name) {
    return Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
  }

  @BeforeEach
  void fill() {
    for (Served served : List.of(here, there)) {
      for (String id : List.of("x", "y")) {
        String path = "/v1/main/records/t/" + id;
        served.json("PUT", path, "{\"v\":\"ann\"}");
        String context = served.get(path).text("context");
        for (String value : List.of("ann 1", "ann 2")) {
          served.json("PUT", path, "{\"v\":\"" + value + "\"}", "Entente-Context", context);
        }
        String erased = "/v1/main/records/e/" + id;
        served.json("PUT", erased, "{\"v\":1}");
        served.json("POST", erased + "/erasure", "{\"reason\":\"asked for it\"}");
        served.account("account-" + id, "reader@main");
      }
    }
  }

  @AfterEach
  void close() {
    here.close();
    there.close();
  }

  /** The paged routes, each as it is asked for its first page of one entry. */
  private static Map<String, String> pagedRoutes() {
    Map<String, String> paged = new TreeMap<>();
    JsonObject description =
        (JsonObject)
            Json.of(
                new Load(LoadSettings.builder().build()).loadFromString(OperatorRoutes.openApi()));
    ((JsonObject) description.get("paths"))
        .members()
        .forEach((path, item) -> {
          JsonObject get = ((JsonObject) item).get("get") instanceof JsonObject o ? o : null;
          if (get != null
              && get.get("parameters") instanceof JsonArray parameters
              && parameters.toString().contains("#/components/parameters/cursor")) {
            String query = path.endsWith("/subjects") ? "?naming=ann&limit=1" : "?limit=1";
            paged.put(
                path,
                path.replace("{tenant}", "main").replace("{type}", "t").replace("{id}", "x")
                    + query);
          }
        });
    return paged;
  }

  private static String cursorOf(Served served, String request) {
    Served.Answer page = served.get(request);
    assertThat(page.status()).as(page.body()).isEqualTo(200);
    assertThat(page.text("next")).as("a second page of %s: %s", request, page.body()).isNotEmpty();
    return page.text("next");
  }

  @Test
  void aCursorIsTakenByItsOwnListAndRefusedByEveryOther() {
    Map<String, String> routes = pagedRoutes();
    assertThat(routes).containsKey("/v1/{tenant}/reviews").hasSizeGreaterThan(6);
    String ofTheFeed = feedCursor(here);
    for (Map.Entry<String, String> one : routes.entrySet()) {
      String cursor = cursorOf(here, one.getValue());
      for (Map.Entry<String, String> other : routes.entrySet()) {
        Served.Answer answer = here.get(other.getValue() + "&cursor=" + cursor);
        assertThat(answer.status())
            .as("a cursor of %s at %s: %s", one.getKey(), other.getKey(), answer.body())
            .isEqualTo(one.equals(other) ? 200 : 400);
      }
      assertThat(here.get("/v1/main/changes?since=" + cursor).status()).isEqualTo(400);
      assertThat(here.get(one.getValue() + "&cursor=" + ofTheFeed).status()).isEqualTo(400);
      assertThat(here.get(one.getValue() + "&cursor=forged").status()).isEqualTo(400);
      assertThat(here.get(one.getValue() + "&cursor=" + flipped(cursor)).status()).isEqualTo(400);
    }
  }

  @Test
  void anotherNodeGoesOnWithACursorOrSaysThatItCannot() {
    pagedRoutes()
        .forEach((path, request) -> {
          Served.Answer answer = there.get(request + "&cursor=" + cursorOf(here, request));
          assertThat(answer.status())
              .as("%s: %s", path, answer.body())
              .isEqualTo(PORTABLE.contains(path) ? 200 : 410);
          if (answer.status() == 410) {
            assertThat(answer.text("detail")).contains("from its beginning");
          }
        });
  }

  @Test
  void cursorsOfARecordsHistoryAreNotThoseOfAnotherRecord() {
    String cursor = cursorOf(here, "/v1/main/records/t/x/history?limit=1");
    assertThat(here.get("/v1/main/records/t/y/history?cursor=" + cursor).status()).isEqualTo(400);
  }

  @Test
  void aCursorOfTheFormerReleaseIsRefused() {
    String former = "-lEB";
    assertThat(here.get("/v1/main/changes?since=" + former).status()).isEqualTo(400);
  }

  private static String feedCursor(Served served) {
    return served
        .get("/v1/main/changes?limit=1")
        .response()
        .headers()
        .firstValue("entente-cursor")
        .orElseThrow();
  }

  private static String flipped(String cursor) {
    char first = cursor.charAt(cursor.length() - 2);
    return cursor.substring(0, cursor.length() - 2)
        + (first == 'A' ? 'B' : 'A')
        + cursor.substring(cursor.length() - 1);
  }

  @Test
  void theFeedNeverShowsARecordAsItWasBeforeTheVersionItTellsOf() throws Exception {
    AtomicBoolean writing = new AtomicBoolean(true);
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(() -> {
          for (int i = 0; i < 400; i++) {
            byte[] body = ("{\"n\":" + i + "}").getBytes(StandardCharsets.UTF_8);
            here.send(
                "PUT",
                "/v1/main/records/count/x",
                body,
                Map.of("Content-Type", "application/json", "Idempotency-Key", "n-" + i));
          }
          writing.set(false);
        });
    Pattern line = Pattern.compile("\"data\":\\{\"n\":(\\d+)}.*?\"eventId\":\"n-(\\d+)\"");
    List<String> stale = new ArrayList<>();
    int heard = 0;
    String since = "";
    boolean last = false;
    while (!last) {
      last = !writing.get();
      Served.Answer page = here.get("/v1/main/changes?include=data&wait=1s" + since);
      for (String text : page.body().lines().toList()) {
        Matcher found = line.matcher(text);
        if (found.find()) {
          heard++;
          if (Integer.parseInt(found.group(1)) < Integer.parseInt(found.group(2))) {
            stale.add(text);
          }
        }
      }
      since = "&since=" + page.response().headers().firstValue("entente-cursor").orElseThrow();
    }
    writer.join();
    assertThat(stale).isEmpty();
    assertThat(heard).isEqualTo(400);
  }
}
