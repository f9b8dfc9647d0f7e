// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Ballots;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.CoordinatorHost;
import dev.entente.cluster.Healings;
import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.Seats;
import dev.entente.cluster.VersionPatrol;
import dev.entente.cluster.group.Group;
import dev.entente.core.causality.NodeId;
import dev.entente.engine.Node;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.PrunedException;
import dev.entente.engine.Registry;
import dev.entente.engine.Retention;
import dev.entente.engine.ScopedCheckpoints;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.StoreException;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Accounts;
import dev.entente.server.access.Caller;
import dev.entente.server.access.OpenId;
import dev.entente.server.access.Permission;
import dev.entente.server.access.RateLimits;
import dev.entente.server.recovery.Eraser;
import dev.entente.server.recovery.Jobs;
import dev.entente.server.recovery.Pruner;
import dev.entente.server.recovery.Scrubber;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * All routes over one node: finds the route, checks the caller, turns problems into answers. Free
 * of the web framework. Thread-safe.
 */
final class Api {
  private static final Logger LOG = System.getLogger(Api.class.getName());
  private final Auth auth;
  private final List<Route> routes;
  private final UnknownNames unknown;
  private final QueryParameters parameters = QueryParameters.of(OperatorRoutes.openApi());
  private final Sessions sessions;
  private final ClusterRoutes cluster;
  private final Authority authority;
  private final Steering steering;
  private final Throttle throttle;
  private final Watch watch;
  private final Metrics metrics;
  private static final Duration LOOKS = Duration.ofSeconds(1);
  private static final Duration PRUNES = Duration.ofHours(1);

  /** Who waited so long for what they read is looked at again before they get it. */
  private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final Duration SCRUB_LOOKS = Duration.ofSeconds(1);
  private static final Duration ERASES = Duration.ofSeconds(5);

  private final Jobs jobs;
  private final SecondPersons secondPersons;
  private final Tracing tracing;
  private final Pruner pruner;
  private final Eraser eraser;
  private final WaitingLine line;
  private final HostNames hosts;
  private final Scrubber scrubber;
  private volatile boolean open;
  private volatile boolean stopping;
  private volatile Supplier<Optional<String>> steppedBack = Optional::empty;

  Api(Node node, ServerConfig config) throws IOException {
    this.hosts = new HostNames(config);
    Accounts accounts = new Accounts(node);
    Optional<OpenId> openId =
        config.openId().isPresent()
            ? Optional.of(new OpenId(config.openId().get(), accounts, node::nowMillis))
            : Optional.empty();
    this.sessions = new Sessions(node);
    this.unknown = new UnknownNames(node);
    Spans spans = new Spans();
    this.tracing =
        config
            .traces()
            .map(target -> Tracing.of(target, node.id().value(), spans))
            .orElseGet(Tracing::none);
    RecentConflicts conflicts = new RecentConflicts(node::nowMillis);
    this.metrics = new Metrics(node);
    metrics.count(spans);
    this.watch = new Watch(node, config.watching(), metrics);
    config.tls().ifPresent(watch::watch);
    node.observe(conflicts::accept);
    node.observe(new ConflictLog()::accept);
    node.observe(metrics::accept);
    node.observe(watch::accept);
    this.throttle = new Throttle(node, metrics, new RateLimits(config.limits(), System::nanoTime));
    this.auth = new Auth(config, accounts, openId, throttle, node::nowMillis);
    this.authority = new Authority(node);
    this.secondPersons = new SecondPersons(node, authority);
    node.observe(secondPersons::accept);
    this.steering = new Steering(node, authority, auth::credential);
    Route.Table table = new Route.Table();
    NodeNames names = new NodeNames(node, this::members);
    new RecordRoutes(node, authority, names).addTo(table);
    new SyncRoutes(node, authority, steering, throttle, names).addTo(table);
    new BatchRoutes(node, authority, steering, throttle, names).addTo(table);
    new FeedRoutes(node, conflicts).addTo(table);
    this.jobs = new Jobs(node);
    ReviewRoutes reviews = new ReviewRoutes(node, authority, jobs);
    reviews.addTo(table);
    new SavedViews(node).addTo(table);
    new PolicyRoutes(node, authority, steering).addTo(table);
    this.line = new WaitingLine(node);
    new OperatorRoutes(node, metrics, watch.sensors(), line, this::unready, watch::critical)
        .addTo(table);
    new LockRoutes(authority, auth::credential).addTo(table);
    new DashboardRoutes(auth).addTo(table);
    watch.addTo(table);
    Retention retention =
        new Retention(node, config.safety().retentionDays(), config.safety().retentionVersions());
    this.pruner = new Pruner(node, retention, this::members);
    new RetentionRoutes(retention, pruner, jobs).addTo(table);
    this.eraser = new Eraser(node, retention, this::members);
    new SubjectRoutes(node, authority, eraser, reviews::whole).addTo(table);
    this.scrubber = new Scrubber(node, config.checkpoints(node), config.safety().scrub());
    watch.watch(scrubber);
    ScopedCheckpoints checkpoints = new ScopedCheckpoints(node);
    new CheckpointRoutes(node, config.checkpoints(node), checkpoints).addTo(table);
    new RecoveryRoutes(node, authority, jobs, checkpoints, scrubber).addTo(table);
    new AccountRoutes(node, accounts).addTo(table);
    this.cluster = new ClusterRoutes(node, metrics, authority, watch.sensors(), auth);
    cluster.addTo(table);
    this.routes = table.routes();
  }

