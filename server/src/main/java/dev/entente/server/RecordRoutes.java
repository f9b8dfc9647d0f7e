// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Repetitions;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import dev.entente.engine.ContextToken;
import dev.entente.engine.Counters;
import dev.entente.engine.Describe;
import dev.entente.engine.Fate;
import dev.entente.engine.Logged;
import dev.entente.engine.Node;
import dev.entente.engine.Review;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Reading, writing and looking back at records. */
final class RecordRoutes {
  /** How many repetitions an explanation names; the history tells all. */
  private static final int REPETITIONS_TOLD = 100;

  static final String RECORD = "/v1/{tenant}/records/{type}/{id}";

  /** How many positions one request may ask for. */
  private static final int POSITIONS_MAX = 100;

  private final Node node;
  private final NodeNames names;
  private final Authority authority;

  RecordRoutes(Node node, Authority authority, NodeNames names) {
    this.node = node;
    this.names = names;
    this.authority = authority;
  }

  void addTo(Route.Table routes) {
    routes
        .some(Permission.READ, "GET", "/v1/{tenant}/records", this::types)
        .get(Permission.READ, "/v1/{tenant}/records/{type}", this::list)
        .get(Permission.READ, RECORD, this::read)
        .put(Permission.WRITE, RECORD, this::put)
        .patch(Permission.WRITE, RECORD, this::patch)
        .delete(Permission.WRITE, RECORD, this::delete)
        .get(Permission.READ, RECORD + "/history", this::history)
        .get(Permission.READ, RECORD + "/positions", this::positions)
        .post(Permission.WRITE, RECORD + "/rollback", this::rollback)
        .get(Permission.READ, RECORD + "/fate", this::fate)
        .post(Permission.READ, RECORD + "/appeals", this::appeal);
  }

  private Reply types(Call call) {
    List<Json> types = new ArrayList<>();
    for (String type : node.types(call.tenant())) {
      if (call.may(Permission.READ, type)) {
        types.add(Json.of(type));
      }
    }
    return Reply.json(200, JsonObject.of("types", new JsonArray(types)));
  }

  /** The records of a type by id, with those that were deleted. */
  private Reply list(Call call) {
    Cursors cursors = Cursors.of(call, "records");
    Optional<String> after = cursors.name();
    List<RecordKey> keys = node.records(call.tenant(), call.name("type"), after, call.limit());
    List<Json> records = new ArrayList<>();
    for (RecordKey key : keys) {
      View view = node.read(key).view();
      records.add(
          Json.of(
              Map.of(
                  "id", Json.of(key.id()),
                  "deleted", Json.of(!view.exists()),
                  "pending",
                      Json.of(view.resolutions().stream().anyMatch(Resolution::isPending)))));
    }
    Map<String, Json> members = new TreeMap<>();
    members.put("records", new JsonArray(records));
    if (keys.size() == call.limit()) {
      members.put("next", Json.of(cursors.next(keys.getLast().id())));
    }
    return Reply.json(200, JsonObject.of(members));
  }

  /** The record as it is, as it was at a time, or as it was once a version had been accepted. */
  private Snapshot then(Call call) {
    RecordKey key = call.key();
    if (call.query("number").isPresent() || call.query("node").isPresent()) {
      if (call.query("at").isPresent()) {
        throw new Problem(Code.INVALID, "send a version's node and number, or at, not both");
      }
      return node.readAt(key, version(key, named(key, call)).acceptedAt());
    }
    return call.query("at")
        .map(at -> node.readAt(key, instant(at)))
        .orElseGet(() -> node.read(key));
  }

