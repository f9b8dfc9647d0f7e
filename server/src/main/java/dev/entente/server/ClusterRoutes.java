// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Agreement;
import dev.entente.cluster.Authority;
import dev.entente.cluster.Ballots;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.Healings;
import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.Link;
import dev.entente.cluster.LinkReport;
import dev.entente.cluster.LinkState;
import dev.entente.cluster.LinkStatus;
import dev.entente.cluster.Member;
import dev.entente.cluster.NodeReport;
import dev.entente.cluster.RemoteReplica;
import dev.entente.cluster.Seats;
import dev.entente.cluster.Transport;
import dev.entente.cluster.UnavailableException;
import dev.entente.cluster.VersionPatrol;
import dev.entente.cluster.group.Consensus;
import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.SplitBrain;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Describe;
import dev.entente.engine.Freeze;
import dev.entente.engine.Node;
import dev.entente.engine.PeerFaults;
import dev.entente.engine.Sender;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import dev.entente.server.access.PlantedAccess;
import dev.entente.server.watch.NodeSensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** How the cluster is, as this node sees it, and what operators do with it. */
final class ClusterRoutes {
  private final Node node;
  private final Metrics metrics;
  private final Authority authority;
  private volatile @Nullable Cluster cluster;
  private volatile @Nullable Transport transport;
  private volatile @Nullable Healings healings;
  private volatile @Nullable Ballots ballots;
  private volatile @Nullable Seats seats;
  private volatile @Nullable VersionPatrol patrol;

  private final NodeSensors sensors;
  private final NodeRoutes nodes;
  private final Auth auth;

  ClusterRoutes(Node node, Metrics metrics, Authority authority, NodeSensors sensors, Auth auth) {
    this.auth = auth;
    this.sensors = sensors;
    this.authority = authority;
    this.node = node;
    this.metrics = metrics;
    this.nodes = new NodeRoutes(node, authority, auth, this::cluster, this::seats, this::ballots);
  }

  void join(Cluster joined, Transport way, Healings followed, Ballots cast, Seats taken) {
    seats = taken;
    healings = followed;
    ballots = cast;
    transport = way;
    cluster = joined;
    metrics.follow(joined);
  }

  /** From here on the status says where other nodes hold other versions than this one. */
  void watch(VersionPatrol watched) {
    patrol = watched;
  }

  void addTo(Route.Table routes) {
    nodes.addTo(routes);
    routes
        .put(Permission.ADMINISTER, "/v1/cluster/voters/{voter}", this::letIn)
        .delete(Permission.ADMINISTER, "/v1/cluster/voters/{voter}", this::remove)
        .put(Permission.ADMINISTER, "/v1/cluster/split-brain", this::settle)
        .post(Permission.OPERATE, "/v1/cluster/verify", this::verify)
        .post(Permission.ADMINISTER, "/v1/cluster/clock", this::acceptClock)
        .post(Permission.ADMINISTER, "/v1/cluster/held/{node}/admit", this::admit)
        .get(Permission.OPERATE, "/v1/cluster", this::status)
        .get(Permission.READ, "/v1/cluster/records/{tenant}/{type}/{id}", this::everywhere)
        .get(Permission.OPERATE, "/v1/cluster/healings", this::healings)
        .post(Permission.OPERATE, "/v1/cluster/healings/{node}/preview", this::preview)
        .put(Permission.OPERATE, "/v1/cluster/links/{node}", this::link)
        .delete(Permission.OPERATE, "/v1/cluster/members/{node}", this::depart)
        .post(Permission.ADMINISTER, "/v1/cluster/members/{node}/readmit", this::readmit);
  }

  /**
   * The nodes that have not left for good; this one alone where there is no cluster, and none while
   * it has not met its cluster yet.
   */
  List<NodeId> members() {
    Cluster joined = cluster;
    return joined == null ? List.of(node.id()) : joined.acquainted();
  }

