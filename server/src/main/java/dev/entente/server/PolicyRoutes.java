// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Describe;
import dev.entente.engine.Judgement;
import dev.entente.engine.Node;
import dev.entente.engine.PolicyImpact;
import dev.entente.engine.RecordedConflict;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Policies: reading, putting in force, and trying a draft on recorded conflicts. */
final class PolicyRoutes {
  private static final String POLICY = "/v1/{tenant}/policies/{type}";

  /** How many recorded conflicts are looked at, the newest first. */
  private static final int RECORDED_MAX = 10_000;

  /** How many changed outcomes are listed; all are counted. */
  private static final int CHANGED_MAX = 1_000;

  private final Node node;
  private final Authority authority;
  private final Steering steering;

  PolicyRoutes(Node node, Authority authority, Steering steering) {
    this.node = node;
    this.authority = authority;
    this.steering = steering;
  }

  void addTo(Route.Table routes) {
    routes
        .some(Permission.READ, "GET", "/v1/{tenant}/policies", this::list)
        .get(Permission.READ, POLICY, this::read)
        .put(Permission.ADMINISTER, POLICY, this::put)
        .post(Permission.OPERATE, POLICY + "/preview", this::preview)
        .get(Permission.OPERATE, POLICY + "/hits", this::hits)
        .get(Permission.OPERATE, POLICY + "/advice", this::advice);
  }

  private Reply list(Call call) {
    return Reply.json(
        200,
        JsonObject.of(
            "types",
            Json.of(
                node.policyTypes(call.tenant()).stream()
                    .filter(type -> call.may(Permission.READ, type))
                    .toList())));
  }

  private Reply read(Call call) {
    String text =
        node.policyText(call.tenant(), call.name("type"))
            .orElseThrow(() ->
                new Problem(
                    Code.NOT_FOUND,
                    "no policy was put for this type; every conflict goes to review"));
    return Reply.text(200, "application/yaml", text)
        .with("ETag", '"' + node.policy(call.tenant(), call.name("type")).version() + '"');
  }

  private Reply put(Call call) {
    String tenant = call.tenant();
    String type = call.name("type");
    String text = text(call);
    PolicyLoader.Loaded loaded = load(text, type);
    Optional<Authority.Place.There> there = elsewhere(tenant, loaded);
    if (there.isPresent()) {
      return steering.forward(
          there.get(), call, List.of("v1", tenant, "policies", type), call.body());
    }
    PolicyImpact impact = PolicyImpact.of(node, tenant, loaded.policy());
    List<PolicyProblem> warnings =
        Writes.await(() -> {
          try {
            return authority.putPolicy(tenant, loaded, text, call.acting(Permission.ADMINISTER));
          } catch (PolicyException e) {
            throw problem(e);
          }
        });
    Map<String, Json> members = new TreeMap<>();
    members.put("type", Json.of(type));
    members.put("version", Json.of(loaded.policy().version()));
    members.put("warnings", Json.of(warnings.stream().map(w -> Json.of(w.toString())).toList()));
    members.putAll(hits(impact));
    return Reply.json(200, JsonObject.of(members));
  }

  /** What the policy in force hits in the records that are there now, and what waits for people. */
  private Reply hits(Call call) {
    String tenant = call.tenant();
    Policy policy = node.policy(tenant, call.name("type"));
    long open =
        node.openReviews().entrySet().stream()
            .filter(of -> of.getKey().tenant().equals(tenant))
            .filter(of -> of.getKey().type().equals(policy.type()))
            .mapToLong(Map.Entry::getValue)
            .sum();
    Map<String, Json> members = new TreeMap<>(hits(PolicyImpact.of(node, tenant, policy)));
    members.put("version", Json.of(policy.version()));
    members.put("pendingReviews", Json.of(open));
    return Reply.json(200, JsonObject.of(members));
  }

  /** What a policy hits in the records that are there. */
  private static Map<String, Json> hits(PolicyImpact impact) {
    List<Json> hits = new ArrayList<>();
    for (PolicyImpact.Hit hit : impact.hits()) {
      hits.add(
          Json.of(
              Map.of(
                  "message",
                  hit.sentence(impact.isComplete()),
                  "records",
                  hit.count(),
                  "example",
                  hit.example())));
    }
    return Map.of(
        "hits",
        new JsonArray(hits),
        "recordsLookedAt",
        Json.of(impact.records()),
        "allLookedAt",
        Json.of(impact.isComplete()));
  }

