// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.cluster.group.Group;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.Feed;
import dev.entente.engine.Node;
import dev.entente.engine.Review;
import dev.entente.engine.Snapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Knows what must hold, from what it saw at the doors: every version when it was first written,
 * what its node had by then, what clients were told. The numbers behind the messages are those of
 * the invariants.
 */
final class Oracle {
  /** A broken invariant. */
  static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    Broken(String message) {
      super(message);
    }
  }

  /** A version as its node first had it, and what that node had got since its own last one. */
  private record Written(byte[] bytes, List<Dot> after) {}

  /** A machine's log as far as it has been looked at. */
  private static final class Seen {
    private long position;
    private final NavigableSet<Dot> dots = new TreeSet<>();
    private List<Dot> sinceOwn = new ArrayList<>();
  }

  private final FeedReader reader;
  private int disksBack;
  private String broken = "";
  private final Map<Dot, Written> written = new TreeMap<>();
  private final Map<String, Seen> logs = new TreeMap<>();

  /** What each node had when it was last looked at. */
  private final Map<NodeId, VersionVector> known = new TreeMap<>();

  /** The versions of each request; it may have been accepted at several nodes. */
  private final Map<String, NavigableSet<Dot>> byRequest = new TreeMap<>();

  private final NavigableSet<Dot> mayBeLost = new TreeSet<>();

  /** Requests that clients were told are kept. */
  private final NavigableSet<String> acknowledged = new TreeSet<>();

  /** What requests add to the counter, whether or not anybody was told. */
  private final Map<String, Long> increments = new TreeMap<>();

  private final Map<String, String> additions = new TreeMap<>();

  /** The oracle of clusters in which a bug may be planted. */
  Oracle(Mutant mutant) {
    this.reader = new FeedReader(mutant);
  }

  /** Something is broken that was seen where no exception gets through; the next look throws it. */
  void breaks(String what) {
    broken = broken.isEmpty() ? what : broken;
  }

  /** How often a disk was lost or went back in time. */
  int disksBack() {
    return disksBack;
  }

  void attempts(String request, long increment) {
    increments.put(request, increment);
  }

  void attempts(String request, String element) {
    additions.put(request, element);
  }

  void acknowledged(String request) {
    acknowledged.add(request);
  }

  /** How many versions were written. */
  int versions() {
    return written.size();
  }

  /** Looks at what came into a node's log since the last look. */
  void look(String machine, Node node) {
    if (!broken.isEmpty()) {
      throw new Broken(broken);
    }
    Seen log = logs.computeIfAbsent(machine, _ -> new Seen());
    known.put(node.id(), node.known());
    List<Feed> news = node.changes("main", log.position, Integer.MAX_VALUE);
    if (log.dots.isEmpty() && node.prunedUpTo("main") > 0) {
      log.dots.addAll(folded(node, news));
    }
    for (Feed feed : news) {
      if (feed.position() <= log.position) {
        throw new Broken("28: " + machine + "'s feed is not in order at " + feed.position());
      }
      log.position = feed.position();
      see(machine, log, feed.version(), node);
    }
    reader.mayAsk(node);
  }

  /** What a node began with that stands in no log any more: its records have joined it. */
  private NavigableSet<Dot> folded(Node node, List<Feed> kept) {
    NavigableSet<Dot> folded = new TreeSet<>();
    written.forEach((dot, version) -> {
      RecordKey key = VersionCodec.fromBytes(version.bytes()).key();
      if (node.read(key).state().context().contains(dot)) {
        folded.add(dot);
      }
    });
    kept.forEach(feed -> folded.remove(feed.version().dot()));
    return folded;
  }

  /** A node is about to let go of what it takes for something that all members have. */
  void letsGo(Node node, VersionVector stable, List<NodeId> members) {
    for (NodeId member : members) {
      VersionVector theirs = known.getOrDefault(member, VersionVector.EMPTY);
      if (!theirs.dominates(stable)) {
        throw new Broken(
            "12: " + node.id() + " lets go of " + stable + " while " + member + " has " + theirs);
      }
    }
  }

  /** Nothing is left on a machine's disk of what records held when they were erased. */
  void isErased(SimulatedNode machine) {
    String disk = machine.disk().text();
    for (Written each : written.values()) {
      Version erasing = VersionCodec.fromBytes(each.bytes());
      if (erasing.erases() && !mayBeLost.contains(erasing.dot())) {
        for (Written other : written.values()) {
          Version erased = VersionCodec.fromBytes(other.bytes());
          if (erased.key().equals(erasing.key())
              && erasing.context().contains(erased.dot())
              && erased.eventId().map(id -> id.substring(1)).filter(disk::contains).isPresent()) {
            throw new Broken(
                "S28: "
                    + machine.name()
                    + " still has "
                    + erased.eventId().orElseThrow()
                    + ", which "
                    + erasing.dot()
                    + " erased");
          }
        }
      }
    }
  }

  private void see(String machine, Seen log, Version version, Node node) {
    NodeId self = node.id();
    Dot dot = version.dot();
    byte[] bytes = VersionCodec.toBytes(version);
    if (!log.dots.add(dot)) {
      throw new Broken("10: " + dot + " stands twice in " + machine + "'s log");
    }
    Written first = written.get(dot);
    if (first == null && dot.node().equals(Group.ID)) {
      agreed(machine, log, version, bytes);
      return;
    }
    if (first == null) {
      if (!dot.node().equals(self)) {
        throw new Broken("8: " + machine + " has " + dot + ", which nobody wrote");
      }
      written.put(dot, new Written(bytes, log.sinceOwn));
      version
          .eventId()
          .ifPresent(request -> {
            for (Dot earlier : versionsOf(request)) {
              if (log.dots.contains(earlier)) {
                throw new Broken(
                    "9: " + machine + " had " + earlier + " and accepted it again as " + dot);
              }
            }
            versionsOf(request).add(dot);
          });
      log.sinceOwn = new ArrayList<>();
      log.sinceOwn.add(dot);
      return;
    }
    if (!Arrays.equals(first.bytes(), bytes)) {
      throw new Broken("10: " + machine + " has " + dot + " with other content");
    }
    // It was on its way while its node went back.
    mayBeLost.remove(dot);
    for (Dot before : first.after()) {
      if (!log.dots.contains(before) && !isAhead(before, version)) {
        throw new Broken("13: " + machine + " has " + dot + " without " + before);
      }
    }
    if (dot.node().equals(self)) {
      log.sinceOwn = new ArrayList<>();
    }
    log.sinceOwn.add(dot);
  }

  /**
   * Whether a node stamped one version later than another that it wrote afterwards: its clock was
   * set back in between. The first may wait for other nodes' clocks; the second does not wait for
   * the first.
   */
  private boolean isAhead(Dot before, Version version) {
    Written earlier = written.get(before);
    return earlier != null
        && VersionCodec.fromBytes(earlier.bytes()).acceptedAt().compareTo(version.acceptedAt()) > 0;
  }

  private NavigableSet<Dot> versionsOf(String request) {
    return byRequest.computeIfAbsent(request, _ -> new TreeSet<>());
  }

  /** Somebody has first what the group has agreed on: in the group's order, whatever else came. */
  private void agreed(String machine, Seen log, Version version, byte[] bytes) {
    Dot dot = version.dot();
    List<Dot> after = dot.number() > 1 ? List.of(new Dot(dot.node(), dot.number() - 1)) : List.of();
    if (!log.dots.containsAll(after)) {
      throw new Broken("13: " + machine + " has " + dot + " without " + after);
    }
    written.put(dot, new Written(bytes, after));
    version
        .eventId()
        .ifPresent(request -> {
          NavigableSet<Dot> versions = versionsOf(request);
          if (!versions.isEmpty()) {
            throw new Broken("9: " + request + " was agreed on as " + versions + " and as " + dot);
          }
          versions.add(dot);
        });
    log.sinceOwn.add(dot);
  }

  /** A machine's disk goes back in time: what nobody else has may be lost, nothing else. */
  void goesBack(String machine) {
    disksBack++;
    Seen before = logs.remove(machine);
    if (before != null) {
      NavigableSet<Dot> lost = new TreeSet<>(before.dots);
      logs.values().forEach(log -> lost.removeAll(log.dots));
      // What was agreed on comes again.
      lost.removeIf(dot -> dot.node().equals(Group.ID));
      mayBeLost.addAll(lost);
    }
  }

  /** A machine runs on an earlier disk of itself: what is on it is not lost. */
  void wentBack(String machine, Node now) {
    look(machine, now);
    mayBeLost.removeAll(logs.getOrDefault(machine, new Seen()).dots);
  }

  /** What everybody must agree on once all have everything. */
  void converged(Map<String, Node> nodes) {
    nodes.forEach(this::look);
    nodes.values().forEach(reader::converged);
    NavigableSet<Dot> must = new TreeSet<>(written.keySet());
    must.removeAll(mayBeLost);
    logs.forEach((machine, log) -> {
      for (Dot dot : must) {
        if (!log.dots.contains(dot)) {
          throw new Broken("39: " + machine + " lacks " + dot);
        }
      }
    });
    acknowledged.forEach(this::isKept);
    NavigableSet<RecordKey> keys = new TreeSet<>();
    String first = nodes.keySet().iterator().next();
    nodes.forEach((_, node) ->
        node.changes("main", 0, Integer.MAX_VALUE).forEach(feed -> keys.add(feed.version().key())));
    keys.forEach(key -> agree(key, nodes));
    for (String machine : nodes.keySet()) {
      Node node = node(nodes, machine);
      Optional<String> broken = node.verify(_ -> {}).broken();
      if (broken.isPresent()) {
        throw new Broken("37: " + machine + ": " + broken.get());
      }
      if (!node.policies().equals(node(nodes, first).policies())) {
        throw new Broken("24: " + machine + " and " + first + " have other policies in force");
      }
      if (!pending(node).equals(pending(node(nodes, first)))) {
        throw new Broken("27: " + machine + " and " + first + " have other reviews pending");
      }
    }
    onlyOnce(node(nodes, first));
    count(node(nodes, first));
    collect(node(nodes, first));
  }

  private static Node node(Map<String, Node> nodes, String machine) {
    @Nullable Node node = nodes.get(machine);
    if (node == null) {
      throw new IllegalStateException("no node " + machine);
    }
    return node;
  }

  private void isKept(String request) {
    if (versionsOf(request).isEmpty()) {
      throw new Broken("7: " + request + " was acknowledged and is nowhere");
    }
  }

  /** Whether some version of a request is sure to be kept. */
  private boolean isThere(String request) {
    return versionsOf(request).stream().anyMatch(dot -> !mayBeLost.contains(dot));
  }

  /** Of the versions of each request all but one are known to repeat it, at every node. */
  private void onlyOnce(Node node) {
    byRequest.forEach((request, dots) -> {
      NavigableSet<Dot> effective = new TreeSet<>(dots);
      effective.removeAll(mayBeLost);
      effective.removeIf(dot -> {
        @Nullable Written version = written.get(dot);
        return version != null
            && node.read(VersionCodec.fromBytes(version.bytes()).key())
                .state()
                .repetitions()
                .contains(dot);
      });
      if (effective.size() > 1) {
        throw new Broken("9: " + request + " has effect as each of " + effective);
      }
    });
  }

  private static void agree(RecordKey key, Map<String, Node> nodes) {
    byte @Nullable [] state = null;
    String view = "";
    for (Map.Entry<String, Node> entry : nodes.entrySet()) {
      Snapshot snapshot = entry.getValue().read(key);
      byte[] mine = StateCodec.toBytes(snapshot.state());
      if (state == null) {
        state = mine;
        view = String.valueOf(snapshot.view().data());
      }
      if (!Arrays.equals(state, mine)) {
        throw new Broken("1: the state of " + key + " differs at " + entry.getKey());
      }
      if (!view.equals(String.valueOf(snapshot.view().data()))) {
        throw new Broken("24: the view of " + key + " differs at " + entry.getKey());
      }
      byte[] replayed =
          StateCodec.toBytes(entry.getValue().readAt(key, Instant.ofEpochMilli(1L << 42)).state());
      if (!Arrays.equals(mine, replayed)) {
        throw new Broken("31: " + key + " at " + entry.getKey() + " is not what its history says");
      }
    }
  }

  private static NavigableSet<String> pending(Node node) {
    NavigableSet<String> ids = new TreeSet<>();
    node.reviews("main", Review.Status.PENDING, Optional.empty(), 10_000)
        .forEach(review -> ids.add(review.id()));
    return ids;
  }

  /** The counter lies between what clients were told is counted and what they tried. */
  private void count(Node node) {
    long least = 0;
    long most = 0;
    for (Map.Entry<String, Long> entry : increments.entrySet()) {
      most += entry.getValue();
      if (acknowledged.contains(entry.getKey()) && isThere(entry.getKey())) {
        least += entry.getValue();
      }
    }
    Json data = node.read(Workload.COUNTED).view().data();
    long count =
        data instanceof JsonObject object && object.get("n") instanceof JsonNumber number
            ? number.value().longValueExact()
            : 0;
    if (count < least || count > most) {
      throw new Broken("22: the counter is " + count + ", not in " + least + " … " + most);
    }
  }

  /** The set has all that clients were told is in it, and nothing that nobody added. */
  private void collect(Node node) {
    NavigableSet<String> elements = new TreeSet<>();
    if (node.read(Workload.COLLECTED).view().data() instanceof JsonObject object
        && object.get("tags") instanceof JsonArray array) {
      array.items().forEach(item -> elements.add(item.toString()));
    }
    additions.forEach((request, element) -> {
      if (acknowledged.contains(request)
          && isThere(request)
          && !elements.contains(Json.of(element).toString())) {
        throw new Broken("7: the set lacks " + element);
      }
      elements.remove(Json.of(element).toString());
    });
    if (!elements.isEmpty()) {
      throw new Broken("8: the set has " + elements + ", which nobody added");
    }
  }
}
