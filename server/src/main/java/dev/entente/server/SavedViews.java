// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Hashes;
import dev.entente.engine.Node;
import dev.entente.engine.Registry;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Filters on reviews that people keep under a name, for themselves or for all of a tenant. They are
 * records of the registry and so known to every node.
 */
final class SavedViews {
  private static final String TYPE = "view";
  private static final String VIEW = "/v1/{tenant}/views/{view}";

  /** How many there can be, of all tenants. */
  private static final int VIEWS_MAX = 1_000;

  private final Node node;

  SavedViews(Node node) {
    this.node = node;
  }

  void addTo(Route.Table routes) {
    routes
        .some(Permission.READ, "GET", "/v1/{tenant}/views", this::list)
        .some(Permission.READ, "PUT", VIEW, this::put)
        .some(Permission.READ, "DELETE", VIEW, this::remove);
  }

  /** One of them, of a person. */
  private record View(String tenant, String owner, String name, boolean shared, Json filter) {
    RecordKey key() {
      String id = tenant + '\0' + owner + '\0' + name;
      byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
      return new RecordKey(Registry.TENANT, TYPE, Hashes.hex(bytes).substring(0, 32));
    }

    JsonObject toJson() {
      return JsonObject.of(
          Map.of(
              "tenant", Json.of(tenant),
              "owner", Json.of(owner),
              "name", Json.of(name),
              "shared", Json.of(shared),
              "filter", filter));
    }

    static View of(JsonObject data) {
      return new View(
          data.text("tenant").orElse(""),
          data.text("owner").orElse(""),
          data.text("name").orElse(""),
          data.get("shared").equals(JsonBool.TRUE),
          data.get("filter"));
    }
  }

  private List<View> all() {
    List<View> views = new ArrayList<>();
    for (RecordKey key : node.records(Registry.TENANT, TYPE, Optional.empty(), VIEWS_MAX * 2)) {
      if (node.read(key).view().data() instanceof JsonObject data) {
        views.add(View.of(data));
      }
    }
    views.sort(Comparator.comparing(View::name).thenComparing(View::owner));
    return views;
  }

  /** Those of the caller, and those that others share. */
  private Reply list(Call call) {
    String me = call.caller().name();
    List<JsonObject> views =
        all().stream()
            .filter(view -> view.tenant().equals(call.tenant()))
            .filter(view -> view.shared() || view.owner().equals(me))
            .map(View::toJson)
            .toList();
    return Reply.json(200, JsonObject.of("views", Json.of(views)));
  }

  private Reply put(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a view", Set.of("filter", "shared"));
    if (!(body.get("filter") instanceof JsonObject filter)) {
      throw new Problem(Code.INVALID, "a view has a filter, such as {\"owner\": \"-\"}");
    }
    ReviewFilter.of(filter);
    View view =
        new View(
            call.tenant(),
            call.caller().name(),
            call.name("view"),
            Call.flag(body, "shared"),
            filter);
    if (!node.read(view.key()).view().exists() && all().size() >= VIEWS_MAX) {
      throw new Problem(Code.CONFLICT, "there are " + VIEWS_MAX + " views already; remove some");
    }
    write(view, new Edit.Put(view.toJson()));
    return Reply.json(200, view.toJson());
  }

  private Reply remove(Call call) {
    View mine =
        new View(call.tenant(), call.caller().name(), call.name("view"), false, JsonObject.EMPTY);
    if (!node.read(mine.key()).view().exists()) {
      throw new Problem(Code.NOT_FOUND, "you have no such view");
    }
    write(mine, new Edit.Delete());
    return Reply.json(200, JsonObject.of("removed", Json.of(mine.name())));
  }

  private void write(View view, Edit edit) {
    Writes.await(
        () -> node.write(WriteRequest.of(view.key(), edit, new Seen.Everything(), view.owner())));
  }
}
