// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.ReviewTerms;
import dev.entente.core.record.RecordKey;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A conflict that waits for a person, or did.
 *
 * @param handling who has it, and how far people have come
 * @param conflict the conflict as it was when it was last looked at: type, severity, explanation,
 *     competing values
 * @param progress how far the policy's own steps have come
 */
public record Review(
    String id,
    RecordKey key,
    String unit,
    Times times,
    Handling handling,
    Json conflict,
    Closing closing,
    Progress progress) {

  /** When it began, is due and is escalated, in milliseconds since 1970. */
  public record Times(long createdAtMillis, long dueAtMillis, long escalateAtMillis) {
    static Times from(long createdAtMillis, ReviewTerms terms) {
      return new Times(
          createdAtMillis,
          createdAtMillis + terms.sla().toMillis(),
          createdAtMillis + terms.escalateAfter().toMillis());
    }
  }

  /**
   * How it ended, if it did.
   *
   * @param decision what was decided; absent while it is pending
   */
  public record Closing(
      Status status, Optional<String> by, long atMillis, String reason, Json decision) {
    static final Closing OPEN =
        new Closing(Status.PENDING, Optional.empty(), 0, "", JsonAbsent.ABSENT);
  }

  /** Where a review stands. */
  public enum Status {
    PENDING,
    RESOLVED,
    IGNORED;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Status status() {
    return closing.status();
  }

  public long createdAtMillis() {
    return times.createdAtMillis();
  }

  public Optional<String> owner() {
    return handling.owner();
  }

  Review with(Handling now) {
    return new Review(id, key, unit, times, now, conflict, closing, progress);
  }

  Review describing(Json now) {
    return new Review(id, key, unit, times, handling, now, closing, progress);
  }

  /** The same, come further. */
  public Review with(Progress now) {
    return new Review(id, key, unit, times, handling, conflict, closing, now);
  }

  Review closed(Status as, String by, long atMillis, String why, Json what) {
    Closing end = new Closing(as, Optional.of(by), atMillis, why, what);
    return new Review(id, key, unit, times, handling, conflict, end, progress);
  }

  /** The same, waiting again from now on. */
  Review opened(Times from, Progress now) {
    Times again = new Times(times.createdAtMillis(), from.dueAtMillis(), from.escalateAtMillis());
    return new Review(id, key, unit, again, handling, conflict, Closing.OPEN, now);
  }

  /** True where it is about what records hold together, not about one record. */
  boolean isContention() {
    return conflict instanceof JsonObject object && !object.get("limit").isAbsent();
  }

  /** True where somebody asks for what they wrote and is not there any more. */
  boolean isAppeal() {
    return conflict instanceof JsonObject object && !object.get("appeal").isAbsent();
  }

  /** True where it is about a version that contradicts causality. */
  boolean isViolation() {
    return conflict instanceof JsonObject object && !object.get("violation").isAbsent();
  }

  /** The review as it is stored, and told to other nodes. */
  public Json toJson() {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("tenant", Json.of(key.tenant()));
    members.put("type", Json.of(key.type()));
    members.put("recordId", Json.of(key.id()));
    members.put("unit", Json.of(unit));
    members.put("status", Json.of(closing.status().label()));
    members.put("createdAt", Json.of(times.createdAtMillis()));
    members.put("dueAt", Json.of(times.dueAtMillis()));
    members.put("escalateAt", Json.of(times.escalateAtMillis()));
    if (!handling.equals(Handling.NONE)) {
      members.put("handling", handling.toJson());
    }
    members.put("conflict", conflict);
    closing.by().ifPresent(name -> members.put("decidedBy", Json.of(name)));
    members.put("decidedAt", Json.of(closing.atMillis()));
    members.put("reason", Json.of(closing.reason()));
    if (!closing.decision().isAbsent()) {
      members.put("decision", closing.decision());
    }
    if (!progress.equals(Progress.NONE)) {
      members.put("progress", progress.toJson());
    }
    return JsonObject.of(members);
  }

  /** Reads what {@link #toJson} gave. */
  public static Review fromJson(Json json) {
    JsonObject o = (JsonObject) json;
    return new Review(
        text(o, "id"),
        new RecordKey(text(o, "tenant"), text(o, "type"), text(o, "recordId")),
        text(o, "unit"),
        new Times(number(o, "createdAt"), number(o, "dueAt"), number(o, "escalateAt")),
        Handling.fromJson(o),
        o.get("conflict"),
        new Closing(
            Status.valueOf(text(o, "status").toUpperCase(Locale.ROOT)),
            o.text("decidedBy"),
            number(o, "decidedAt"),
            text(o, "reason"),
            o.get("decision")),
        Progress.fromJson(o.get("progress")));
  }

  private static String text(JsonObject object, String name) {
    return ((JsonString) object.get(name)).value();
  }

  private static long number(JsonObject object, String name) {
    return ((JsonNumber) object.get(name)).longValue();
  }
}