  private Optional<Authority.Place.There> elsewhere(String tenant, PolicyLoader.Loaded loaded) {
    try {
      return authority.awaitPlaceOf(tenant, loaded.policy()) instanceof Authority.Place.There there
          ? Optional.of(there)
          : Optional.empty();
    } catch (InterruptedException e) {
      throw stopping();
    }
  }

  private static Problem stopping() {
    Thread.currentThread().interrupt();
    return new Problem(Code.UNAVAILABLE, "the node is stopping");
  }

  private static String text(Call call) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(call.body())).toString();
    } catch (CharacterCodingException e) {
      throw new Problem(Code.MALFORMED, "the policy is not valid UTF-8");
    }
  }

  private static PolicyLoader.Loaded load(String text, String type) {
    try {
      PolicyLoader.Loaded loaded = PolicyLoader.load(text);
      if (!loaded.policy().type().equals(type)) {
        throw new Problem(
            Code.INVALID, "the policy is for the type " + loaded.policy().type() + ", not " + type);
      }
      return loaded;
    } catch (PolicyException e) {
      throw problem(e);
    }
  }

  private static Problem problem(PolicyException e) {
    List<Json> problems = new ArrayList<>();
    for (PolicyProblem problem : e.problems()) {
      problems.add(
          Json.of(
              Map.of(
                  "line",
                  problem.line(),
                  "column",
                  problem.column(),
                  "message",
                  problem.message())));
    }
    return new Problem(
        Code.INVALID, String.valueOf(e.getMessage()), Map.of("problems", new JsonArray(problems)));
  }

  /**
   * How many recorded conflicts are looked at, the latest; all that can be where it is not said.
   */
  private static int latest(Call call) {
    return call.number("latest", RECORDED_MAX, 1, RECORDED_MAX);
  }

  /** What a draft would make of the recorded conflicts, and every outcome that would change. */
  private Reply preview(Call call) {
    String type = call.name("type");
    Policy draft = load(text(call), type).policy();
    int latest = latest(call);
    List<RecordedConflict> recorded = node.recordedConflicts(call.tenant(), type, latest + 1);
    boolean more = recorded.size() > latest;
    Judgement.Preview preview =
        Judgement.preview(more ? recorded.subList(0, latest) : recorded, draft);
    List<Judgement.Change> changes = preview.changes();
    Map<String, Json> members = new TreeMap<>();
    members.put("conflicts", Json.of(preview.units()));
    members.putAll(hits(PolicyImpact.of(node, call.tenant(), draft)));
    members.put("settledNow", Json.of(preview.settledNow()));
    members.put("settledThen", Json.of(preview.settledThen()));
    members.put("decided", Json.of(preview.decided()));
    members.put("decidedAlike", Json.of(preview.alike()));
    members.put("olderLeftOut", Json.of(more));
    members.put("changes", Json.of(changes.size()));
    members.put(
        "changed",
        Json.of(changes.stream().limit(CHANGED_MAX).map(PolicyRoutes::changed).toList()));
    return Reply.json(200, JsonObject.of(members));
  }

  private static Json changed(Judgement.Change change) {
    RecordKey key = change.conflict().version().key();
    Map<String, Json> members = new TreeMap<>();
    members.put("recordId", Json.of(key.id()));
    members.put("unit", Json.of(change.unit()));
    members.put("at", Describe.time(change.conflict().version().acceptedAt()));
    change.now().ifPresent(now -> members.put("now", Describe.conflict(key, now)));
    change.then().ifPresent(then -> members.put("then", Describe.conflict(key, then)));
    change.decided().ifPresent(value -> members.put("decided", value));
    return JsonObject.of(members);
  }

  /** Which cells and strategies the recorded conflicts and what people decided speak for. */
  private Reply advice(Call call) {
    String type = call.name("type");
    List<RecordedConflict> recorded = node.recordedConflicts(call.tenant(), type, latest(call));
    List<Json> advice = new ArrayList<>();
    for (Judgement.Advice one : Judgement.advise(recorded, node.policy(call.tenant(), type))) {
      advice.add(
          Json.of(
              Map.of(
                  "unit", one.unit(),
                  "conflicts", one.conflicts(),
                  "decisions", one.decisions(),
                  "proposal", one.proposal(),
                  "why", one.why(),
                  "effect", one.effect())));
    }
    return Reply.json(
        200,
        JsonObject.of(
            Map.of("moments", Json.of(recorded.size()), "advice", new JsonArray(advice))));
  }
}
