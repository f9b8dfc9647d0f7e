// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A conflict that waits for a person, or did. Times are milliseconds since 1970.
 *
 * @param conflict the conflict as it was when it was last looked at: type, severity, explanation,
 *     competing values
 * @param decision what was decided, absent while it is pending
 * @param progress how far the policy's own steps have come
 */
public record Review(
    String id,
    RecordKey key,
    String unit,
    Status status,
    long createdAtMillis,
    long dueAtMillis,
    long escalateAtMillis,
    Optional<String> owner,
    Json conflict,
    Optional<String> decidedBy,
    long decidedAtMillis,
    String reason,
    Json decision,
    Progress progress) {

  /** Where a review stands. */
  public enum Status {
    PENDING,
    RESOLVED,
    IGNORED;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Review withOwner(String name) {
    return new Review(
        id,
        key,
        unit,
        status,
        createdAtMillis,
        dueAtMillis,
        escalateAtMillis,
        Optional.of(name),
        conflict,
        decidedBy,
        decidedAtMillis,
        reason,
        decision,
        progress);
  }

  Review describing(Json now) {
    return new Review(
        id,
        key,
        unit,
        status,
        createdAtMillis,
        dueAtMillis,
        escalateAtMillis,
        owner,
        now,
        decidedBy,
        decidedAtMillis,
        reason,
        decision,
        progress);
  }

  /** True where it is about what records hold together, not about one record. */
  boolean isContention() {
    return conflict instanceof JsonObject object && !object.get("limit").isAbsent();
  }

  /** True where it is about a version that contradicts causality. */
  boolean isViolation() {
    return conflict instanceof JsonObject object && !object.get("violation").isAbsent();
  }

  Review with(Progress now) {
    return new Review(
        id,
        key,
        unit,
        status,
        createdAtMillis,
        dueAtMillis,
        escalateAtMillis,
        owner,
        conflict,
        decidedBy,
        decidedAtMillis,
        reason,
        decision,
        now);
  }

  public Review closed(Status as, String by, long atMillis, String why, Json what) {
    return new Review(
        id,
        key,
        unit,
        as,
        createdAtMillis,
        dueAtMillis,
        escalateAtMillis,
        owner,
        conflict,
        Optional.of(by),
        atMillis,
        why,
        what,
        progress);
  }

  Json toJson() {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("tenant", Json.of(key.tenant()));
    members.put("type", Json.of(key.type()));
    members.put("recordId", Json.of(key.id()));
    members.put("unit", Json.of(unit));
    members.put("status", Json.of(status.label()));
    members.put("createdAt", Json.of(createdAtMillis));
    members.put("dueAt", Json.of(dueAtMillis));
    members.put("escalateAt", Json.of(escalateAtMillis));
    owner.ifPresent(name -> members.put("owner", Json.of(name)));
    members.put("conflict", conflict);
    decidedBy.ifPresent(name -> members.put("decidedBy", Json.of(name)));
    members.put("decidedAt", Json.of(decidedAtMillis));
    members.put("reason", Json.of(reason));
    if (!decision.isAbsent()) {
      members.put("decision", decision);
    }
    if (!progress.equals(Progress.NONE)) {
      members.put("progress", progress.toJson());
    }
    return JsonObject.of(members);
  }

  static Review fromJson(Json json) {
    JsonObject o = (JsonObject) json;
    return new Review(
        text(o, "id"),
        new RecordKey(text(o, "tenant"), text(o, "type"), text(o, "recordId")),
        text(o, "unit"),
        Status.valueOf(text(o, "status").toUpperCase(Locale.ROOT)),
        number(o, "createdAt"),
        number(o, "dueAt"),
        number(o, "escalateAt"),
        optional(o, "owner"),
        o.get("conflict"),
        optional(o, "decidedBy"),
        number(o, "decidedAt"),
        text(o, "reason"),
        o.get("decision").isAbsent() ? JsonAbsent.ABSENT : o.get("decision"),
        Progress.fromJson(o.get("progress")));
  }

  private static String text(JsonObject object, String name) {
    return ((JsonString) object.get(name)).value();
  }

  private static Optional<String> optional(JsonObject object, String name) {
    return object.get(name) instanceof JsonString(String text)
        ? Optional.of(text)
        : Optional.empty();
  }

  private static long number(JsonObject object, String name) {
    return ((JsonNumber) object.get(name)).longValue();
  }
}
