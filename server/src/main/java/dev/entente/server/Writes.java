// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.UnavailableException;
import dev.entente.cluster.group.EntryTooLargeException;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.ContextToken;
import dev.entente.engine.ContextToken.BadTokenException;
import dev.entente.engine.Describe;
import dev.entente.engine.Locks;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.Outcome;
import dev.entente.engine.OverloadedException;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.server.Problem.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** What all routes that write have in common: tokens, operations, answers. */
final class Writes {
  private static final int OPERATIONS_MAX = 10_000;

  /** What a problem says where the write may have been, or may yet be, accepted. */
  static final Map<String, Json> UNKNOWN = Map.of("outcome", Json.of("unknown"));

  /** Names the lock under which a write is made, and the token it was given with. */
  static final String FENCE = "entente-fence";

  private Writes() {}

  /** A write under the lock that the request names, if it names one. */
  static WriteRequest fenced(Call call, WriteRequest request) {
    return fence(call).map(request::under).orElse(request);
  }

  /** The lock that the request names, if it names one. */
  static Optional<Locks.Fence> fence(Call call) {
    Optional<String> fence = call.textHeader(FENCE);
    if (fence.isEmpty()) {
      return Optional.empty();
    }
    int end = fence.get().lastIndexOf('=');
    try {
      long token = Long.parseLong(fence.get().substring(end + 1).strip());
      String lock = Call.checkedName("lock", fence.get().substring(0, Math.max(0, end)).strip());
      return Optional.of(new Locks.Fence(new Locks.Name(call.tenant(), lock), token));
    } catch (NumberFormatException e) {
      throw new Problem(
          Code.INVALID, "Entente-Fence names a lock and its token, such as vm-4711=12");
    }
  }

  static dev.entente.core.causality.VersionVector context(RecordKey key, String token) {
    try {
      return ContextToken.parse(key, token);
    } catch (BadTokenException e) {
      throw new Problem(
          e.tooLarge() ? Code.TOO_LARGE : Code.MALFORMED, String.valueOf(e.getMessage()));
    }
  }

  static String bounded(String text) {
    if (text.length() > Limits.KEY_MAX) {
      throw new Problem(Code.INVALID, "a key has at most " + Limits.KEY_MAX + " characters");
    }
    return text;
  }

  /** What a writer says they had seen. */
  static Seen seen(
      RecordKey key, Optional<String> match, Optional<String> none, Optional<String> context) {
    if (match.isPresent()) {
      return match.get().equals("*")
          ? new Seen.Existing()
          : new Seen.Exactly(context(key, unquoted(match.get())));
    }
    if (context.isPresent()) {
      return new Seen.Context(context(key, unquoted(context.get())));
    }
    if (none.isPresent()) {
      if (!none.get().equals("*")) {
        throw new Problem(Code.INVALID, "If-None-Match takes * on a write");
      }
      return new Seen.Absence();
    }
    return new Seen.Everything();
  }

  private static String unquoted(String etag) {
    return etag.length() >= 2 && etag.startsWith("\"") && etag.endsWith("\"")
        ? etag.substring(1, etag.length() - 1)
        : etag;
  }

  /** Waits for an answer that is durable. */
  static <T> T await(Supplier<CompletableFuture<T>> request) {
    try {
      return Tracing.step("accept", () -> request.get().join());
    } catch (OverloadedException e) {
      throw new Problem(Code.TOO_FAST, String.valueOf(e.getMessage()));
    } catch (NodeStoppedException e) {
      throw new Problem(Code.UNAVAILABLE, String.valueOf(e.getMessage()));
    } catch (UnavailableException e) {
      throw new Problem(Code.UNAVAILABLE, String.valueOf(e.getMessage()));
    } catch (CompletionException e) {
      if (e.getCause() instanceof UnavailableException unavailable) {
        throw new Problem(
            Code.UNAVAILABLE,
            String.valueOf(unavailable.getMessage()),
            unavailable instanceof NotLeadingException ? Map.of() : UNKNOWN);
      }
      if (e.getCause() instanceof OverloadedException overloaded) {
        throw new Problem(Code.TOO_FAST, String.valueOf(overloaded.getMessage()));
      }
      if (e.getCause() instanceof EntryTooLargeException large) {
        throw new Problem(Code.TOO_LARGE, String.valueOf(large.getMessage()));
      }
      if (e.getCause() instanceof NodeStoppedException stopped) {
        throw new Problem(Code.UNAVAILABLE, String.valueOf(stopped.getMessage()));
      }
      throw e;
    }
  }

  /** The operations of an ops document. */
  static Edit operations(Json body) {
    if (!(body instanceof JsonObject object) || !(object.get("ops") instanceof JsonArray ops)) {
      throw new Problem(Code.INVALID, "an operations document is {\"ops\": [...]}");
    }
    Call.only(object, "an operations document", Set.of("ops"));
    if (ops.size() > OPERATIONS_MAX) {
      throw new Problem(Code.TOO_LARGE, "at most " + OPERATIONS_MAX + " operations in one write");
    }
    List<Edit.Operation> operations = new ArrayList<>();
    for (Json op : ops.items()) {
      operations.add(operation(op));
    }
    return new Edit.Operations(operations);
  }

