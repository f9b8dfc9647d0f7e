// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.AuditEntry;
import dev.entente.engine.Describe;
import dev.entente.engine.Freeze;
import dev.entente.engine.Node;
import dev.entente.engine.Verification;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.watch.NodeSensors;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * What operators need: the audit log, freezes, the check of the chain, health, metrics, and the
 * description of all of this.
 */
final class OperatorRoutes {
  private static final int AUDIT_STEP = 500;

  private final Node node;
  private final Metrics metrics;

  private static final String REFUSE = "refuse";
  private static final String WAIT = "wait";
  private static final String ANY = "any";
  private static final String CONSISTENT = "consistent";

  private final NodeSensors sensors;
  private final Anchors anchors;
  private final WaitingLine line;

  /** Why this node refuses writes for now, if it does. */
  private final Supplier<Optional<String>> unready;

  private final Supplier<Set<String>> alerts;

  OperatorRoutes(
      Node node,
      Metrics metrics,
      NodeSensors sensors,
      WaitingLine line,
      Supplier<Optional<String>> unready,
      Supplier<Set<String>> alerts) {
    this.alerts = alerts;
    this.unready = unready;
    this.line = line;
    this.sensors = sensors;
    this.anchors = new Anchors(node);
    this.node = node;
    this.metrics = metrics;
  }

  void addTo(Route.Table routes) {
    routes
        .get(Permission.AUDIT, "/v1/cluster/audit", this::auditOfAll)
        .get(Permission.AUDIT, "/v1/cluster/audit/anchor", _ -> Reply.json(200, anchors.now()))
        .post(Permission.AUDIT, "/v1/cluster/audit/anchor", this::anchored)
        .get(Permission.AUDIT, "/v1/{tenant}/audit", this::audit)
        .some(Permission.READ, "GET", "/v1/{tenant}/freezes", this::freezes)
        .some(Permission.OPERATE, "POST", "/v1/{tenant}/freezes", this::freeze)
        .some(Permission.OPERATE, "DELETE", "/v1/{tenant}/freezes", this::thaw)
        .get(Permission.READ, "/v1/{tenant}/hotspots", this::hotspots)
        .post(Permission.OPERATE, "/v1/verify", this::verify)
        .get(Permission.OPERATE, "/v1/status", this::status)
        .get(
            Permission.OPERATE,
            "/metrics",
            _ -> Reply.text(200, "text/plain; version=0.0.4; charset=utf-8", metrics.scrape()))
        .open("GET", "/health/live", _ -> Reply.json(200, JsonObject.of("status", Json.of("live"))))
        .open("GET", "/health/ready", this::ready)
        .open("GET", "/openapi.yaml", _ -> Reply.text(200, "application/yaml", openApi()));
  }

