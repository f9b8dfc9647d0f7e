// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.PercentText;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.Registry;
import dev.entente.engine.json.JsonReader;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Warns where a request names a tenant or type that has no record and no policy, or a record that
 * is not there; and where a list is empty because of a name. Such a name may be right, since the
 * data can come later, so the request is carried out; a misspelt one would otherwise look like an
 * empty list, or like a freeze that holds.
 */
final class UnknownNames {
  /** Names the warnings of an answer; percent-encoded, separated by commas. */
  static final String HEADER = "Entente-Warning";

  /** Control requests are small; anything larger names no type of its own. */
  private static final int BODY_BYTES_MAX = 64 << 10;

  private final Node node;

  UnknownNames(Node node) {
    this.node = node;
  }

  /** The answer with its warnings, in a header and, where its body is an object, in there. */
  Reply warned(Route route, Call call, Reply reply) {
    if (reply.status() >= 300 || !isControl(route)) {
      return reply;
    }
    return warned(reply, warnings(call));
  }

  /** Warns that a list is empty because of what was asked for: such names may be misspelt. */
  static Reply nothingHas(Reply empty, String what, Map<String, String> names) {
    return warned(
        empty,
        names.entrySet().stream()
            .map(name ->
                "no "
                    + what
                    + " has the "
                    + name.getKey()
                    + " "
                    + name.getValue()
                    + "; check its spelling")
            .toList());
  }

  private static Reply warned(Reply reply, List<String> warnings) {
    if (warnings.isEmpty()) {
      return reply;
    }
    String more = String.join(",", warnings.stream().map(PercentText::encode).toList());
    String before = reply.headers().get(HEADER);
    Reply warned = reply.with(HEADER, before == null ? more : before + "," + more);
    return "application/json".equals(reply.headers().get("Content-Type"))
            && reply.stream().isEmpty()
            && JsonReader.strict().read(new String(reply.body(), StandardCharsets.UTF_8))
                instanceof JsonObject body
        ? warned.withBody(body.with("warnings", all(body.get("warnings"), warnings)))
        : warned;
  }

  /** What reads or writes records answers for itself, and comes too often to be looked at. */
  private static boolean isControl(Route route) {
    String pattern = route.pattern();
    return pattern.startsWith("/v1/cluster/accounts/")
        || (pattern.startsWith("/v1/{tenant}/")
            && !pattern.startsWith(RecordRoutes.RECORD)
            && !pattern.endsWith("/sync")
            && !pattern.endsWith("/batch"));
  }

  private List<String> warnings(Call call) {
    Set<String> warnings = new LinkedHashSet<>();
    JsonObject body = body(call);
    String tenant = call.params().get("tenant");
    if (tenant == null) {
      if (body.get("grants") instanceof JsonArray(List<Json> grants)) {
        grants.forEach(grant -> ofGrant(grant, warnings));
      }
      return List.copyOf(warnings);
    }
    Set<String> types = new LinkedHashSet<>();
    String inPath = call.params().get("type");
    if (inPath != null) {
      types.add(inPath);
    }
    call.query("type").ifPresent(types::add);
    typeIn(body, types);
    for (String member : List.of("filter", "where", "scope")) {
      typeIn(body.get(member), types);
    }
    types.removeIf(type -> !call.may(Permission.READ, type));
    look(tenant, types, warnings);
    if (warnings.isEmpty()
        && body.get("type") instanceof JsonString(String type)
        && types.contains(type)
        && body.get("id") instanceof JsonString(String id)
        && node.read(new RecordKey(tenant, type, id)).state().isEmpty()) {
      warnings.add("there is no record " + type + "/" + id + "; check its spelling");
    }
    return List.copyOf(warnings);
  }

  private static void typeIn(Json json, Set<String> typesOut) {
    if (json instanceof JsonObject object
        && object.get("type") instanceof JsonString(String type)) {
      typesOut.add(type);
    }
  }

  private void ofGrant(Json json, Set<String> warningsOut) {
    try {
      if (json instanceof JsonString(String text)) {
        Grant grant = Grant.parse(text);
        if (!grant.tenant().equals(Grant.ALL)) {
          look(
              grant.tenant(),
              grant.type().equals(Grant.ALL) ? Set.of() : Set.of(grant.type()),
              warningsOut);
        }
      }
    } catch (IllegalArgumentException e) {
      return; // It was refused, or belongs to something else.
    }
  }

  private void look(String tenant, Set<String> types, Set<String> warningsOut) {
    if (tenant.equals(Registry.TENANT)) {
      return;
    }
    Set<String> known = new LinkedHashSet<>(node.types(tenant));
    known.addAll(node.policyTypes(tenant));
    if (known.isEmpty()) {
      warningsOut.add("the tenant " + tenant + " has no record and no policy; check its spelling");
      return;
    }
    for (String type : types) {
      if (!known.contains(type)) {
        warningsOut.add(
            "no record or policy of " + tenant + " has the type " + type + "; check its spelling");
      }
    }
  }

  /** The body, where it is one that can name a type; the route has read it by itself. */
  private static JsonObject body(Call call) {
    if (call.body().length == 0
        || call.body().length > BODY_BYTES_MAX
        || !call.mediaType().equals("application/json")) {
      return JsonObject.EMPTY;
    }
    try {
      return call.jsonObject();
    } catch (Problem e) {
      return JsonObject.EMPTY; // A route that takes no body does not read it.
    }
  }

  private static Json all(Json before, List<String> warnings) {
    List<Json> all = new ArrayList<>();
    if (before instanceof JsonArray(List<Json> items)) {
      all.addAll(items);
    }
    warnings.forEach(warning -> all.add(Json.of(warning)));
    return new JsonArray(all);
  }
}
