// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Authority.Place;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.policy.Condition.ConditionException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Identity;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.json.JsonBatch;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import dev.entente.server.access.Scope;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Offline sync: a queue of events, one answer for each, never all or nothing. */
final class SyncRoutes {
  private static final Set<String> EVENT =
      Set.of("id", "type", "recordId", "context", "base", "op", "data", "at", "author");
  private static final int OK = 200;
  private final Node node;
  private final NodeNames names;
  private final Authority authority;
  private final Steering steering;

  private final Throttle throttle;

  SyncRoutes(
      Node node, Authority authority, Steering steering, Throttle throttle, NodeNames names) {
    this.names = names;
    this.throttle = throttle;
    this.node = node;
    this.authority = authority;
    this.steering = steering;
  }

  void addTo(Route.Table routes) {
    routes.some(Permission.WRITE, "POST", "/v1/{tenant}/sync", this::sync);
  }

  private Reply sync(Call call) {
    String tenant = call.tenant();
    JsonBatch batch = call.batch("events", Limits.EVENTS_MAX);
    if (batch.elements().size() > Limits.EVENTS_MAX) {
      throw new Problem(
          Code.TOO_LARGE,
          "at most " + Limits.EVENTS_MAX + " events in one batch; send the rest in the next");
    }
    JsonObject body = batch.rest();
    Call.only(body, "a sync", Set.of("device", "events"));
    Optional<String> device =
        Call.text(body, "device").map(name -> Call.checkedName("device", name));
    List<Json> events = new ArrayList<>();
    List<@Nullable WriteRequest> parsed = new ArrayList<>();
    List<@Nullable Problem> problems = new ArrayList<>();
    RefusedParts refused = new RefusedParts(node, call, "sync");
    for (JsonBatch.Element element : batch.elements()) {
      @Nullable WriteRequest request = null;
      @Nullable Problem refusal = null;
      Json event = JsonNull.NULL;
      try {
        event = Call.element(element);
        request = request(call, tenant, device, event);
      } catch (Problem problem) {
        refusal = problem;
        refused.add(events.size(), element, problem);
      }
      events.add(event instanceof JsonObject ? event : unreadable(element));
      parsed.add(request);
      problems.add(refusal);
    }
    refused.await();
    Map<Integer, JsonObject> elsewhere = sentOn(call, body, events, parsed);
    List<WriteRequest> requests = new ArrayList<>();
    for (int i = 0; i < parsed.size(); i++) {
      WriteRequest request = parsed.get(i);
      if (request != null && !elsewhere.containsKey(i)) {
        requests.add(request);
      }
    }
    List<Outcome> outcomes =
        requests.isEmpty() ? List.of() : Writes.await(() -> authority.writeAll(requests));
    return answer(events, parsed, problems, outcomes, elsewhere);
  }

  /** Has other nodes take the events that only they accept; the results by the events' places. */
  private Map<Integer, JsonObject> sentOn(
      Call call, JsonObject body, List<Json> all, List<@Nullable WriteRequest> parsed) {
    Map<Place.There, List<Integer>> places = new LinkedHashMap<>();
    for (int i = 0; i < parsed.size(); i++) {
      WriteRequest request = parsed.get(i);
      Optional<Place.There> there =
          request == null ? Optional.empty() : steering.elsewhere(request);
      if (there.isPresent()) {
        places.computeIfAbsent(there.get(), _ -> new ArrayList<>()).add(i);
      }
    }
    Map<Integer, JsonObject> results = new TreeMap<>();
    places.forEach((there, events) -> sendOn(call, body, all, there, events, results));
    return results;
  }