  private Cluster cluster() {
    Cluster joined = cluster;
    if (joined == null) {
      throw new Problem(
          Code.NOT_FOUND,
          "this node takes part in no cluster; serve it with ENTENTE_SECRET or --secret-file");
    }
    return joined;
  }

  /**
   * Refuses to read what is frozen so that only consistent nodes show it, where this node does not
   * reach most nodes or lacks what one it reaches has.
   */
  void requireConsistent(RecordKey key) {
    Cluster joined = cluster;
    if (joined == null || node.freezeOver(key).filter(Freeze::consistentReads).isEmpty()) {
      return;
    }
    List<LinkStatus> up = joined.status().stream().filter(LinkStatus::isUp).toList();
    int members = joined.present().size();
    if (2 * (up.size() + 1) <= members) {
      throw new Problem(
          Code.UNAVAILABLE,
          "only consistent nodes answer reads of this, and this one reaches "
              + up.size()
              + " of "
              + (members - 1)
              + " others; ask one that reaches most");
    }
    for (LinkStatus link : up) {
      if (link.state() != LinkState.IN_STEP) {
        throw new Problem(
            Code.UNAVAILABLE,
            "only consistent nodes answer reads of this, and this one is not in step with "
                + link.peer().map(NodeId::value).orElse(link.url())
                + "; ask again, or another node");
      }
    }
  }

  /** Refuses a node that was removed, by the name that it gives and by that of its certificate. */
  void requireMember(Call call) {
    Cluster joined = cluster;
    if (joined != null) {
      for (String name : List.of(call.header(HttpTransport.NODE).orElse(""), call.peer().name())) {
        if (NodeId.isValid(name)) {
          requireMember(joined, new NodeId(name));
        }
      }
    }
  }

  static void requireMember(Cluster joined, NodeId who) {
    joined
        .whyRemoved(who)
        .ifPresent(why -> {
          throw new Problem(Code.FORBIDDEN, why);
        });
  }

  /** Tells that a node asked what no node asks. */
  void fault(Call call, String what) {
    Cluster joined = cluster;
    if (joined != null) {
      String named = call.header(HttpTransport.NODE).orElse("");
      joined.fault(
          NodeId.isValid(named)
              ? Sender.at(new NodeId(named), "")
              : new Sender(call.peer().name(), call.peer().address()),
          what);
    }
  }

  private Ballots ballots() {
    Ballots cast = ballots;
    if (cast == null) {
      throw new IllegalStateException("a node in a cluster tells of its votes");
    }
    return cast;
  }

  private Seats seats() {
    cluster();
    Seats taken = seats;
    if (taken == null) {
      throw new IllegalStateException("a node in a cluster knows who votes");
    }
    return taken;
  }

  private Reply letIn(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a voter", Set.of("address"));
    String address = Call.text(body, "address").orElse("");
    if (address.isEmpty()) {
      throw new Problem(
          Code.INVALID, "say where it listens for the other voters: {\"address\": \"host:port\"}");
    }
    return changed(call, address);
  }

  private Reply remove(Call call) {
    return changed(call, "");
  }

  private Reply changed(Call call, String address) {
    String name = call.param("voter");
    return agreed(() -> {
      Map<String, String> voters =
          seats().change(new Seats.Change(name, address), auth.credential(call));
      JsonObject told = JsonObject.of("voters", Json.of(new TreeMap<String, Object>(voters)));
      node.account(
              address.isEmpty() ? "remove-voter" : "add-voter",
              name,
              told.with("by", Json.of(call.acting(Permission.ADMINISTER))))
          .join();
      return Reply.json(200, told);
    });
  }

  /** What the voters have to agree on. */
  private static Reply agreed(Supplier<Reply> asked) {
    try {
      return asked.get();
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    } catch (UnavailableException e) {
      throw new Problem(Code.UNAVAILABLE, String.valueOf(e.getMessage()));
    }
  }

