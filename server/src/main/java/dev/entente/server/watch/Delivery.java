// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/**
 * One message to one webhook.
 *
 * @param attempts how often it was tried
 * @param nextMillis when it is tried next
 * @param problem why the last try failed; empty before the first
 */
public record Delivery(
    String id,
    String hook,
    String event,
    String body,
    long createdMillis,
    int attempts,
    long nextMillis,
    String problem) {

  Delivery failed(String why, long againMillis) {
    return new Delivery(id, hook, event, body, createdMillis, attempts + 1, againMillis, why);
  }

  Delivery again(long atMillis) {
    return new Delivery(id, hook, event, body, createdMillis, 0, atMillis, problem);
  }

  /** The delivery as the API shows it. */
  public JsonObject toJson() {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("event", Json.of(event));
    members.put("createdAt", Json.of(Instant.ofEpochMilli(createdMillis).toString()));
    members.put("attempts", Json.of(attempts));
    members.put("nextAt", Json.of(Instant.ofEpochMilli(nextMillis).toString()));
    members.put("problem", Json.of(problem));
    return JsonObject.of(members);
  }

  JsonObject kept() {
    return JsonObject.of(
        Map.of(
            "id", Json.of(id),
            "hook", Json.of(hook),
            "event", Json.of(event),
            "body", Json.of(body),
            "created", Json.of(createdMillis),
            "attempts", Json.of(attempts),
            "next", Json.of(nextMillis),
            "problem", Json.of(problem)));
  }

  static Delivery ofKept(Json json) {
    JsonObject o = (JsonObject) json;
    return new Delivery(
        text(o, "id"),
        text(o, "hook"),
        text(o, "event"),
        text(o, "body"),
        number(o, "created"),
        (int) number(o, "attempts"),
        number(o, "next"),
        text(o, "problem"));
  }

  private static String text(JsonObject object, String name) {
    return ((JsonString) object.get(name)).value();
  }

  private static long number(JsonObject object, String name) {
    return ((JsonNumber) object.get(name)).longValue();
  }
}
