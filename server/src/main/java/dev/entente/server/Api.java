// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Ballots;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.Healings;
import dev.entente.cluster.HttpTransport;
import dev.entente.engine.Node;
import dev.entente.server.Problem.Code;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All routes over one node: finds the route, checks the caller, turns problems into answers. Free
 * of the web framework. Thread-safe.
 */
final class Api {
  private static final Logger LOG = System.getLogger(Api.class.getName());
  private final Auth auth;
  private final List<Route> routes;
  private final Sessions sessions;
  private final ClusterRoutes cluster;
  private final Authority authority;
  private final Steering steering;
  private volatile boolean open;

  Api(Node node, String token) {
    this(node, token, Optional.empty());
    open();
  }

  Api(Node node, String token, Optional<Peering> peering) {
    this.auth = new Auth(token, peering, node::nowMillis);
    this.sessions = new Sessions(node);
    RecentConflicts conflicts = new RecentConflicts();
    Metrics metrics = new Metrics(node);
    node.observe(conflicts::accept);
    node.observe(metrics::accept);
    this.authority = new Authority(node);
    this.steering = new Steering(node, authority);
    Route.Table table = new Route.Table();
    new RecordRoutes(node, authority).addTo(table);
    new SyncRoutes(node, authority, steering).addTo(table);
    new BatchRoutes(authority, steering).addTo(table);
    new FeedRoutes(node, conflicts).addTo(table);
    new ReviewRoutes(node, authority).addTo(table);
    new PolicyRoutes(node, authority, steering).addTo(table);
    new OperatorRoutes(node, metrics).addTo(table);
    new LockRoutes(authority).addTo(table);
    new DashboardRoutes(auth).addTo(table);
    this.cluster = new ClusterRoutes(node, metrics, authority);
    cluster.addTo(table);
    this.routes = table.routes();
  }

  /** From here on this node takes part in a cluster, whose voters have these names. */
  void join(
      Cluster joined, HttpTransport way, Healings healings, Ballots ballots, List<String> voters) {
    authority.join(joined, way, voters);
    steering.join(way);
    cluster.join(joined, way, healings, ballots);
  }

  /** From here on clients are answered: what the node can promise is known. */
  void open() {
    open = true;
  }

  Authority authority() {
    return authority;
  }

  List<Route> routes() {
    return routes;
  }

  /** The client who calls, once clients are answered. */
  private String client(Call call) {
    String name = auth.user(call);
    if (!open) {
      throw new Problem(Code.UNAVAILABLE, "the node is starting; try again in a second");
    }
    return name;
  }

  Reply answer(List<String> path, Call call) {
    try {
      List<String> methods = new ArrayList<>();
      for (Route route : routes) {
        Optional<Map<String, String>> params = route.match(path);
        if (params.isPresent()) {
          if (route.method().equals(call.method())) {
            String actor =
                switch (route.access()) {
                  case ANYONE -> "";
                  case USER -> client(call);
                  case NODE -> auth.node(call);
                };
            Call found = call.withParams(params.get(), actor);
            return route.access() == Route.Access.USER
                ? steering.steer(
                    route,
                    path,
                    found,
                    () -> sessions.within(found, () -> route.handler().apply(found)))
                : route.handler().apply(found);
          }
          methods.add(route.method());
        }
      }
      if (methods.isEmpty()) {
        auth.actor(call);
        throw new Problem(
            Code.NOT_FOUND, "there is nothing here; /openapi.yaml lists what there is");
      }
      throw new Problem(Code.METHOD_NOT_ALLOWED, "this takes " + String.join(", ", methods));
    } catch (Problem problem) {
      return Reply.problem(problem);
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "a request failed unexpectedly: " + call.method() + " " + path, e);
      return Reply.text(
          500,
          "application/problem+json",
          "{\"type\":\"about:blank\",\"title\":\"internal error\",\"status\":500,\"code\":\"internal\",\"detail\":\"this should not have happened; the node's log says more\"}");
    }
  }
}