  /** What to do where the cluster is split. */
  private Reply settle(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a setting", Set.of("strategy", "quorum"));
    cluster();
    return agreed(() -> {
      SplitBrain wanted =
          SplitBrain.of(
              Call.text(body, "strategy").orElse(""),
              body.get("quorum") instanceof JsonNumber quorum && quorum.isLong()
                  ? Math.clamp(quorum.longValue(), -1, Integer.MAX_VALUE)
                  : 0);
      SplitBrain now = Writes.await(() -> authority.settle(wanted, auth.credential(call)));
      node.account(
              "split-brain",
              "cluster",
              splitBrain(now, Optional.empty())
                  .with("by", Json.of(call.acting(Permission.ADMINISTER))))
          .join();
      return Reply.json(200, splitBrain(now, authority.stepsDown()));
    });
  }

  private static JsonObject splitBrain(SplitBrain setting, Optional<String> down) {
    Map<String, Json> members = new TreeMap<>();
    members.put("strategy", Json.of(setting.strategy().label()));
    if (setting.quorum() > 0) {
      members.put("quorum", Json.of(setting.quorum()));
    }
    down.ifPresent(why -> members.put("steppedDown", Json.of(why)));
    return JsonObject.of(members);
  }

  /** An operator says that this node's clock is right. */
  private Reply acceptClock(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a clock", Set.of("accept"));
    if (!new JsonBool(true).equals(body.get("accept"))) {
      throw new Problem(Code.INVALID, "say accept: true where the clock of this node is right");
    }
    Writes.await(() -> node.acceptClock(call.acting(Permission.ADMINISTER)));
    return Reply.json(200, clock());
  }

  /** Lets in what waits for this node's clock, since the one that wrote it had a wrong clock. */
  private Reply admit(Call call) {
    String name = nodeId(call.param("node")).name();
    if (!node.heldForClock().containsKey(name)) {
      throw new Problem(
          Code.NOT_FOUND, "nothing that " + name + " wrote waits for this node's clock");
    }
    int joined = Writes.await(() -> node.admit(name));
    Writes.await(() ->
        node.account(
            "admit",
            name,
            JsonObject.of("joined", Json.of(joined))
                .with("by", Json.of(call.acting(Permission.ADMINISTER)))));
    return Reply.json(
        200, JsonObject.of("joined", Json.of(joined)).with("held", Json.of(node.held())));
  }

  private JsonObject clock() {
    Map<String, Json> members = new TreeMap<>();
    members.put("jumpMillis", Json.of(node.clock().jumpMillis()));
    node.whyNoTimes().ifPresent(why -> members.put("refuses", Json.of(why)));
    return JsonObject.of(members);
  }

  private Json heldForClock() {
    Map<String, Json> held = new TreeMap<>();
    node.heldForClock().forEach((name, count) -> held.put(name, Json.of(count)));
    return JsonObject.of(held);
  }

  /** Compares what this node holds with each other, and mends it where told to. */
  private Reply verify(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a comparison", Set.of("mend"));
    boolean mend = new JsonBool(true).equals(body.get("mend"));
    DisputedVersions versions = new DisputedVersions(node, cluster(), transport);
    DisputedVersions.Found found;
    try {
      found = versions.find();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    }
    // Records differ with the versions; they are compared once those are right.
    boolean mendsVersions = mend && found.concernsThisNode();
    List<Json> compared = new ArrayList<>();
    List<String> lost = new ArrayList<>();
    for (Link link : cluster().links()) {
      compared.add(verified(link, mend && !mendsVersions, lost));
    }
    sensors.compared(lost.stream().findFirst());
    Map<String, Json> members = new TreeMap<>();
    members.put("compared", Json.of(compared));
    members.put("held", Json.of(node.held()));
    members.put("heldForClock", heldForClock());
    String problem = mendsVersions ? versions.mend(found) : found.problem();
    members.put(
        "versions", DisputedVersions.describe(found, mendsVersions && problem.isEmpty(), problem));
    return Reply.json(200, JsonObject.of(members));
  }