  /** From here on this node takes part in a cluster, whose voters have these names. */
  void join(
      Cluster joined,
      HttpTransport way,
      Healings healings,
      Ballots ballots,
      Seats seats,
      List<String> voters) {
    authority.join(joined, CoordinatorHost.of(joined.node(), way), voters);
    steering.join(way);
    cluster.join(joined, way, healings, ballots, seats);
    watch.join(joined, authority, seats, healings);
    steppedBack = seats::steppedBack;
    metrics.agreement(
        () -> authority.group().map(Group::quarantined).orElse(0L),
        () -> seats.steppedBack().isPresent());
  }

  /** From here on it is told where other nodes hold other versions than this one. */
  void watch(VersionPatrol patrol) {
    cluster.watch(patrol);
    watch.watch(patrol);
  }

  /** Why some or all writes are answered 503 for now, if they are. */
  private Optional<String> unready() {
    if (stopping) {
      return Optional.of("the node is stopping");
    }
    return open
        ? steppedBack
            .get()
            .map(why -> "this voter has stepped back: " + why)
            .or(authority::stepsDown)
            .or(authority::disagrees)
        : Optional.of("the node is starting");
  }

  private List<NodeId> members() {
    return cluster.members();
  }

  /** From here on clients are answered: what the node can promise is known. */
  void open() {
    open = true;
  }

  /** From here on nobody is answered but who asks how the node is. */
  void stop() {
    stopping = true;
  }

  /** Counts what came and is no request. */
  void malformed() {
    metrics.malformed();
  }

  Tracing tracing() {
    return tracing;
  }

  Jobs jobs() {
    return jobs;
  }

  /** What is done for the routes over and over. */
  void begin(Chores chores) {
    watch.begin(chores);
    chores.every(LOOKS, "what two persons approved", secondPersons::look);
    chores.every(LOOKS, "who began long work", jobs::look);
    chores.every(PRUNES, "what is too old", pruner::turn);
    chores.every(SCRUB_LOOKS, "scrub", scrubber::turn);
    chores.every(ERASES, "what was erased", eraser::turn);
  }

  Watch watch() {
    return watch;
  }

  Authority authority() {
    return authority;
  }

  List<Route> routes() {
    return routes;
  }

  /** The call, with the client who makes it, once clients are answered. */
  private Call client(Route route, Call call) {
    Caller caller = auth.user(call);
    if (call.header(Steering.FORWARDED).isPresent() && !Steering.isSentOn(route)) {
      throw new Problem(Code.FORBIDDEN, "nodes do not send on requests of this kind");
    }
    if (call.header(Steering.FORWARDED).isPresent()) {
      cluster.requireMember(call);
    }
    if (!open) {
      throw new Problem(Code.UNAVAILABLE, "the node is starting; try again in a second");
    }
    if (call.header(Steering.FORWARDED).isEmpty()) {
      throttle.request(caller, Optional.ofNullable(call.params().get("tenant")));
    }
    return call.from(caller, () -> auth.user(call));
  }

  Reply answer(List<String> path, Call call) {
    try {
      List<String> methods = new ArrayList<>();
      for (Route route : routes) {
        Optional<Map<String, String>> params = route.match(path);
        if (params.isPresent()) {
          if (route.method().equals(call.method())) {
            Call named = call.withParams(params.get());
            if (!isOfNodes(route, call)) {
              hosts.require(call);
            }
            return tracing.request(route, named, () -> answered(route, path, named));
          }
          methods.add(route.method());
        }
      }
      hosts.require(call);
      if (methods.isEmpty()) {
        auth.caller(call);
        throw new Problem(
            Code.NOT_FOUND, "there is nothing here; /openapi.yaml lists what there is");
      }
      throw new Problem(Code.METHOD_NOT_ALLOWED, "this takes " + String.join(", ", methods));
    } catch (Problem problem) {
      return Reply.problem(problem);
    } catch (RuntimeException e) {
      return failed(call.method(), path, e);
    }
  }