  private Reply read(Call call) {
    RecordKey key = call.key();
    Snapshot snapshot = then(call);
    // However it came to be deleted; what still waits for a decision is shown.
    if (!snapshot.view().exists()
        && snapshot.view().resolutions().stream().noneMatch(Resolution::isPending)) {
      throw new Problem(
          Code.NOT_FOUND,
          "there is no record "
              + key.type()
              + "/"
              + key.id()
              + (snapshot.state().isEmpty() ? "" : " (it was deleted; its history is kept)"));
    }
    String etag = '"' + snapshot.token() + '"';
    if (call.header("if-none-match").filter(etag::equals).isPresent()) {
      return new Reply(304, Map.of("ETag", etag), new byte[0], Optional.empty());
    }
    JsonObject body = Describe.read(snapshot, node.contentions(snapshot));
    if (call.flag("siblings")) {
      body = body.with("siblings", siblings(snapshot));
    }
    if (call.flag("explain")) {
      body = body.with("explain", explain(snapshot));
      JsonObject rights =
          Counters.rights(snapshot.state(), node.policy(call.tenant(), snapshot.key().type()));
      body = rights.isEmpty() ? body : body.with("rights", rights);
    }
    return Reply.json(200, body).with("ETag", etag);
  }

  /** Where places in a text or list are now: cursors and marks of someone who read it earlier. */
  private Reply positions(Call call) {
    RecordKey key = call.key();
    String unit = required(call, "unit");
    String token = required(call, "context");
    String[] places = required(call, "at").split(",", POSITIONS_MAX + 1);
    if (places.length > POSITIONS_MAX) {
      throw new Problem(Code.TOO_LARGE, "more than " + POSITIONS_MAX + " positions");
    }
    int[] at = new int[places.length];
    for (int i = 0; i < at.length; i++) {
      if (!places[i].matches("[0-9]{1,9}")) {
        throw new Problem(Code.INVALID, "\"at\" lists positions such as 0,12,40");
      }
      at[i] = Integer.parseInt(places[i]);
    }
    int[] now =
        node.positions(
                key,
                Path.parse(unit),
                Writes.context(key, token),
                at,
                call.query("stick").filter("next"::equals).isPresent())
            .orElseThrow(() ->
                new Problem(
                    Code.INVALID, unit + " is not declared as a text or list of " + key.type()));
    return Reply.json(
        200, JsonObject.of("positions", Json.of(java.util.Arrays.stream(now).boxed().toList())));
  }

  private static String required(Call call, String name) {
    return call.query(name)
        .orElseThrow(() -> new Problem(Code.INVALID, "the parameter \"" + name + "\" is missing"));
  }