  private Json verified(Link link, boolean mend, List<String> lost) {
    Map<String, Json> members = new TreeMap<>();
    members.put("node", Json.of(link.peer().map(NodeId::value).orElse(link.url())));
    try {
      Agreement agreement = Agreement.of(node, replica(link), mend);
      members.put("records", Json.of(agreement.records()));
      members.put("bucketsThatDiffered", Json.of(agreement.buckets()));
      members.put("findings", list(agreement.findings(), ClusterRoutes::finding));
      agreement.findings().stream()
          .filter(finding -> !finding.mended())
          .forEach(finding -> lost.add(finding.key() + " " + finding.kind().label()));
    } catch (IOException e) {
      members.put("problem", Json.of(String.valueOf(e.getMessage())));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      members.put("problem", Json.of("the node is stopping"));
    }
    return JsonObject.of(members);
  }

  private static Json finding(Agreement.Finding finding) {
    return Json.of(
        Map.of(
            "record",
            finding.key().toString(),
            "kind",
            finding.kind().label(),
            "mended",
            finding.mended()));
  }

  private RemoteReplica replica(Link link) throws IOException {
    Transport way = transport;
    if (link.isCut() || way == null) {
      throw new IOException("an operator has cut this link");
    }
    return new RemoteReplica(way, link.url(), node.id());
  }

  private Healings followed() {
    Healings known = healings;
    if (known == null) {
      cluster();
      throw new IllegalStateException("a node in a cluster follows how it heals");
    }
    return known;
  }

  private Reply healings(Call call) {
    return Reply.json(200, JsonObject.of("healings", list(followed().all(), Healings::describe)));
  }