  private void sendOn(
      Call call,
      JsonObject body,
      List<Json> all,
      Place.There there,
      List<Integer> events,
      Map<Integer, JsonObject> results) {
    JsonArray theirs = new JsonArray(events.stream().map(i -> all.get(i)).toList());
    JsonObject failed;
    try {
      byte[] part = JsonPrinter.print(body.with("events", theirs)).getBytes(StandardCharsets.UTF_8);
      Reply reply = steering.forward(there, call, List.of("v1", call.tenant(), "sync"), part);
      if (reply.status() == OK
          && JsonReader.strict().read(reply.body()) instanceof JsonObject answer
          && answer.get("results") instanceof JsonArray told
          && told.size() == events.size()
          && told.items().stream().allMatch(JsonObject.class::isInstance)) {
        for (int i = 0; i < events.size(); i++) {
          results.put(events.get(i), (JsonObject) told.items().get(i));
        }
        return;
      }
      failed =
          new Problem(Code.UNAVAILABLE, "the node " + there.node() + " did not take this event")
              .toJson();
    } catch (Problem problem) {
      failed = problem.toJson();
    } catch (JsonProblem e) {
      failed = new Problem(Code.UNAVAILABLE, String.valueOf(e.getMessage())).toJson();
    }
    JsonObject result = JsonObject.of("problem", failed).with("outcome", Json.of("rejected"));
    events.forEach(i -> results.put(i, result));
  }

  /** All that is known of an event that cannot be read. */
  private static JsonObject unreadable(JsonBatch.Element element) {
    return element.text("id").map(id -> JsonObject.of("id", Json.of(id))).orElse(JsonObject.EMPTY);
  }

  private WriteRequest request(Call call, String tenant, Optional<String> device, Json json) {
    if (!(json instanceof JsonObject event)) {
      throw new Problem(Code.INVALID, "an event is an object");
    }
    Call.only(event, "an event", EVENT);
    String id =
        Call.text(event, "id")
            .orElseThrow(() ->
                new Problem(
                    Code.INVALID, "an event needs an id, so that sending it again does no harm"));
    if (id.length() > Limits.KEY_MAX) {
      throw new Problem(
          Code.INVALID, "an event's id has at most " + Limits.KEY_MAX + " characters");
    }
    Call.checkedName("id", id);
    String type =
        Call.checkedName(
            "type",
            Call.text(event, "type")
                .orElseThrow(() -> new Problem(Code.INVALID, "an event needs a type")));
    String author = author(call, type, event);
    RecordKey key = new RecordKey(tenant, type, recordId(tenant, type, event));
    if (call.header(Steering.FORWARDED).isEmpty()) {
      throttle.change(call.caller(), key);
    }
    Seen seen =
        Call.text(event, "context")
            .<Seen>map(token -> new Seen.Context(Writes.context(key, token)))
            .orElseGet(Seen.Nothing::new);
    Json base = event.get("base");
    if (!(base instanceof JsonObject || base instanceof JsonNull || base.isAbsent())) {
      throw new Problem(Code.INVALID, "base must be an object");
    }
    return new WriteRequest(
        key,
        names.resolved(edit(event)),
        seen,
        author,
        device,
        Optional.of("e" + id),
        WriteRequest.Sender.of(call.caller().name()),
        Call.text(event, "at").map(SyncRoutes::time),
        base instanceof JsonObject ? Optional.of(base) : Optional.empty(),
        "");
  }

  private static String author(Call call, String type, JsonObject event) {
    Optional<String> named = Call.text(event, "author");
    return named.isEmpty()
        ? call.acting(Permission.WRITE, type)
        : call.acting(
            Permission.WRITE,
            Scope.of(call.tenant(), type),
            Call.checkedName("author", named.get()));
  }

  private static HybridTime time(String at) {
    Instant instant = RecordRoutes.instant(at);
    try {
      return HybridTime.ofMillis(instant.toEpochMilli());
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new Problem(Code.INVALID, "the time " + at + " is out of range");
    }
  }

