// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import dev.entente.engine.AuditEntry;
import dev.entente.engine.Describe;
import dev.entente.engine.Erasure;
import dev.entente.engine.Logged;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import dev.entente.server.recovery.Eraser;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * What somebody may ask of the data about them: where it is, all of it, and that it be erased. See
 * docs/subjects.md.
 */
final class SubjectRoutes {
  private static final int STEP = 500;
  private static final int TEXT_MAX = 200;

  private final Node node;
  private final Authority authority;
  private final Eraser eraser;
  private final Function<Review, JsonObject> describe;

  /**
   * The routes of a node.
   *
   * @param describe a review with all that was said of it
   */
  SubjectRoutes(
      Node node, Authority authority, Eraser eraser, Function<Review, JsonObject> describe) {
    this.node = node;
    this.authority = authority;
    this.eraser = eraser;
    this.describe = describe;
  }

  void addTo(Route.Table routes) {
    routes
        .get(Permission.ADMINISTER, "/v1/{tenant}/subjects", this::search)
        .get(Permission.ADMINISTER, RecordRoutes.RECORD + "/export", this::export)
        .get(Permission.ADMINISTER, RecordRoutes.RECORD + "/erasure", this::show)
        .post(Permission.ADMINISTER, RecordRoutes.RECORD + "/erasure", this::erase)
        .get(Permission.ADMINISTER, "/v1/{tenant}/erasures", this::list);
  }

  /** A page of the records that name somebody; looks for a bounded time. */
  private Reply search(Call call) {
    String text = call.query("naming").map(String::strip).orElse("");
    if (text.isEmpty() || text.length() > TEXT_MAX) {
      throw new Problem(
          Code.INVALID, "naming is a text of 1 to " + TEXT_MAX + " characters to look for");
    }
    Cursors cursors = Cursors.of(call, "subjects");
    Place place = Place.of(cursors.name());
    List<Json> found = new ArrayList<>();
    long began = System.nanoTime();
    for (String type : node.types(call.tenant())) {
      if (type.compareTo(place.type()) < 0) {
        continue;
      }
      Optional<String> after =
          type.equals(place.type()) && !place.id().isEmpty()
              ? Optional.of(place.id())
              : Optional.empty();
      List<RecordKey> keys = node.records(call.tenant(), type, after, STEP);
      while (!keys.isEmpty()) {
        for (RecordKey key : keys) {
          place = new Place(type, key.id());
          if (names(key, text)) {
            found.add(JsonObject.of(Map.of("type", Json.of(type), "id", Json.of(key.id()))));
          }
          if (found.size() == call.limit() || System.nanoTime() - began > Limits.SEARCH_NANOS) {
            return found(found, Optional.of(cursors.next(place.text())));
          }
        }
        keys = node.records(call.tenant(), type, Optional.of(place.id()), STEP);
      }
    }
    return found(found, Optional.empty());
  }

  /** Where a search goes on: behind a record, by type and id. */
  private record Place(String type, String id) {
    static Place of(Optional<String> text) {
      String[] parts = text.orElse("\n").split("\n", 2);
      return new Place(parts[0], parts.length > 1 ? parts[1] : "");
    }

    String text() {
      return type + "\n" + id;
    }
  }

  private static Reply found(List<Json> found, Optional<String> next) {
    Map<String, Json> members = new TreeMap<>();
    members.put("records", new JsonArray(found));
    next.ifPresent(cursor -> members.put("next", Json.of(cursor)));
    return Reply.json(200, JsonObject.of(members));
  }

  /** Whether a record's id, or a text that it holds or that competes in it, has a text in it. */
  private boolean names(RecordKey key, String text) {
    if (key.id().contains(text)) {
      return true;
    }
    View view = node.read(key).view();
    return holds(view.data(), text)
        || view.resolutions().stream()
            .map(Resolution::conflict)
            .flatMap(conflict -> conflict.competing().stream())
            .anyMatch(competing -> holds(competing.value(), text));
  }

  private static boolean holds(Json value, String text) {
    return switch (value) {
      case JsonString(String held) -> held.contains(text);
      case JsonArray array -> array.items().stream().anyMatch(item -> holds(item, text));
      case JsonObject object ->
          object.members().keys().stream()
              .anyMatch(name -> name.contains(text) || holds(object.get(name), text));
      default -> false;
    };
  }