  /** What would come of it if this node took what another has. */
  private Reply preview(Call call) {
    try {
      return Reply.json(200, Healings.describe(followed().preview(nodeId(call.param("node")))));
    } catch (IOException e) {
      throw new Problem(Code.UNAVAILABLE, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    }
  }

  /** What a record holds at a node. */
  static Json data(Node node, RecordKey key) {
    return Describe.orNull(node.read(key).view().data());
  }

  /** One record as each node has it now. */
  private Reply everywhere(Call call) {
    RecordKey key = call.key();
    List<Json> nodes = new ArrayList<>();
    nodes.add(JsonObject.of(Map.of("node", Json.of(node.id().value()), "data", data(node, key))));
    for (Link link : cluster().links()) {
      link.peer().ifPresent(peer -> nodes.add(elsewhere(link, peer, key)));
    }
    return Reply.json(200, JsonObject.of("nodes", Json.of(nodes)));
  }

  private Json elsewhere(Link link, NodeId peer, RecordKey key) {
    Map<String, Json> told = new TreeMap<>(Map.of("node", Json.of(peer.value())));
    try {
      told.put("data", JsonReader.strict().read(replica(link).read(key)));
    } catch (IOException | JsonProblem e) {
      told.put("problem", Json.of(String.valueOf(e.getMessage())));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      told.put("problem", Json.of("the node is stopping"));
    }
    return JsonObject.of(told);
  }

  private Reply status(Call call) {
    return Reply.json(200, described());
  }

  private JsonObject described() {
    Map<String, Json> members = new TreeMap<>();
    members.put("node", Json.of(node.id().value()));
    members.put("position", Json.of(node.position()));
    members.put("held", Json.of(node.held()));
    members.put("unprovenAccess", node.unprovenAccess().toJson());
    members.put(
        "peerFaults",
        Json.of(node.peerFaults().bySender().stream().map(PeerFaults.Refused::toJson).toList()));
    node.accessKeys().publicKey().ifPresent(key -> members.put("accessKey", Json.of(key)));
    members.put("heldForClock", heldForClock());
    members.put("clock", clock());
    members.put("known", vector(node.known()));
    members.put("url", Json.of(""));
    VersionPatrol compares = patrol;
    members.put(
        "versionsDiffer",
        compares == null ? JsonArray.EMPTY : list(compares.found(), VersionPatrol::toJson));
    for (String list : List.of("members", "links", "others")) {
      members.put(list, JsonArray.EMPTY);
    }
    authority.group().ifPresent(group -> members.put("group", group(group)));
    Optional<String> down = authority.stepsDown();
    authority
        .splitBrain()
        .ifPresent(setting -> members.put("splitBrain", splitBrain(setting, down)));
    Seats taken = seats;
    members.put("waitsFor", Json.of(taken == null ? "" : taken.waitsFor()));
    members.put("voters", taken == null ? JsonArray.EMPTY : list(taken.voters(), Json::of));
    members.put("steppedDown", down.<Json>map(Json::of).orElse(JsonNull.NULL));
    Cluster joined = cluster;
    if (joined != null) {
      members.put("url", Json.of(joined.config().url()));
      members.put("members", list(joined.members(), ClusterRoutes::member));
      long tolerance = joined.config().clockToleranceMillis();
      members.put("links", list(joined.status(), status -> link(status, tolerance)));
      long now = joined.nowMillis();
      members.put(
          "others",
          list(joined.others().entrySet(), told -> other(told.getKey(), told.getValue(), now)));
    }
    return JsonObject.of(members);
  }

  private static <T> Json list(Collection<T> things, Function<T, Json> described) {
    return Json.of(things.stream().map(described).toList());
  }

  private static Json vector(VersionVector vector) {
    Map<String, Json> numbers = new TreeMap<>();
    vector.entries().forEach((who, number) -> numbers.put(who.value(), Json.of(number)));
    return JsonObject.of(numbers);
  }

  private static Json group(Group group) {
    Consensus.Standing standing = group.standing();
    Map<String, Json> members = new TreeMap<>();
    members.put("leader", standing.leader().<Json>map(Json::of).orElse(JsonNull.NULL));
    members.put("leading", new JsonBool(standing.leading()));
    members.put("term", Json.of(standing.term()));
    members.put("voters", list(standing.voters(), Json::of));
    members.put("position", Json.of(group.position()));
    members.put("quarantined", Json.of(group.quarantined()));
    group.lastQuarantined().ifPresent(last -> members.put("lastQuarantined", Json.of(last)));
    return JsonObject.of(members);
  }

  private static Json other(NodeId node, NodeReport report, long nowMillis) {
    return Json.of(
        Map.of(
            "node",
            node.value(),
            "heardMillisAgo",
            nowMillis - report.heardMillis(),
            "known",
            vector(report.known()),
            "links",
            list(report.links(), ClusterRoutes::reported)));
  }

  private static Json reported(LinkReport link) {
    return Json.of(
        Map.of(
            "node",
            link.peer().value(),
            "state",
            link.state().label(),
            "behindMillis",
            link.behindMillis(),
            "roundTripMillis",
            link.roundTripMillis(),
            "clockOffsetMillis",
            link.clockOffsetMillis()));
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
    NodeId peer = nodeId(call.param("node"));
    if (!cluster().cut(peer, cut.value())) {
      throw new Problem(Code.NOT_FOUND, "there is no link to " + peer);
    }
    return status(call);
  }

  private Reply depart(Call call) {
    NodeId who = nodeId(call.param("node"));
    boolean takenOver = call.flag("undo-access");
    String by = call.acting(takenOver ? Permission.ADMINISTER : Permission.OPERATE);
    if (!cluster().depart(who)) {
      throw new Problem(Code.NOT_FOUND, "no other member is called " + who);
    }
    JsonObject access = PlantedAccess.undo(node, who, takenOver, by);
    Writes.await(() -> node.account("depart", who.value(), access.with("by", Json.of(by))));
    return Reply.json(200, described().with("access", access));
  }

  private Reply readmit(Call call) {
    NodeId who = nodeId(call.param("node"));
    String by = call.acting(Permission.ADMINISTER);
    if (!cluster().readmit(who)) {
      throw new Problem(Code.NOT_FOUND, who + " is not removed");
    }
    Writes.await(() -> node.account("readmit", who.value(), JsonObject.of("by", Json.of(by))));
    return Reply.json(200, described());
  }

  static NodeId nodeId(String id) {
    try {
      return new NodeId(id);
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    }
  }
}
