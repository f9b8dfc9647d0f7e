// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What people say of a review: who has it, notes, and approvals where two persons must agree. It is
 * a record of the {@link Registry}, so it travels, and what is said on two nodes at once is kept.
 *
 * @param tenant whose review it is
 * @param notes the oldest first
 */
public record ReviewSheet(
    String tenant, Optional<String> owner, List<Note> notes, List<Approval> approvals) {
  static final String TYPE = "review";
  static final ReviewSheet EMPTY = new ReviewSheet("", Optional.empty(), List.of(), List.of());

  public ReviewSheet {
    notes = List.copyOf(notes);
    approvals = List.copyOf(approvals);
  }

  /** Something that somebody said. {@code atMillis} is since 1970. */
  public record Note(String by, long atMillis, String text) {
    Json toJson() {
      return JsonObject.of(
          Map.of("by", Json.of(by), "at", Json.of(atMillis), "text", Json.of(text)));
    }
  }

  /**
   * What the first of two persons decided.
   *
   * @param what the decision, as it would be kept with the closed review
   */
  public record Approval(String by, long atMillis, Json what, String reason) {
    Json toJson() {
      return JsonObject.of(
          Map.of(
              "by", Json.of(by),
              "at", Json.of(atMillis),
              "what", what,
              "reason", Json.of(reason)));
    }
  }

  static RecordKey key(String reviewId) {
    return new RecordKey(Registry.TENANT, TYPE, reviewId);
  }

  static boolean isOne(RecordKey key) {
    return key.tenant().equals(Registry.TENANT) && key.type().equals(TYPE);
  }

  static ReviewSheet of(Snapshot record) {
    if (!(record.view().data() instanceof JsonObject data)) {
      return EMPTY;
    }
    List<Note> notes = new ArrayList<>();
    for (JsonObject note : objects(data.get("notes"))) {
      notes.add(
          new Note(note.text("by").orElse(""), number(note, "at"), note.text("text").orElse("")));
    }
    notes.sort(Comparator.comparingLong(Note::atMillis).thenComparing(Note::by));
    return new ReviewSheet(
        data.text("tenant").orElse(""),
        data.text("owner").filter(owner -> !owner.isEmpty()),
        notes,
        approvals(data.get("approvals")));
  }

  static List<Approval> approvals(Json json) {
    List<Approval> approvals = new ArrayList<>();
    for (JsonObject each : objects(json)) {
      approvals.add(
          new Approval(
              each.text("by").orElse(""),
              number(each, "at"),
              each.get("what"),
              each.text("reason").orElse("")));
    }
    approvals.sort(Comparator.comparingLong(Approval::atMillis).thenComparing(Approval::by));
    return approvals;
  }

  private static List<JsonObject> objects(Json json) {
    List<JsonObject> objects = new ArrayList<>();
    if (json instanceof JsonArray(var items)) {
      for (Json item : items) {
        if (item instanceof JsonObject object) {
          objects.add(object);
        }
      }
    }
    return objects;
  }

  private static long number(JsonObject object, String name) {
    return object.get(name) instanceof JsonNumber number ? number.longValue() : 0;
  }
}