  /** All that this node keeps of a record, a line for each thing. */
  private Reply export(Call call) {
    RecordKey key = call.key();
    Snapshot now = node.read(key);
    if (now.state().isEmpty()) {
      throw new Problem(
          Code.NOT_FOUND, "there is no record " + key.type() + "/" + key.id() + " to export");
    }
    JsonObject by = JsonObject.of("by", Json.of(call.caller().name()));
    Writes.await(() -> node.account("export", key.toString(), by));
    return Reply.stream("application/x-ndjson", out -> export(now, out))
        .with("Content-Disposition", "attachment");
  }

  private void export(Snapshot now, OutputStream out) throws IOException {
    RecordKey key = now.key();
    line(out, "record", Describe.read(now, node.contentions(now)));
    long position = Long.MAX_VALUE;
    List<Logged> page = node.history(key, position, STEP);
    while (!page.isEmpty()) {
      for (Logged logged : page) {
        line(out, "version", RecordRoutes.version(logged.version()));
      }
      position = page.getLast().previous();
      page = position == 0 ? List.of() : node.history(key, position, STEP);
    }
    for (Review review : node.reviewsOf(key)) {
      line(out, "review", describe.apply(review));
    }
    Predicate<AuditEntry> mine =
        entry -> entry.tenant().equals(key.tenant()) && entry.subject().equals(key.toString());
    List<AuditEntry> entries = node.audit(mine, Long.MAX_VALUE, STEP);
    while (!entries.isEmpty()) {
      for (AuditEntry entry : entries) {
        line(out, "audit", OperatorRoutes.entry(entry));
      }
      entries = node.audit(mine, entries.getLast().sequence(), STEP);
    }
  }

  private static void line(OutputStream out, String kind, Json what) throws IOException {
    String line = JsonPrinter.print(JsonObject.of(kind, what)) + "\n";
    out.write(line.getBytes(StandardCharsets.UTF_8));
  }

  private Reply erase(Call call) {
    RecordKey key = call.key();
    JsonObject body = call.jsonObject();
    Call.only(body, "an erasure", Set.of("reason"));
    String reason =
        Call.text(body, "reason")
            .filter(why -> !why.isBlank())
            .orElseThrow(() ->
                new Problem(
                    Code.INVALID, "\"reason\" says why; it is kept, so do not name the person"));
    for (WriteRequest request :
        node.erasures().requests(key, call.acting(Permission.ADMINISTER), reason)) {
      WriteRequest fenced = request.key().equals(key) ? Writes.fenced(call, request) : request;
      if (Writes.await(() -> authority.write(fenced)) instanceof Outcome.Rejected rejected) {
        throw Writes.problem(rejected);
      }
    }
    Thread.ofVirtual().name("entente-erases").start(eraser::turn);
    return Reply.json(202, erasure(key));
  }

  private Reply show(Call call) {
    return Reply.json(200, erasure(call.key()));
  }

  private Json erasure(RecordKey key) {
    return eraser
        .of(key)
        .map(this::erasure)
        .orElseThrow(() ->
            new Problem(
                Code.NOT_FOUND, "nothing of " + key.type() + "/" + key.id() + " was erased"));
  }

  private Json erasure(Erasure erasure) {
    Map<String, Json> members = new TreeMap<>();
    members.put("type", Json.of(erasure.key().type()));
    members.put("id", Json.of(erasure.key().id()));
    members.put("at", Json.of(erasure.at().toString()));
    members.put("by", Json.of(erasure.by()));
    members.put("reason", Json.of(erasure.reason()));
    members.put("stage", Json.of(erasure.stage().label()));
    members.put(
        "waitingFor",
        Json.of(eraser.waitsFor(erasure).stream().map(member -> Json.of(member.value())).toList()));
    return JsonObject.of(members);
  }

  private Reply list(Call call) {
    Cursors cursors = Cursors.of(call, "erasures");
    Optional<RecordKey> after =
        cursors
            .name()
            .map(name -> Place.of(Optional.of(name)))
            .map(place -> new RecordKey(call.tenant(), place.type(), place.id()));
    List<Erasure> found = eraser.of(call.tenant(), after, call.limit());
    Map<String, Json> members = new TreeMap<>();
    members.put("erasures", Json.of(found.stream().map(this::erasure).toList()));
    if (found.size() == call.limit()) {
      RecordKey last = found.getLast().key();
      members.put("next", Json.of(cursors.next(new Place(last.type(), last.id()).text())));
    }
    return Reply.json(200, JsonObject.of(members));
  }
}