  static Instant instant(String text) {
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeException e) {
      throw new Problem(Code.INVALID, "a time is written as 2026-11-22T10:00:00Z, not " + text);
    }
  }

  private static Json siblings(Snapshot snapshot) {
    Map<String, Json> units = new TreeMap<>();
    snapshot
        .view()
        .resolutions()
        .forEach(resolution ->
            units.put(
                resolution.conflict().label(),
                Json.of(
                    resolution.conflict().competing().stream()
                        .map(a -> Describe.orNull(a.value()))
                        .toList())));
    return JsonObject.of(units);
  }

  private static Json explain(Snapshot snapshot) {
    Map<String, Json> members = new TreeMap<>();
    members.put(
        "policy",
        Json.of(
            snapshot.policyVersion().isEmpty()
                ? "built-in: every conflict goes to review"
                : snapshot.policyVersion()));
    members.put("heads", Json.of(snapshot.view().heads()));
    members.put(
        "sentences",
        Json.of(
            snapshot.view().resolutions().stream().map(r -> Json.of(r.explanation())).toList()));
    List<Json> repeated = new ArrayList<>();
    Repetitions repetitions = snapshot.state().repetitions();
    for (Dot repetition : repetitions.earlier().keys()) {
      if (repeated.size() < REPETITIONS_TOLD) {
        repeated.add(
            Json.of(
                repetition
                    + " repeats the request of "
                    + repetitions.first(repetition)
                    + " and has no effect"));
      }
    }
    if (!repeated.isEmpty()) {
      members.put("repetitions", new JsonArray(repeated));
    }
    return JsonObject.of(members);
  }

  private Reply put(Call call) {
    RecordKey key = call.key();
    JsonObject document = call.jsonObject();
    Call.document(document);
    return write(call, key, new Edit.Put(document));
  }

  private Reply patch(Call call) {
    RecordKey key = call.key();
    String type = call.mediaType();
    Json body =
        call.json(
            "application/merge-patch+json",
            "application/json-patch+json",
            "application/vnd.entente.ops+json");
    Call.document(body);
    Edit edit =
        switch (type) {
          case "application/json-patch+json" -> {
            if (!(body instanceof JsonArray array)) {
              throw new Problem(Code.INVALID, "a JSON patch is an array of operations");
            }
            yield new Edit.JsonPatch(array.items());
          }
          case "application/vnd.entente.ops+json" -> names.resolved(Writes.operations(body));
          case "application/merge-patch+json" -> {
            if (!(body instanceof JsonObject)) {
              throw new Problem(Code.INVALID, "a merge patch of a record is an object");
            }
            yield new Edit.MergePatch(body);
          }
          default ->
              throw new Problem(
                  Code.UNSUPPORTED_MEDIA_TYPE,
                  "PATCH needs a Content-Type: application/merge-patch+json,"
                      + " application/json-patch+json or application/vnd.entente.ops+json");
        };
    return write(call, key, edit);
  }

  private Reply delete(Call call) {
    return write(call, call.key(), new Edit.Delete());
  }

  private Reply write(Call call, RecordKey key, Edit edit) {
    return write(
        call,
        new WriteRequest(
            key,
            edit,
            seen(call, key),
            call.acting(Permission.WRITE),
            Optional.empty(),
            Optional.empty(),
            WriteRequest.Sender.NONE,
            Optional.empty(),
            Optional.empty(),
            call.textHeader("entente-reason").map(Writes::bounded).orElse("")));
  }

  /** Writes once under the key that the caller gave, and under the lock that they name. */
  private Reply write(Call call, WriteRequest request) {
    Optional<String> id =
        call.header("idempotency-key")
            .map(key -> "i" + Call.checkedName("Idempotency-Key", Writes.bounded(key)));
    WriteRequest whole =
        Writes.fenced(call, request.identified(id, WriteRequest.Sender.of(call.caller().name())));
    return Writes.reply(request.key(), Writes.await(() -> authority.write(whole)));
  }

  private static Seen seen(Call call, RecordKey key) {
    Optional<String> match = call.header("if-match");
    Optional<String> context = call.header("entente-context");
    if (match.isPresent() && context.isPresent()) {
      throw new Problem(
          Code.INVALID, "send If-Match (conditional) or Entente-Context (merge), not both");
    }
    return Writes.seen(key, match, call.header("if-none-match"), context);
  }

  private Reply history(Call call) {
    RecordKey key = call.key();
    int limit = call.limit();
    Cursors cursors = Cursors.of(call, "history", node.id());
    long before = cursors.position().orElse(Long.MAX_VALUE);
    List<Logged> versions;
    try {
      versions = node.history(key, before, limit);
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.MALFORMED, "the cursor is not one that was given out for this record");
    }
    if (versions.isEmpty() && before == Long.MAX_VALUE) {
      throw new Problem(Code.NOT_FOUND, "there is no record " + key.type() + "/" + key.id());
    }
    Map<String, Json> members = new TreeMap<>();
    List<Json> described = new ArrayList<>();
    Repetitions repetitions = node.read(key).state().repetitions();
    for (int i = 0; i < versions.size(); i++) {
      Version version = versions.get(i).version();
      JsonObject one = version(version).with("parents", parents(versions, i));
      described.add(
          repetitions.contains(version.dot())
              ? one.with("repeats", dot(repetitions.first(version.dot())))
              : one);
    }
    members.put("versions", new JsonArray(described));
    if (versions.size() == limit && versions.getLast().previous() > 0) {
      members.put("next", Json.of(cursors.next(versions.getLast().previous())));
    }
    node.keptSince(key).ifPresent(since -> members.put("keptSince", Json.of(since.toString())));
    return Reply.json(200, JsonObject.of(members));
  }

  /**
   * The versions of a page that one was written right after: those it had seen that no other it had
   * seen has seen. A log holds causes before effects, so what covers a version comes after it.
   */
  private static Json parents(List<Logged> newestFirst, int of) {
    List<Version> parents = new ArrayList<>();
    CausalContext seen = newestFirst.get(of).version().context();
    for (Logged older : newestFirst.subList(of + 1, newestFirst.size())) {
      Dot dot = older.version().dot();
      if (seen.contains(dot)
          && parents.stream().noneMatch(parent -> parent.context().contains(dot))) {
        parents.add(older.version());
      }
    }
    return Json.of(parents.stream().map(parent -> dot(parent.dot())).toList());
  }

  private static Json dot(Dot dot) {
    return Json.of(Map.of("node", Json.of(dot.node().value()), "number", Json.of(dot.number())));
  }

  static JsonObject version(Version version) {
    Map<String, Json> members = new TreeMap<>();
    VersionVector after = version.context().vector().with(version.dot());
    members.put("node", Json.of(version.dot().node().value()));
    members.put("number", Json.of(version.dot().number()));
    members.put("context", Json.of(ContextToken.of(version.key(), after)));
    members.put("basedOn", Json.of(ContextToken.of(version.key(), version.context().ceiling())));
    members.put("author", Json.of(version.author()));
    members.put("acceptedAt", Describe.time(version.acceptedAt()));
    members.put("time", Describe.time(version.time()));
    version.device().ifPresent(device -> members.put("device", Json.of(device)));
    version.eventId().ifPresent(id -> members.put("eventId", Json.of(id)));
    if (!version.note().isEmpty()) {
      members.put("reason", Json.of(version.note()));
    }
    List<Json> changes = new ArrayList<>();
    version.changes().forEach(change -> changes.add(change(change)));
    members.put("changes", Json.of(changes));
    return JsonObject.of(members);
  }

  private static Json change(Change change) {
    Map<String, Json> members = new TreeMap<>();
    members.put("unit", Json.of(change.unit().label()));
    switch (change) {
      case Change.Assign assign -> {
        members.put(
            assign.value().isAbsent() ? "removed" : "set",
            assign.value().isAbsent() ? Json.of(true) : assign.value());
        if (!assign.ancestors().isEmpty()) {
          members.put("replaced", Describe.orNull(assign.ancestors().getFirst().value()));
        }
      }
      case Change.Clear _ -> members.put("erased", Json.of(true));
      case Change.Remove _ -> members.put("removed", Json.of(true));
      case Change.Restore _ -> members.put("restored", Json.of(true));
      case Change.Count count -> members.put("increment", Json.of(count.difference()));
      case Change.Give give -> {
        members.put("give", Json.of(give.amount()));
        members.put("to", Json.of(give.to().value()));
      }
      case Change.EditSequence edit ->
          members.put(
              "splice",
              Json.of(
                  edit.splices().stream()
                      .map(splice ->
                          Json.of(List.of(splice.position(), splice.deleted(), splice.inserted())))
                      .toList()));
      case Change.EditSet edit -> {
        members.put("add", new JsonArray(edit.add()));
        members.put("remove", new JsonArray(edit.remove()));
      }
    }
    return JsonObject.of(members);
  }

  /** A version of a record; a name without incarnation means the latest that has such a number. */
  private Dot dot(RecordKey key, String name, long number) {
    try {
      NodeId typed = new NodeId(name);
      VersionVector context = node.read(key).state().context();
      List<NodeId> reaching =
          context.entries().keys().stream().filter(each -> context.get(each) >= number).toList();
      return new Dot(NodeNames.latest(typed, reaching).orElse(typed), number);
    } catch (IllegalArgumentException e) {
      throw new Problem(
          Code.INVALID, "a version is named by node and number, as the history lists them");
    }
  }

  /** What has become of a version: whether readers see it, and if not, why. */
  private Reply fate(Call call) {
    List<Fate> fates =
        node.fate(call.key(), named(call.key(), call)).orElseThrow(RecordRoutes::noVersion);
    return Reply.json(
        200, JsonObject.of("fate", Json.of(fates.stream().map(RecordRoutes::fate).toList())));
  }

  /** The version that a query names. */
  private Dot named(RecordKey key, Call call) {
    String number = required(call, "number");
    if (!number.matches("[1-9][0-9]{0,17}")) {
      throw new Problem(Code.INVALID, "number is that of a version, as the history lists it");
    }
    return dot(key, required(call, "node"), Long.parseLong(number));
  }

  private Version version(RecordKey key, Dot dot) {
    return node.history(key, Long.MAX_VALUE, Integer.MAX_VALUE).stream()
        .map(Logged::version)
        .filter(one -> one.dot().equals(dot))
        .findFirst()
        .orElseThrow(RecordRoutes::noVersion);
  }

  private static Problem noVersion() {
    return new Problem(Code.NOT_FOUND, "the record has no such version; its history lists them");
  }

  private static Json fate(Fate fate) {
    Map<String, Json> members = new TreeMap<>();
    members.put("unit", Json.of(fate.unit().label()));
    members.put("value", Describe.orNull(fate.value()));
    members.put("removed", Json.of(fate.value().isAbsent()));
    members.put("fate", Json.of(fate.kind().label()));
    fate.by().ifPresent(by -> members.put("by", Json.of(by)));
    members.put("why", Json.of(fate.why()));
    return JsonObject.of(members);
  }

  /** Whoever wrote a version that is not there any more asks for it back. */
  private Reply appeal(Call call) {
    RecordKey key = call.key();
    JsonObject body = call.jsonObject();
    Call.only(body, "an appeal", Set.of("node", "number", "reason"));
    long number =
        body.get("number") instanceof JsonNumber given && given.isLong() ? given.longValue() : 0;
    Dot dot = dot(key, Call.text(body, "node").orElse(""), number);
    Version version = version(key, dot);
    String author = call.acting(Permission.READ);
    if (!version.author().equals(author) && !call.may(Permission.REVIEW, key.type())) {
      throw new Problem(
          Code.FORBIDDEN,
          version.author() + " wrote this; who wrote it asks for it, or a reviewer");
    }
    String reason = Writes.bounded(Call.text(body, "reason").orElse(""));
    List<Review> opened =
        Writes.await(() -> node.appeal(key, dot, author, reason))
            .orElseThrow(RecordRoutes::noVersion);
    List<Json> reviews = opened.stream().<Json>map(review -> Json.of(review.id())).toList();
    return Reply.json(opened.isEmpty() ? 200 : 201, JsonObject.of("reviews", Json.of(reviews)));
  }

  private Reply rollback(Call call) {
    RecordKey key = call.key();
    JsonObject body = call.jsonObject();
    Call.only(body, "a rollback", Set.of("to", "reason"));
    if (!(body.get("to") instanceof JsonString(String to))) {
      throw new Problem(
          Code.INVALID,
          "\"to\" is a time (2026-11-22T10:00:00Z) or a context of the record's history");
    }
    Snapshot then =
        to.contains("T") && to.contains(":")
            ? node.readAt(key, instant(to))
            : node.readThrough(key, Writes.context(key, to));
    if (then.state().isEmpty() && node.read(key).state().isEmpty()) {
      throw new Problem(Code.NOT_FOUND, "there is no record " + key.type() + "/" + key.id());
    }
    String reason = Call.text(body, "reason").orElse("rolled back to " + to);
    return write(call, WriteRequest.rollback(then, call.acting(Permission.WRITE), reason));
  }
}
