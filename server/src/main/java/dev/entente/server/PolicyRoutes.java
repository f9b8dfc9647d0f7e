// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.View;
import dev.entente.engine.Describe;
import dev.entente.engine.Node;
import dev.entente.engine.Review;
import dev.entente.engine.Snapshot;
import dev.entente.server.Problem.Code;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Policies: reading, putting in force, and trying a draft on recorded conflicts. */
final class PolicyRoutes {
  private static final String POLICY = "/v1/{tenant}/policies/{type}";
  private static final int PREVIEW_MAX = 10_000;
  private final Node node;

  PolicyRoutes(Node node) {
    this.node = node;
  }

  void addTo(Route.Table routes) {
    routes
        .get("/v1/{tenant}/policies", this::list)
        .get(POLICY, this::read)
        .put(POLICY, this::put)
        .post(POLICY + "/preview", this::preview);
  }

  private Reply list(Call call) {
    return Reply.json(200, JsonObject.of("types", Json.of(node.policyTypes(call.tenant()))));
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
    List<PolicyProblem> warnings =
        Writes.await(() -> {
          try {
            return node.putPolicy(tenant, text, call.author());
          } catch (PolicyException e) {
            throw problem(e);
          }
        });
    Map<String, Json> members = new TreeMap<>();
    members.put("type", Json.of(type));
    members.put("version", Json.of(loaded.policy().version()));
    members.put("warnings", Json.of(warnings.stream().map(w -> Json.of(w.toString())).toList()));
    return Reply.json(200, JsonObject.of(members));
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
   * Every record of the type that had a conflict to review, under the policy in force and under the
   * draft.
   */
  private Reply preview(Call call) {
    String tenant = call.tenant();
    String type = call.name("type");
    Policy draft = load(text(call), type).policy();
    List<Json> changed = new ArrayList<>();
    int looked = 0;
    Set<String> seen = new HashSet<>();
    for (Review review : recorded(tenant, type)) {
      if (!seen.add(review.key().id())) {
        continue;
      }
      looked++;
      Snapshot now = node.read(review.key());
      View then = Deriver.derive(now.key(), now.state(), draft);
      if (!then.data().equals(now.view().data()) || !statuses(then).equals(statuses(now.view()))) {
        changed.add(
            Json.of(
                Map.of(
                    "recordId", review.key().id(),
                    "now", Describe.orNull(now.view().data()),
                    "then", Describe.orNull(then.data()),
                    "nowConflicts", Describe.conflicts(now.key(), now.view().resolutions()),
                    "thenConflicts", Describe.conflicts(now.key(), then.resolutions()))));
      }
    }
    return Reply.json(
        200, JsonObject.of(Map.of("records", Json.of(looked), "changed", new JsonArray(changed))));
  }

  private static List<String> statuses(View view) {
    return view.resolutions().stream()
        .map(r -> r.conflict().label() + r.status() + r.strategy())
        .toList();
  }

  private List<Review> recorded(String tenant, String type) {
    List<Review> found = new ArrayList<>();
    for (Review.Status status : Review.Status.values()) {
      Optional<byte[]> after = Optional.empty();
      List<Review> page;
      do {
        page = node.reviews(tenant, status, after, Limits.PAGE_MAX);
        page.stream().filter(review -> review.key().type().equals(type)).forEach(found::add);
        after = page.isEmpty() ? after : Optional.of(Node.cursor(page.getLast()));
      } while (page.size() == Limits.PAGE_MAX && found.size() < PREVIEW_MAX);
    }
    return found;
  }
}
