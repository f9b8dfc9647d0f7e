// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.ScopedCheckpoints;
import dev.entente.engine.ScopedCheckpoints.Checkpoint;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.access.Scope;
import dev.entente.server.recovery.Checkpoints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Checkpoints: of the whole node as files, and of a record, a type or a tenant as names. */
final class CheckpointRoutes {
  private static final String OF_NODE = "/v1/cluster/checkpoints";
  private static final String OF_TENANT = "/v1/{tenant}/checkpoints";
  private static final String ONE = OF_TENANT + "/{checkpoint}";
  private static final int REASON_MAX = 1_000;

  private final Node node;
  private final Optional<Checkpoints> files;
  private final ScopedCheckpoints scoped;

  CheckpointRoutes(Node node, Optional<Checkpoints> files, ScopedCheckpoints scoped) {
    this.node = node;
    this.files = files;
    this.scoped = scoped;
  }

  void addTo(Route.Table routes) {
    routes
        .get(Permission.OPERATE, OF_NODE, _ -> list(ofNode(files())))
        .post(Permission.OPERATE, OF_NODE, this::take)
        .some(Permission.READ, "GET", OF_TENANT, this::ofTenant)
        .some(Permission.OPERATE, "POST", OF_TENANT, this::create)
        .some(Permission.READ, "GET", ONE, this::show)
        .some(Permission.OPERATE, "DELETE", ONE, this::delete);
  }

  private Checkpoints files() {
    return files.orElseThrow(() ->
        new Problem(Code.NOT_FOUND, "this node keeps its data in memory, and no checkpoints"));
  }

  private static Json described(Checkpoints.Checkpoint one) {
    return Json.of(
        Map.of(
            "name", Json.of(one.name()),
            "at", Json.of(one.at().toString()),
            "scope", Json.of("node")));
  }

  private static JsonObject described(Checkpoint one) {
    Map<String, Json> members = new TreeMap<>();
    members.put("name", Json.of(one.name()));
    members.put("at", Json.of(one.at().toString()));
    members.put(
        "scope",
        Json.of(one.id().isPresent() ? "record" : one.type().isPresent() ? "type" : "tenant"));
    one.type().ifPresent(type -> members.put("type", Json.of(type)));
    one.id().ifPresent(id -> members.put("id", Json.of(id)));
    members.put("by", Json.of(one.by()));
    members.put("reason", Json.of(one.reason()));
    return JsonObject.of(members);
  }

  private static Reply list(List<Json> found) {
    return Reply.json(200, JsonObject.of("checkpoints", Json.of(found)));
  }

  private static List<Json> ofNode(Checkpoints checkpoints) {
    try {
      return checkpoints.list().stream().map(CheckpointRoutes::described).toList();
    } catch (IOException e) {
      throw new Problem(Code.UNAVAILABLE, "the checkpoints cannot be listed: " + e.getMessage());
    }
  }

  private Reply take(Call call) {
    try {
      Checkpoints.Checkpoint taken = files().take();
      Writes.await(() ->
          node.account(
              "checkpoint", taken.name(), JsonObject.of("by", Json.of(call.caller().name()))));
      return Reply.json(201, described(taken));
    } catch (IOException e) {
      throw new Problem(Code.UNAVAILABLE, "no checkpoint could be taken: " + e.getMessage());
    }
  }

  /** Those of the tenant that the caller may read, and the whole node's, which hold it too. */
  private Reply ofTenant(Call call) {
    List<Json> found = new ArrayList<>();
    scoped.of(call.tenant()).stream()
        .filter(one -> call.may(Permission.READ, typeOf(one)))
        .map(CheckpointRoutes::described)
        .forEach(found::add);
    if (call.may(Permission.READ, Grant.ALL)) {
      files.map(CheckpointRoutes::ofNode).ifPresent(found::addAll);
    }
    return list(found);
  }

  private static String typeOf(Checkpoint one) {
    return one.type().orElse(Grant.ALL);
  }

  private Reply create(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a checkpoint", Set.of("name", "type", "id", "reason"));
    Optional<String> type = Call.text(body, "type").map(name -> Call.checkedName("type", name));
    Optional<String> id = Call.text(body, "id").map(name -> Call.checkedName("id", name));
    if (id.isPresent() && type.isEmpty()) {
      throw new Problem(Code.INVALID, "with an \"id\", say the \"type\" of the record");
    }
    String by =
        call.acting(
            Permission.OPERATE,
            new Scope(call.tenant(), type.orElse(Grant.ALL), id.orElse(Grant.ALL)));
    String name =
        Call.text(body, "name")
            .map(given -> Call.checkedName("name", given))
            .orElseGet(() -> Checkpoints.nameOf(node.nowMillis()));
    String reason = Call.text(body, "reason").orElse("");
    if (reason.length() > REASON_MAX) {
      throw new Problem(Code.INVALID, "a reason has at most " + REASON_MAX + " letters");
    }
    requireThere(call.tenant(), type, id);
    try {
      Writes.await(() -> scoped.create(call.tenant(), name, type, id, by, reason));
    } catch (IllegalStateException e) {
      throw new Problem(Code.CONFLICT, String.valueOf(e.getMessage()));
    }
    return Reply.json(201, described(scoped.find(call.tenant(), name).orElseThrow()));
  }

  private void requireThere(String tenant, Optional<String> type, Optional<String> id) {
    boolean there =
        id.isPresent()
            ? !node.read(new RecordKey(tenant, type.orElseThrow(), id.get())).state().isEmpty()
            : type.map(node.types(tenant)::contains).orElse(!node.types(tenant).isEmpty());
    if (!there) {
      throw new Problem(
          Code.NOT_FOUND,
          "there are no records of "
              + type.map(of -> tenant + "/" + of + id.map(one -> "/" + one).orElse(""))
                  .orElse(tenant)
              + " to create a checkpoint of");
    }
  }

  private Checkpoint find(Call call) {
    return find(call, scoped, call.name("checkpoint"));
  }

  /** A checkpoint that the caller may read. */
  static Checkpoint find(Call call, ScopedCheckpoints scoped, String name) {
    return scoped
        .find(call.tenant(), name)
        .filter(one -> call.may(Permission.READ, typeOf(one)))
        .orElseThrow(() ->
            new Problem(
                Code.NOT_FOUND,
                "there is no checkpoint \""
                    + name
                    + "\" of a record, a type or the tenant; GET "
                    + "/v1/"
                    + call.tenant()
                    + "/checkpoints lists them"));
  }

  private Reply show(Call call) {
    return Reply.json(200, described(find(call)));
  }

  private Reply delete(Call call) {
    Checkpoint one = find(call);
    String by = call.acting(Permission.OPERATE, scope(one));
    Writes.await(() -> scoped.delete(one.tenant(), one.name(), by));
    return Reply.json(200, described(one));
  }

  /** What restoring or deleting a checkpoint touches. */
  static Scope scope(Checkpoint one) {
    return new Scope(one.tenant(), typeOf(one), one.id().orElse(Grant.ALL));
  }
}