  static Edit edit(JsonObject event) {
    Json data = Call.document(event.get("data"));
    String op = Call.text(event, "op").orElse("put");
    return switch (op) {
      case "put" -> {
        if (!(data instanceof JsonObject document)) {
          throw new Problem(Code.INVALID, "data must be an object");
        }
        yield new Edit.Put(document);
      }
      case "merge" -> {
        if (!(data instanceof JsonObject)) {
          throw new Problem(Code.INVALID, "data must be an object");
        }
        yield new Edit.MergePatch(data);
      }
      case "ops" -> Writes.operations(data);
      case "delete" -> new Edit.Delete();
      default ->
          throw new Problem(Code.INVALID, op + " is no op; known are put, merge, ops, delete");
    };
  }

  private String recordId(String tenant, String type, JsonObject event) {
    Optional<String> given = Call.text(event, "recordId");
    if (given.isPresent()) {
      return Call.checkedName("recordId", given.get());
    }
    try {
      return Call.checkedName(
          "the derived recordId", Identity.derive(node.policy(tenant, type), event));
    } catch (ConditionException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    }
  }

  private static Reply answer(
      List<Json> events,
      List<@Nullable WriteRequest> parsed,
      List<@Nullable Problem> problems,
      List<Outcome> outcomes,
      Map<Integer, JsonObject> elsewhere) {
    List<Json> results = new ArrayList<>(events.size());
    List<Json> synced = new ArrayList<>();
    List<Json> conflicts = new ArrayList<>();
    List<Json> errors = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < events.size(); i++) {
      Json id =
          events.get(i) instanceof JsonObject event && !event.get("id").isAbsent()
              ? event.get("id")
              : JsonNull.NULL;
      WriteRequest request = parsed.get(i);
      Problem problem = problems.get(i);
      JsonObject result;
      if (elsewhere.containsKey(i)) {
        result = elsewhere.getOrDefault(i, JsonObject.EMPTY);
      } else if (request == null) {
        result =
            JsonObject.of("problem", problem == null ? JsonNull.NULL : problem.toJson())
                .with("outcome", Json.of("rejected"));
      } else {
        result = result(outcomes.get(next++)).with("recordId", Json.of(request.key().id()));
      }
      results.add(result.with("id", id));
      if (!result.get("problem").isAbsent()) {
        errors.add(
            Json.of(Map.of("id", id, "position", Json.of(i), "problem", result.get("problem"))));
      } else {
        synced.add(id);
      }
      if (!result.get("conflictId").isAbsent()) {
        conflicts.add(result.get("conflictId"));
      }
    }
    Map<String, Json> members = new TreeMap<>();
    members.put("results", new JsonArray(results));
    members.put("syncedEventIds", new JsonArray(synced));
    members.put("conflicts", new JsonArray(conflicts));
    members.put("errors", new JsonArray(errors));
    return Reply.json(200, JsonObject.of(members));
  }

  static JsonObject result(Outcome outcome) {
    Map<String, Json> members = new TreeMap<>();
    switch (outcome) {
      case Outcome.Accepted accepted -> {
        members.put("outcome", Json.of(accepted.kind().label()));
        members.put("context", Json.of(accepted.after().token()));
        members.put("explanation", Json.of(Writes.explanation(accepted.resolutions())));
        accepted.conflictId().ifPresent(id -> members.put("conflictId", Json.of(id)));
        if (!accepted.note().isEmpty()) {
          members.put("note", Json.of(accepted.note()));
        }
      }
      case Outcome.Duplicate duplicate -> {
        JsonObject first =
            duplicate.first() instanceof JsonObject object ? object : JsonObject.EMPTY;
        first.members().forEach(members::put);
        members.put("first", first.get("outcome"));
        members.put("outcome", Json.of("duplicate"));
        members.put(
            "explanation", Json.of("this event was taken before; this is the first answer"));
      }
      case Outcome.Rejected rejected -> {
        members.put("outcome", Json.of("rejected"));
        members.put("explanation", Json.of(rejected.message()));
        members.put("problem", Writes.problem(rejected).toJson());
      }
    }
    return JsonObject.of(members);
  }
}
