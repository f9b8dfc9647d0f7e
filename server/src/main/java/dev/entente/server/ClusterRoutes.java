// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Cluster;
import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.LinkStatus;
import dev.entente.cluster.Member;
import dev.entente.cluster.PullRequest;
import dev.entente.cluster.Wire;
import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.codec.ByteReader.DamagedException;
import dev.entente.server.Problem.Code;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** What other nodes ask, and how the cluster is, as this node sees it. */
final class ClusterRoutes {
  private static final long WAIT_MILLIS_MAX = 30_000;

  /** How many other nodes are answered at a time. */
  private static final int ANSWERS_MAX = 64;

  private final Node node;
  private final Metrics metrics;
  private final Semaphore answers = new Semaphore(ANSWERS_MAX);
  private volatile @Nullable Cluster cluster;

  ClusterRoutes(Node node, Metrics metrics) {
    this.node = node;
    this.metrics = metrics;
  }

  void join(Cluster joined) {
    cluster = joined;
    metrics.follow(joined);
  }

  void addTo(Route.Table routes) {
    routes
        .forNodes("POST", HttpTransport.PATH, this::pull)
        .get("/v1/cluster", this::status)
        .put("/v1/cluster/links/{node}", this::link)
        .delete("/v1/cluster/members/{node}", this::depart);
  }

  private Cluster cluster() {
    Cluster joined = cluster;
    if (joined == null) {
      throw new Problem(
          Code.NOT_FOUND, "this node takes part in no cluster; serve it with --peers or --secret");
    }
    return joined;
  }

  private Reply pull(Call call) {
    long receivedAt = node.nowMillis();
    PullRequest request;
    try {
      request = Wire.request(call.body());
    } catch (DamagedException e) {
      throw new Problem(Code.MALFORMED, String.valueOf(e.getMessage()));
    }
    if (!answers.tryAcquire()) {
      throw new Problem(Code.TOO_FAST, "more than " + ANSWERS_MAX + " nodes ask at a time");
    }
    try {
      if (cluster().isCut(request.from())) {
        throw new Problem(Code.UNAVAILABLE, "an operator has cut this link");
      }
      waitForMore(request);
      if (cluster().isCut(request.from())) {
        throw new Problem(Code.UNAVAILABLE, "an operator has cut this link");
      }
      return Reply.bytes(200, Wire.MEDIA_TYPE, Wire.toBytes(cluster().answer(request, receivedAt)));
    } finally {
      answers.release();
    }
  }

  private void waitForMore(PullRequest request) {
    if (request.to().equals(Optional.of(node.id()))) {
      try {
        node.awaitBehind(request.after(), Math.min(WAIT_MILLIS_MAX, request.waitMillis()));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new Problem(Code.UNAVAILABLE, "the node is stopping");
      }
    }
  }

  private Reply status(Call call) {
    Map<String, Json> members = new TreeMap<>();
    members.put("node", Json.of(node.id().value()));
    members.put("position", Json.of(node.position()));
    Map<String, Json> known = new TreeMap<>();
    node.known().entries().forEach((who, number) -> known.put(who.value(), Json.of(number)));
    members.put("known", JsonObject.of(known));
    Cluster joined = cluster;
    members.put("url", Json.of(joined == null ? "" : joined.config().url()));
    members.put(
        "members",
        Json.of(
            joined == null
                ? List.of()
                : joined.members().stream().map(ClusterRoutes::member).toList()));
    members.put(
        "links",
        Json.of(
            joined == null
                ? List.of()
                : joined.status().stream()
                    .map(status -> link(status, joined.config().clockToleranceMillis()))
                    .toList()));
    return Reply.json(200, JsonObject.of(members));
  }

  private static Json member(Member member) {
    return Json.of(
        Map.of("node", member.node().value(), "url", member.url(), "departed", member.departed()));
  }

  private static Json link(LinkStatus status, long toleranceMillis) {
    Map<String, Json> members = new TreeMap<>();
    members.put("url", Json.of(status.url()));
    members.put("node", status.peer().<Json>map(p -> Json.of(p.value())).orElse(JsonNull.NULL));
    members.put("state", Json.of(status.state().label()));
    members.put("behind", Json.of(status.behind()));
    members.put("behindMillis", Json.of(status.behindMillis()));
    members.put("roundTripMillis", Json.of(status.roundTripMillis()));
    members.put("clockOffsetMillis", Json.of(status.clockOffsetMillis()));
    members.put("clockErrorMillis", Json.of(status.clockErrorMillis()));
    members.put("clockBeyondTolerance", new JsonBool(status.clockIsBeyond(toleranceMillis)));
    members.put("phi", Json.of(Math.round(status.phi() * 10) / 10.0));
    members.put("silentMillis", Json.of(status.silentMillis()));
    members.put("applied", Json.of(status.applied()));
    members.put("problem", Json.of(status.problem()));
    return JsonObject.of(members);
  }

  private Reply link(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a link", Set.of("cut"));
    if (!(body.get("cut") instanceof JsonBool cut)) {
      throw new Problem(Code.INVALID, "send {\"cut\": true} or {\"cut\": false}");
    }
    NodeId peer = nodeId(call);
    if (!cluster().cut(peer, cut.value())) {
      throw new Problem(Code.NOT_FOUND, "there is no link to " + peer);
    }
    return status(call);
  }

  private Reply depart(Call call) {
    NodeId who = nodeId(call);
    if (!cluster().depart(who)) {
      throw new Problem(Code.NOT_FOUND, who + " is no other member");
    }
    return status(call);
  }

  private static NodeId nodeId(Call call) {
    try {
      return new NodeId(call.param("node"));
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    }
  }
}
