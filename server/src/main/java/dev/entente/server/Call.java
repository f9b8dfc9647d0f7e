// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.PercentText;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.json.JsonBatch;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Caller;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.access.Scope;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * One request, free of the web framework.
 *
 * @param params what the path's placeholders stand for, decoded
 * @param headers by lower-case name
 * @param peer where it comes from
 * @param caller who is calling; nobody where anybody may
 * @param callerNow who that is as of now; a problem where their credential is good no longer
 */
record Call(
    String method,
    Map<String, String> params,
    Map<String, String> query,
    Map<String, String> headers,
    byte[] body,
    Peer peer,
    Caller caller,
    Supplier<Caller> callerNow) {

  /**
   * The other end of a connection.
   *
   * @param address of the network, as text; empty where it has none
   * @param name what its certificate says; empty where it showed none
   * @param encrypted whether the connection is TLS
   */
  record Peer(String address, String name, boolean encrypted) {
    /** A peer on a plain connection. */
    Peer(String address, String name) {
      this(address, name, false);
    }

    /** Nobody knows. */
    static final Peer UNKNOWN = new Peer("", "");
  }

  /** A call that is not known to be from anybody. */
  Call(
      String method,
      Map<String, String> params,
      Map<String, String> query,
      Map<String, String> headers,
      byte[] body,
      Peer peer) {
    this(method, params, query, headers, body, peer, Caller.NOBODY, () -> Caller.NOBODY);
  }

  Call withParams(Map<String, String> found) {
    return new Call(method, found, query, headers, body, peer, caller, callerNow);
  }

  Call from(Caller who, Supplier<Caller> now) {
    return new Call(method, params, query, headers, body, peer, who, now);
  }

  /** Whether whoever calls still has the credential and all the grants that let them in. */
  boolean holds() {
    try {
      return callerNow.get().grants().containsAll(caller.grants());
    } catch (Problem problem) {
      return false;
    }
  }

  /** Refuses to go on, after a wait, where what let the caller in was taken away meanwhile. */
  void requireStill() {
    if (!holds()) {
      throw new Problem(
          Code.UNAUTHORIZED, "what let you in was taken away while you waited; nothing was done");
    }
  }

  /** What the path names: a record, a type, a tenant, or the node. */
  private Scope scope() {
    return new Scope(
        params.getOrDefault("tenant", Grant.ALL),
        params.getOrDefault("type", Grant.ALL),
        params.getOrDefault("id", Grant.ALL));
  }

  /** Authorizes what a request does to what its path names, under the name that this returns. */
  String acting(Permission permission) {
    return acting(permission, scope());
  }

  /** Refuses to go on where the caller was granted this for no type of the tenant. */
  void requireSomewhere(Permission permission) {
    if (!caller.maySomewhere(permission, tenant())) {
      throw new Problem(
          Code.FORBIDDEN, Caller.notGranted(permission, Scope.of(tenant(), Grant.ALL)));
    }
    if (!claimedAuthor().equals(caller.name())
        && !caller.maySomewhere(Permission.NAME_AUTHORS, tenant())) {
      throw new Problem(
          Code.FORBIDDEN, Caller.notThemselves(caller.name(), Scope.of(tenant(), Grant.ALL)));
    }
  }

  /**
   * Authorizes what a request does; the name under which it is recorded: the one in {@code
   * Entente-Author}, else the caller's own.
   */
  String acting(Permission permission, Scope scope) {
    return acting(permission, scope, claimedAuthor());
  }

  /** The same, where the body says under which name. */
  String acting(Permission permission, Scope scope, String actor) {
    caller
        .refusal(permission, scope, actor)
        .ifPresent(why -> {
          throw new Problem(Code.FORBIDDEN, why);
        });
    return actor;
  }

  /** The same for all records of a type of the tenant in the path. */
  String acting(Permission permission, String type) {
    return acting(permission, Scope.of(tenant(), type));
  }

  /** Whether the caller may do this to a record under a name. */
  boolean mayAct(Permission permission, RecordKey key, String actor) {
    return caller.refusal(permission, Scope.of(key), actor).isEmpty();
  }

  /** Whether the caller was granted this for records of a type. */
  boolean may(Permission permission, String type) {
    return caller.may(permission, tenant(), type);
  }

  String param(String name) {
    String value = params.get(name);
    if (value == null) {
      throw new IllegalStateException("the route has no " + name);
    }
    return value;
  }

  String tenant() {
    return name("tenant");
  }

  RecordKey key() {
    return new RecordKey(tenant(), name("type"), name("id"));
  }

  String name(String param) {
    return checkedName(param, param(param));
  }

  static String checkedName(String what, String name) {
    String problem = RecordKey.problemWith(name);
    if (problem != null) {
      throw new Problem(Code.INVALID, what + " " + problem);
    }
    return name;
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name.toLowerCase(Locale.ROOT)));
  }

  Optional<String> query(String name) {
    return Optional.ofNullable(query.get(name));
  }

  boolean flag(String name) {
    String value = query(name).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      throw new Problem(Code.INVALID, name + " takes true or false");
    }
    return value.equals("true");
  }

  /** A whole number in the query, within bounds. */
  int number(String name, int fallback, int min, int max) {
    Optional<String> text = query(name);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      int value = Integer.parseInt(text.get());
      if (value >= min && value <= max) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new Problem(Code.INVALID, name + " takes a whole number from " + min + " to " + max);
    }
    throw new Problem(Code.INVALID, name + " takes a whole number from " + min + " to " + max);
  }

  int limit() {
    return number("limit", Limits.PAGE_DEFAULT, 1, Limits.PAGE_MAX);
  }

  /** The body as JSON. */
  Json json(String... types) {
    requireType(types.length == 0 ? new String[] {"application/json"} : types);
    try {
      return JsonReader.strict().read(body);
    } catch (JsonProblem e) {
      throw problem(e);
    }
  }

  /** The body as an object with a list whose elements are read one by one. */
  JsonBatch batch(String list, int elementsMax) {
    requireType("application/json");
    try {
      return JsonBatch.read(body, list, elementsMax);
    } catch (JsonProblem e) {
      throw problem(e);
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    }
  }

  /** One element of such a list. */
  static Json element(JsonBatch.Element element) {
    try {
      return element.read();
    } catch (JsonProblem e) {
      throw problem(e);
    }
  }

  private static Problem problem(JsonProblem e) {
    return new Problem(
        e.tooLarge() ? Code.TOO_LARGE : Code.MALFORMED, String.valueOf(e.getMessage()));
  }

  /** A document, or a patch of one, which may not be nested too deeply. */
  static Json document(Json json) {
    try {
      return JsonReader.document(json);
    } catch (JsonProblem e) {
      throw new Problem(Code.TOO_LARGE, String.valueOf(e.getMessage()));
    }
  }

  JsonObject jsonObject(String... types) {
    if (json(types) instanceof JsonObject object) {
      return object;
    }
    throw new Problem(Code.INVALID, "the body must be a JSON object");
  }

  private void requireType(String... types) {
    String type = mediaType();
    if (!type.isEmpty() && !List.of(types).contains(type)) {
      throw new Problem(
          Code.UNSUPPORTED_MEDIA_TYPE,
          "the body is " + type + "; this takes " + String.join(", ", types));
    }
  }

  /** The media type without parameters; empty where none was sent. */
  String mediaType() {
    String header = header("content-type").orElse("");
    String type = header.contains(";") ? header.substring(0, header.indexOf(';')) : header;
    if (header.toLowerCase(Locale.ROOT).contains("charset=")
        && !header.toLowerCase(Locale.ROOT).contains("utf-8")) {
      throw new Problem(Code.UNSUPPORTED_MEDIA_TYPE, "bodies are UTF-8");
    }
    return type.strip().toLowerCase(Locale.ROOT);
  }

  /** Under whose name the caller asks to act; {@link #acting} says whether they may. */
  String claimedAuthor() {
    return method.equals("GET")
        ? caller.name()
        : textHeader("entente-author")
            .map(named -> checkedName("Entente-Author", named))
            .orElseGet(caller::name);
  }

  /** A header that holds text: ASCII, everything else percent-encoded as UTF-8. */
  Optional<String> textHeader(String name) {
    return header(name).map(value -> decoded(name, value));
  }

  /** A text that came percent-encoded, or 400: a name must not become another name on its way. */
  static String decoded(String what, String encoded) {
    try {
      return PercentText.decode(encoded);
    } catch (IllegalArgumentException e) {
      throw new Problem(
          Code.MALFORMED,
          what + " " + e.getMessage() + "; send ASCII, all else percent-encoded as UTF-8");
    }
  }

  static void only(JsonObject object, String what, Set<String> known) {
    for (String name : object.members().keys()) {
      if (!known.contains(name)) {
        throw new Problem(
            Code.INVALID,
            what
                + " has no member "
                + name
                + "; known are "
                + String.join(", ", known.stream().sorted().toList()));
      }
    }
  }

  /** A member that is true, false or left out; anything else is refused, and never means false. */
  static boolean flag(JsonObject object, String name) {
    Json value = object.get(name);
    if (value.isAbsent() || value instanceof JsonNull) {
      return false;
    }
    if (value instanceof JsonBool(boolean flag)) {
      return flag;
    }
    throw new Problem(Code.INVALID, name + " must be true or false");
  }

  static Optional<String> text(JsonObject object, String name) {
    Json value = object.get(name);
    if (value.isAbsent() || value instanceof JsonNull) {
      return Optional.empty();
    }
    if (value instanceof JsonString(String text)) {
      return Optional.of(text);
    }
    throw new Problem(Code.INVALID, name + " must be a text");
  }
}
