// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Authority.Place;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.json.JsonBatch;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import dev.entente.server.access.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Several writes that hold together or not at all. */
final class BatchRoutes {
  private static final int WRITES_MAX = 1_000;
  private static final Set<String> WRITE =
      Set.of("type", "recordId", "op", "data", "ifMatch", "ifNoneMatch", "context");

  private final Node node;
  private final NodeNames names;
  private final Authority authority;
  private final Steering steering;

  private final Throttle throttle;

  BatchRoutes(
      Node node, Authority authority, Steering steering, Throttle throttle, NodeNames names) {
    this.names = names;
    this.node = node;
    this.throttle = throttle;
    this.authority = authority;
    this.steering = steering;
  }

  void addTo(Route.Table routes) {
    routes.some(Permission.WRITE, "POST", "/v1/{tenant}/batch", this::batch);
  }

  private Reply batch(Call call) {
    JsonBatch batch = call.batch("writes", WRITES_MAX);
    List<JsonBatch.Element> writes = batch.elements();
    Call.only(batch.rest(), "a batch", Set.of("writes"));
    if (writes.isEmpty()) {
      throw new Problem(Code.INVALID, "\"writes\" is an array of what holds together");
    }
    if (writes.size() > WRITES_MAX) {
      throw new Problem(
          Code.TOO_LARGE,
          "at most "
              + WRITES_MAX
              + " writes hold together; /sync takes more, each of which stands for itself");
    }
    List<WriteRequest> requests = new ArrayList<>(writes.size());
    for (JsonBatch.Element write : writes) {
      requests.add(request(call, requests.size(), write));
    }
    if (call.header(Steering.FORWARDED).isEmpty()) {
      requests.forEach(request -> throttle.change(call.caller(), request.key()));
    }
    try {
      return authority.place(requests) instanceof Place.There there
          ? steering.forward(there, call, List.of("v1", call.tenant(), "batch"), call.body())
          : answer(requests, Writes.await(() -> authority.writeTogether(requests)));
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    }
  }

  /** One of the writes; a problem that says which, where it cannot be one. */
  private WriteRequest request(Call call, int place, JsonBatch.Element write) {
    try {
      return request(call, place, Call.element(write));
    } catch (Problem problem) {
      RefusedParts refused = new RefusedParts(node, call, "batch");
      refused.add(place, write, problem);
      refused.await();
      throw because(place, problem, Map.of());
    }
  }

  private static Problem because(int place, Problem why, Map<String, Json> more) {
    Map<String, Json> members = new TreeMap<>(why.members());
    members.putAll(more);
    members.put("write", Json.of(place));
    return new Problem(
        why.code(),
        "nothing was written, because of write " + place + ": " + why.getMessage(),
        members);
  }

  private WriteRequest request(Call call, int place, Json json) {
    if (!(json instanceof JsonObject write)) {
      throw new Problem(Code.INVALID, "a write is an object");
    }
    Call.only(write, "a write", WRITE);
    RecordKey key = new RecordKey(call.tenant(), name(write, "type"), name(write, "recordId"));
    String author = call.acting(Permission.WRITE, Scope.of(key));
    Optional<String> requestId =
        call.header("idempotency-key")
            .map(id -> "i" + Call.checkedName("Idempotency-Key", Writes.bounded(id)) + "/" + place);
    return Writes.fenced(
        call,
        new WriteRequest(
            key,
            names.resolved(SyncRoutes.edit(write)),
            seen(write, key),
            author,
            Optional.empty(),
            requestId,
            WriteRequest.Sender.of(call.caller().name()),
            Optional.empty(),
            Optional.empty(),
            call.textHeader("entente-reason").map(Writes::bounded).orElse("")));
  }

  private static String name(JsonObject write, String member) {
    return Call.checkedName(
        member,
        Call.text(write, member)
            .orElseThrow(() -> new Problem(Code.INVALID, "a write needs a " + member)));
  }

  private static Seen seen(JsonObject write, RecordKey key) {
    Optional<String> match = Call.text(write, "ifMatch");
    Optional<String> none = Call.text(write, "ifNoneMatch");
    Optional<String> context = Call.text(write, "context");
    if (match.isPresent() && context.isPresent()) {
      throw new Problem(Code.INVALID, "ifMatch (conditional) or context (merge), not both");
    }
    return Writes.seen(key, match, none, context);
  }

  private static Reply answer(List<WriteRequest> requests, List<Outcome> outcomes) {
    if (outcomes.getLast() instanceof Outcome.Rejected rejected) {
      int place = outcomes.size() - 1;
      Json id = Json.of(requests.get(place).key().id());
      throw because(place, Writes.problem(rejected), Map.of("recordId", id));
    }
    List<Json> results = new ArrayList<>();
    for (int i = 0; i < outcomes.size(); i++) {
      RecordKey key = requests.get(i).key();
      results.add(
          SyncRoutes.result(outcomes.get(i))
              .with("type", Json.of(key.type()))
              .with("recordId", Json.of(key.id())));
    }
    return Reply.json(200, JsonObject.of("results", Json.of(results)));
  }
}