  private static Edit.Operation operation(Json op) {
    if (!(op instanceof JsonObject object)
        || !(object.get("path") instanceof JsonString(String pointer))) {
      throw new Problem(
          Code.INVALID,
          "an operation has a \"path\" and one of increment, give, add, remove, splice, set");
    }
    Call.only(
        object,
        "an operation",
        Set.of("path", "increment", "give", "to", "add", "remove", "set", "splice"));
    Path path = Path.parse(pointer);
    Json increment = object.get("increment");
    if (increment instanceof JsonNumber number && number.isLong()) {
      return new Edit.Operation.Increment(path, number.longValue());
    }
    if (!increment.isAbsent()) {
      throw new Problem(Code.INVALID, "increment takes a whole number of at most 64 bits");
    }
    if (object.get("give") instanceof JsonNumber number
        && number.isLong()
        && object.get("to") instanceof JsonString(String to)) {
      return new Edit.Operation.Give(path, node(to), number.longValue());
    }
    if (!object.get("give").isAbsent() || !object.get("to").isAbsent()) {
      throw new Problem(
          Code.INVALID, "give takes a whole number, and to the node that gets the rights");
    }
    if (!object.get("add").isAbsent() || !object.get("remove").isAbsent()) {
      return new Edit.Operation.EditSet(path, list(object, "add"), list(object, "remove"));
    }
    if (!object.get("set").isAbsent()) {
      return new Edit.Operation.Set(path, object.get("set"));
    }
    if (!object.get("splice").isAbsent()) {
      return new Edit.Operation.Splice(path, splice(object.get("splice")));
    }
    throw new Problem(
        Code.INVALID,
        "the operation on "
            + pointer
            + " does nothing; it takes one of increment, give, add, remove, splice, set");
  }

  private static NodeId node(String id) {
    try {
      return new NodeId(id);
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, id + " is no name of a node");
    }
  }

  private static Splice splice(Json json) {
    if (json instanceof JsonArray(List<Json> parts)
        && parts.size() == 3
        && whole(parts.get(0))
        && whole(parts.get(1))
        && (parts.get(2) instanceof JsonString || parts.get(2) instanceof JsonArray)) {
      return new Splice(
          (int) ((JsonNumber) parts.get(0)).longValue(),
          (int) ((JsonNumber) parts.get(1)).longValue(),
          parts.get(2));
    }
    throw new Problem(
        Code.INVALID,
        "splice takes [position, how many to delete, what to insert]: characters of a text,"
            + " elements of a list");
  }

  private static boolean whole(Json json) {
    return json instanceof JsonNumber number
        && number.isLong()
        && number.longValue() >= 0
        && number.longValue() <= Integer.MAX_VALUE / 2;
  }

  private static List<Json> list(JsonObject object, String name) {
    return switch (object.get(name)) {
      case JsonAbsent _ -> List.of();
      case JsonArray array -> array.items();
      default -> throw new Problem(Code.INVALID, name + " takes an array");
    };
  }

  /** The answer to a write. */
  static Reply reply(RecordKey key, Outcome outcome) {
    Tracing.outcome(label(outcome));
    return switch (outcome) {
      case Outcome.Accepted accepted ->
          Reply.json(accepted.created() ? 201 : 200, answer(accepted))
              .with("ETag", '"' + accepted.after().token() + '"');
      case Outcome.Duplicate duplicate ->
          Reply.json(200, answer(duplicate)).with("ETag", '"' + duplicate.now().token() + '"');
      case Outcome.Rejected rejected -> throw problem(rejected);
    };
  }

  private static String label(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Accepted accepted -> accepted.kind().label();
      case Outcome.Duplicate _ -> "duplicate";
      case Outcome.Rejected rejected -> rejected.code().label();
    };
  }

  static JsonObject answer(Outcome.Accepted accepted) {
    Map<String, Json> members = new TreeMap<>();
    members.put("outcome", Json.of(accepted.kind().label()));
    members.put("context", Json.of(accepted.after().token()));
    members.put("data", Describe.orNull(accepted.after().view().data()));
    members.put(
        "resolutions", Json.of(accepted.resolutions().stream().map(Describe::resolution).toList()));
    accepted.conflictId().ifPresent(id -> members.put("conflictId", Json.of(id)));
    if (!accepted.note().isEmpty()) {
      members.put("note", Json.of(accepted.note()));
    }
    return JsonObject.of(members);
  }

  static JsonObject answer(Outcome.Duplicate duplicate) {
    JsonObject first = duplicate.first() instanceof JsonObject object ? object : JsonObject.EMPTY;
    return first
        .with("first", first.get("outcome"))
        .with("outcome", Json.of("duplicate"))
        .with("data", Describe.orNull(duplicate.now().view().data()));
  }

  static Problem problem(Outcome.Rejected rejected) {
    Map<String, Json> members = new TreeMap<>();
    rejected.current().ifPresent(current -> members.put("current", Describe.read(current)));
    rejected.row().ifPresent(row -> members.put("row", Json.of(row.label())));
    return new Problem(Code.valueOf(rejected.code().name()), rejected.message(), members);
  }

  static String explanation(List<Resolution> resolutions) {
    return String.join(" ", resolutions.stream().map(Resolution::explanation).toList());
  }
}
