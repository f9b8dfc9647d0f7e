// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Every query parameter of every operation in the description: one of another name is refused, and
 * a value that nothing bears is refused or warned of.
 */
class QueryValuesTest {
  /** A text that is searched for, and need not be the name of something. */
  private static final Set<String> FREE_TEXT = Set.of("naming");

  private static final Map<String, String> GOOD = Map.of("number", "1", "node", "n", "at", "0");

  private final Served served = new Served();

  @AfterEach
  void close() {
    served.close();
  }

  /** An operation and its query parameters. */
  private record Operation(String method, String path, List<String> names, List<String> required) {
    String with(String name, String value) {
      StringBuilder query = new StringBuilder("?" + name + "=" + value);
      for (String other : required) {
        if (!other.equals(name)) {
          query.append('&').append(other).append('=').append(GOOD.getOrDefault(other, "x"));
        }
      }
      return path + query;
    }
  }

  private static List<Operation> operations() {
    JsonObject description = AccessTest.description();
    JsonObject shared = (JsonObject) ((JsonObject) description.get("components")).get("parameters");
    List<Operation> operations = new ArrayList<>();
    ((JsonObject) description.get("paths"))
        .members()
        .forEach((path, item) -> {
          String at =
              path.replace("{tenant}", "main")
                  .replace("{type}", "note")
                  .replace("{id}", "r")
                  .replaceAll("\\{[a-z]+}", "x");
          ((JsonObject) item)
              .members()
              .forEach((method, operation) -> {
                if (operation instanceof JsonObject described) {
                  List<JsonObject> query = query(described.get("parameters"), shared);
                  operations.add(
                      new Operation(
                          method.toUpperCase(Locale.ROOT),
                          at,
                          query.stream().map(p -> p.text("name").orElseThrow()).toList(),
                          query.stream()
                              .filter(p -> p.get("required").equals(JsonBool.TRUE))
                              .map(p -> p.text("name").orElseThrow())
                              .toList()));
                }
              });
        });
    return operations;
  }

  private static List<JsonObject> query(Json parameters, JsonObject shared) {
    List<JsonObject> query = new ArrayList<>();
    if (parameters instanceof JsonArray(List<Json> list)) {
      for (Json one : list) {
        JsonObject parameter = (JsonObject) one;
        if (parameter.get("$ref") instanceof JsonString(String ref)) {
          parameter = (JsonObject) shared.get(ref.substring(ref.lastIndexOf('/') + 1));
        }
        if (parameter.text("in").orElse("").equals("query")) {
          query.add(parameter);
        }
      }
    }
    return query;
  }

  @Test
  void unknownValuesOfParametersAreRefusedOrWarnedOf() {
    served.json("PUT", "/v1/main/records/note/r", "{\"v\":1}");
    int looked = 0;
    for (Operation operation : operations()) {
      for (String name : operation.names()) {
        if (FREE_TEXT.contains(name)) {
          continue;
        }
        String path = operation.with(name, "noet");
        Served.Answer answer = served.json(operation.method(), path, "{}");
        String warning = answer.response().headers().firstValue("entente-warning").orElse("");
        assertThat(answer.status() >= 400 || warning.contains("noet"))
            .as("%s %s: %s", operation.method(), path, answer.body())
            .isTrue();
        assertThat(answer.status()).as(path).isLessThan(500);
        looked++;
      }
    }
    assertThat(looked).isGreaterThan(50);
  }

  @Test
  void unknownParametersAreRefused() {
    for (Operation operation : operations()) {
      // Streams and what anybody may ask are the same for whoever asks.
      if (operation.path().startsWith("/v1/")) {
        String path = operation.with("lmit", "1");
        Served.Answer answer = served.json(operation.method(), path, "{}");
        assertThat(answer.status())
            .as("%s %s: %s", operation.method(), path, answer.body())
            .isBetween(400, 499);
      }
    }
  }

  @Test
  void namesThatAReviewOrEntryHasAreNotWarnedOf() {
    served.json("PUT", "/v1/main/records/note/r", "{\"v\":1}", "Entente-Author", "ann");
    for (String query :
        List.of("actor=ann", "action=write", "subject=note", "action=write&limit=1")) {
      assertThat(served.get("/v1/main/audit?" + query).response().headers().map())
          .doesNotContainKey("entente-warning");
    }
    String bulk = "{\"filter\":{\"unit\":\"noet\"},\"ignore\":true}";
    assertThat(served.json("POST", "/v1/main/reviews/decisions", bulk).body())
        .contains("\"warnings\":[\"no pending review has the unit noet");
  }
}