  static String openApi() {
    try (InputStream in = OperatorRoutes.class.getResourceAsStream("/openapi.yaml")) {
      if (in == null) {
        throw new IllegalStateException("openapi.yaml is missing from the program");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Reply audit(Call call) {
    String tenant = call.tenant();
    return audit(call, entry -> entry.tenant().equals(tenant));
  }

  /** Whether the audit log is still what an anchor says it was. */
  private Reply anchored(Call call) {
    Optional<String> broken = anchors.broken(call.jsonObject());
    Map<String, Json> members = new TreeMap<>();
    members.put("holds", Json.of(broken.isEmpty()));
    broken.ifPresent(why -> members.put("broken", Json.of(why)));
    return Reply.json(200, JsonObject.of(members));
  }

  private Reply auditOfAll(Call call) {
    return audit(call, _ -> true);
  }

  /** Looks for a bounded time; a page may hold few entries and still go on. */
  private Reply audit(Call call, Predicate<AuditEntry> mine) {
    AuditFilter filter = AuditFilter.of(call);
    Cursors cursors = Cursors.of(call, "audit", node.id());
    long before = cursors.position().orElse(Long.MAX_VALUE);
    List<Json> found = new ArrayList<>();
    long began = System.nanoTime();
    boolean more = true;
    while (more && found.size() < call.limit() && System.nanoTime() - began < Limits.SEARCH_NANOS) {
      List<AuditEntry> looked = node.audit(_ -> true, before, AUDIT_STEP);
      more = looked.size() == AUDIT_STEP;
      for (AuditEntry entry : looked) {
        if (filter.isBefore(entry)) {
          more = false;
          break;
        }
        before = entry.sequence();
        if (mine.test(entry) && filter.lets(entry)) {
          found.add(entry(entry));
          if (found.size() == call.limit()) {
            more = true;
            break;
          }
        }
      }
    }
    Map<String, Json> members = new TreeMap<>();
    members.put("entries", Json.of(found));
    if (more) {
      members.put("next", Json.of(cursors.next(before)));
    }
    Reply reply = Reply.json(200, JsonObject.of(members));
    boolean nothing = found.isEmpty() && !more && cursors.position().isEmpty();
    return nothing ? UnknownNames.nothingHas(reply, "entry", filter.names()) : reply;
  }

  static Json entry(AuditEntry entry) {
    Map<String, Json> members = new TreeMap<>();
    members.put("sequence", Json.of(entry.sequence()));
    members.put("time", Describe.time(entry.time()));
    members.put("tenant", Json.of(entry.tenant()));
    members.put("actor", Json.of(entry.actor()));
    members.put("action", Json.of(entry.action()));
    members.put("subject", Json.of(entry.subject()));
    members.put("detail", Describe.orNull(entry.detail()));
    return JsonObject.of(members);
  }

  private Reply freezes(Call call) {
    Map<String, String> reasons = new TreeMap<>();
    List<Json> frozen = new ArrayList<>();
    for (Freeze freeze : node.freezes(call.tenant())) {
      String[] names = freeze.scope().split("/", 3);
      if (names.length == 1 || call.may(Permission.READ, RecordKey.nameOf(names[1]))) {
        reasons.put(freeze.scope(), freeze.reason());
        frozen.add(
            Json.of(
                Map.of(
                    "scope", Json.of(freeze.scope()),
                    "reason", Json.of(freeze.reason()),
                    "by", Json.of(freeze.by()),
                    "meanwhile", Json.of(freeze.waiting() ? WAIT : REFUSE),
                    "reads", Json.of(freeze.consistentReads() ? CONSISTENT : ANY),
                    "waiting", Json.of(line.waiting(freeze.scope())))));
      }
    }
    return Reply.json(
        200, JsonObject.of(Map.of("freezes", Json.of(reasons), "frozen", new JsonArray(frozen))));
  }

  private static String scope(Call call, JsonObject body) {
    Call.only(body, "a freeze", Set.of("type", "id", "reason", "meanwhile", "reads"));
    StringBuilder scope = new StringBuilder(RecordKey.scope(call.tenant()));
    Call.text(body, "type")
        .map(type -> Call.checkedName("type", type))
        .ifPresent(type -> scope.append('/').append(RecordKey.scope(type)));
    Call.text(body, "id")
        .ifPresent(id -> {
          if (body.get("type").isAbsent()) {
            throw new Problem(Code.INVALID, "a record is named by type and id");
          }
          scope.append('/').append(Call.checkedName("id", id));
        });
    return scope.toString();
  }

  /** Under whose name a scope is frozen or thawed. */
  private static String operator(Call call, JsonObject body) {
    return call.acting(Permission.OPERATE, Call.text(body, "type").orElse(Grant.ALL));
  }

  private Reply freeze(Call call) {
    JsonObject body = call.jsonObject();
    String scope = scope(call, body);
    String by = operator(call, body);
    String reason = Call.text(body, "reason").orElse("no reason was given");
    boolean waiting = oneOf(body, "meanwhile", REFUSE, WAIT);
    boolean consistent = oneOf(body, "reads", ANY, CONSISTENT);
    Freeze freeze = new Freeze(scope, reason, by, waiting, consistent);
    Writes.await(() -> node.freeze(freeze));
    return Reply.json(200, JsonObject.of("frozen", Json.of(scope)));
  }

  /** Whether a member says the second of two things; the first where it says nothing. */
  private static boolean oneOf(JsonObject body, String name, String first, String second) {
    String said = Call.text(body, name).orElse(first);
    if (!said.equals(first) && !said.equals(second)) {
      throw new Problem(Code.INVALID, name + " is " + first + " or " + second);
    }
    return said.equals(second);
  }

  private Reply thaw(Call call) {
    JsonObject body = call.jsonObject();
    String scope = scope(call, body);
    String by = operator(call, body);
    int waiting = line.waiting(scope);
    if (!Writes.await(() -> node.thaw(scope, by))) {
      throw new Problem(Code.NOT_FOUND, scope + " is not frozen");
    }
    // What was not frozen has no beginning to look for.
    long refused = refusedSinceFrozen(call.tenant(), scope);
    return Reply.json(
        200,
        JsonObject.of(
            Map.of(
                "thawed", Json.of(scope),
                "refused", Json.of(refused),
                "waited", Json.of(waiting))));
  }

  /** How many writes to a scope were refused since it was frozen; each stands in the audit log. */
  private long refusedSinceFrozen(String tenant, String scope) {
    AtomicLong refused = new AtomicLong();
    node.audit(
        entry -> {
          boolean within = entry.subject().equals(scope) || entry.subject().startsWith(scope + "/");
          if (entry.tenant().equals(tenant) && entry.action().equals("rejected") && within) {
            refused.incrementAndGet();
          }
          return entry.tenant().equals(tenant)
              && entry.action().equals("freeze")
              && entry.subject().equals(scope);
        },
        Long.MAX_VALUE,
        1);
    return refused.get();
  }

  private Reply hotspots(Call call) {
    return Reply.json(
        200, JsonObject.of("hotspots", metrics.hotspots(call.tenant(), call.limit())));
  }

  private Reply verify(Call call) {
    Verification result = node.verify(_ -> {});
    sensors.verified(result.broken());
    Map<String, Json> members = new TreeMap<>();
    members.put("entries", Json.of(result.entries()));
    members.put("versions", Json.of(result.versions()));
    members.put("intact", Json.of(result.broken().isEmpty()));
    result.broken().ifPresent(broken -> members.put("broken", Json.of(broken)));
    return Reply.json(200, JsonObject.of(members));
  }

  private Reply status(Call call) {
    Map<String, Json> members = new TreeMap<>();
    members.put("node", Json.of(node.id().value()));
    members.put("position", Json.of(node.position()));
    members.put("waiting", Json.of(node.waiting()));
    return Reply.json(200, JsonObject.of(members));
  }

  private Reply ready(Call call) {
    if (node.failure().isPresent()) {
      throw new Problem(
          Code.UNAVAILABLE,
          "the node has stopped: its store failed; look at its log and restart it");
    }
    unready
        .get()
        .ifPresent(why -> {
          throw new Problem(Code.UNAVAILABLE, why);
        });
    return Reply.json(200, Json.of(Map.of("status", "ready", "alerts", List.copyOf(alerts.get()))));
  }
}