  /** What shows the secret of nodes, or is refused, does not come from a page. */
  private static boolean isOfNodes(Route route, Call call) {
    return route.access() instanceof Route.Access.OfNodes
        || (call.header(Steering.FORWARDED).isPresent() && Steering.isSentOn(route));
  }

  private Reply answered(Route route, List<String> path, Call call) {
    try {
      return answer(route, path, call);
    } catch (Problem problem) {
      return Reply.problem(problem);
    } catch (PrunedException e) {
      return Reply.problem(new Problem(Code.GONE, String.valueOf(e.getMessage())));
    } catch (RuntimeException e) {
      return failed(call.method(), path, e);
    }
  }

  /**
   * The answer where something failed that should not have; the log says what. A node that stops,
   * or whose data are damaged, is unavailable.
   */
  static Reply failed(String method, List<String> path, Throwable e) {
    Optional<String> unavailable = unavailable(e);
    if (unavailable.isPresent()) {
      LOG.log(Level.DEBUG, "not answered: " + method + " " + path + ": " + e.getMessage());
      return Reply.problem(new Problem(Code.UNAVAILABLE, unavailable.get()));
    }
    LOG.log(Level.ERROR, "a request failed unexpectedly: " + method + " " + path, e);
    return Reply.text(
        500,
        "application/problem+json",
        "{\"type\":\"about:blank\",\"title\":\"internal"
            + " error\",\"status\":500,\"code\":\"internal\",\"detail\":\"this should not have"
            + " happened; the node's log says more\"}");
  }

  private static Optional<String> unavailable(Throwable e) {
    return switch (e instanceof CompletionException && e.getCause() != null ? e.getCause() : e) {
      case DamagedStoreException _ ->
          Optional.of("what was asked for is damaged on this node's disk; ask another node");
      case StoreException _, NodeStoppedException _ ->
          Optional.of("the node is stopping; ask another node, or try again later");
      default -> Optional.empty();
    };
  }

  private Reply answer(Route route, List<String> path, Call call) {
    if (stopping && !route.access().equals(new Route.Access.Anyone())) {
      throw new Problem(
          Code.UNAVAILABLE, "the node is stopping; ask another node, or try again later");
    }
    return switch (route.access()) {
      case Route.Access.Anyone() -> route.handler().apply(call);
      case Route.Access.OfNodes() -> ofNode(route, call);
      case Route.Access.SignedIn() -> here(route, path, client(route, call));
      case Route.Access.Granted(Permission permission) -> {
        Call known = client(route, call);
        known.acting(permission);
        if (!route.pattern().startsWith(RecordRoutes.RECORD)) {
          yield here(route, path, known);
        }
        if (permission == Permission.WRITE) {
          throttle.change(known.caller(), known.key());
          yield line.inTurn(known.key(), known::requireStill, () -> here(route, path, known));
        }
        cluster.requireConsistent(known.key());
        yield here(route, path, known);
      }
      case Route.Access.GrantedSome(Permission permission) -> {
        Call known = client(route, call);
        known.requireSomewhere(permission);
        yield here(route, path, known);
      }
    };
  }

  /** Answers another node; what no node asks is told of who asked it. */
  private Reply ofNode(Route route, Call call) {
    Caller who = new Caller(auth.node(call), List.of());
    cluster.requireMember(call);
    try {
      return route.handler().apply(call.from(who, () -> Caller.NOBODY));
    } catch (Problem problem) {
      if (problem.code() == Code.MALFORMED || problem.code() == Code.INVALID) {
        cluster.fault(call, route.method() + " " + route.pattern() + ": " + problem.getMessage());
      }
      throw problem;
    }
  }

  /** Answers somebody who may ask: here, or by the node that accepts such records. */
  private Reply here(Route route, List<String> path, Call call) {
    if (Registry.TENANT.equals(call.params().get("tenant"))) {
      throw new Problem(Code.NOT_FOUND, "there is no such tenant");
    }
    parameters.check(route, call);
    long began = System.nanoTime();
    Reply reply =
        steering.steer(
            route, path, call, () -> sessions.within(call, () -> route.handler().apply(call)));
    if (call.method().equals("GET") && System.nanoTime() - began > LONG_NANOS) {
      call.requireStill();
    }
    return unknown.warned(route, call, reply).whileAllowed(call::holds);
  }
}
