// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Who has a review, and how far people have come with it: what its {@link ReviewSheet} says, as far
 * as a list of reviews needs it.
 *
 * @param level how many times it was escalated
 * @param escalatedTo who it was escalated to last
 * @param notes how many there are
 * @param approvals of those who decided first where two persons must agree
 * @param formerly the ids it went by before further values joined, the latest first
 */
public record Handling(
    Optional<String> owner,
    int level,
    Optional<String> escalatedTo,
    int notes,
    List<ReviewSheet.Approval> approvals,
    List<String> formerly) {
  static final Handling NONE =
      new Handling(Optional.empty(), 0, Optional.empty(), 0, List.of(), List.of());

  private static final int FORMERLY_MAX = 10;

  public Handling {
    approvals = List.copyOf(approvals);
    formerly = List.copyOf(formerly);
  }

  /** What goes on where another value joins: approvals were given for less. */
  Handling goingOn(String id) {
    List<String> ids = new ArrayList<>(List.of(id));
    ids.addAll(formerly);
    return new Handling(
        owner,
        level,
        escalatedTo,
        notes,
        List.of(),
        ids.subList(0, Math.min(ids.size(), FORMERLY_MAX)));
  }

  Handling with(ReviewSheet sheet) {
    return new Handling(
        sheet.owner(), level, escalatedTo, sheet.notes().size(), sheet.approvals(), formerly);
  }

  Handling escalated(int to, Optional<String> whom) {
    return new Handling(owner, to, whom, notes, approvals, formerly);
  }

  /** Whether a review is somebody's: they took it, or it was escalated to them. */
  public boolean isWith(String person) {
    return owner.filter(person::equals).isPresent()
        || escalatedTo.filter(person::equals).isPresent();
  }

  Json toJson() {
    Map<String, Json> members = new TreeMap<>();
    owner.ifPresent(name -> members.put("owner", Json.of(name)));
    members.put("level", Json.of(level));
    escalatedTo.ifPresent(name -> members.put("escalatedTo", Json.of(name)));
    members.put("notes", Json.of(notes));
    members.put(
        "approvals", Json.of(approvals.stream().map(ReviewSheet.Approval::toJson).toList()));
    members.put("formerly", Json.of(formerly.stream().map(Json::of).toList()));
    return JsonObject.of(members);
  }

  /** Reads it from a review; older ones name their owner themselves. */
  static Handling fromJson(JsonObject review) {
    if (!(review.get("handling") instanceof JsonObject handling)) {
      return new Handling(review.text("owner"), 0, Optional.empty(), 0, List.of(), List.of());
    }
    List<String> formerly = new ArrayList<>();
    if (handling.get("formerly") instanceof JsonArray(var ids)) {
      ids.forEach(id -> formerly.add(((JsonString) id).value()));
    }
    return new Handling(
        handling.text("owner"),
        number(handling, "level"),
        handling.text("escalatedTo"),
        number(handling, "notes"),
        ReviewSheet.approvals(handling.get("approvals")),
        formerly);
  }

  private static int number(JsonObject object, String name) {
    return object.get(name) instanceof JsonNumber number ? (int) number.longValue() : 0;
  }
}
