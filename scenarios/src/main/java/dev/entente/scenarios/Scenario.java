// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * A story of concurrent writes: its policies, its events in the order of arrival, and what must
 * come of them. It is a case of a policy pack, or a folder of data: {@code policy*.yaml}, {@code
 * events.yaml}, {@code expected.yaml}.
 */
public record Scenario(
    String name,
    String title,
    String story,
    List<String> policies,
    List<JsonObject> events,
    JsonObject expected) {
  public Scenario {
    policies = List.copyOf(policies);
    events = List.copyOf(events);
  }

  /** All scenarios, in the order of the index. */
  public static List<Scenario> all() {
    List<Scenario> scenarios = new ArrayList<>();
    for (Json name : items(yaml("/scenarios/index.yaml"))) {
      scenarios.add(load(text(name)));
    }
    return scenarios;
  }

  static Scenario load(String name) {
    int slash = name.indexOf('/');
    if (slash < 0) {
      String folder = "/scenarios/" + name + "/";
      return of(name, folder, (JsonObject) yaml(folder + "events.yaml"))
          .expecting((JsonObject) yaml(folder + "expected.yaml"));
    }
    String pack = "/packs/" + name.substring(0, slash) + "/";
    JsonObject file = (JsonObject) yaml(pack + "cases" + name.substring(slash) + ".yaml");
    return of(name, pack, file).expecting((JsonObject) file.get("expected"));
  }

  private static Scenario of(String name, String folder, JsonObject file) {
    List<String> policies = new ArrayList<>();
    for (Json policy : items(file.get("policies"))) {
      policies.add(resource(folder + text(policy)));
    }
    List<JsonObject> events = new ArrayList<>();
    for (Json event : items(file.get("events"))) {
      events.add((JsonObject) event);
    }
    return new Scenario(
        name, text(file.get("title")), text(file.get("story")), policies, events, JsonObject.EMPTY);
  }

  private Scenario expecting(JsonObject end) {
    return new Scenario(name, title, story, policies, events, end);
  }

  private static List<Json> items(Json json) {
    return json instanceof JsonArray array ? array.items() : List.of();
  }

  static String text(Json json) {
    return json instanceof JsonString(String text) ? text : "";
  }

  static Json yaml(String path) {
    return Json.of(
        new Load(LoadSettings.builder().setLabel(path).build()).loadFromString(resource(path)));
  }

  private static String resource(String path) {
    try (InputStream in = Scenario.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException(
            "the scenario file " + path + " is missing from the program");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
