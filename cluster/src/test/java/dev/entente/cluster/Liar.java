// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.Shipment;
import dev.entente.engine.StampedPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A node that only speaks the protocol: it has a log and answers as a node would, except for what a
 * {@link Lie} changes.
 */
final class Liar {
  static final NodeId ID = new NodeId("liar.1");
  static final String URL = "http://liar";

  /** Stands for whoever asks. */
  static final NodeId WHO_ASKS = new NodeId("who-asks.1");

  enum From {
    ITSELF,
    WHO_ASKS
  }

  private final List<byte[]> log = new ArrayList<>();
  private Runnable afterwards = () -> {};
  From from = From.ITSELF;
  long skips;
  long position;
  long more;
  boolean complete;
  long skew;
  long hash;
  List<Member> members = List.of();
  List<LinkReport> links = List.of();
  Optional<String> standing = Optional.empty();
  List<StampedPolicy> policies = List.of();
  List<Removal> removals = List.of();
  final Map<NodeId, Long> claims = new TreeMap<>();

  /** The number of a version that all honest nodes have. */
  Dot honestDot = new Dot(new NodeId("h0.1"), 1);

  Liar() {
    honest();
  }

  /** Ends a lie. */
  void honest() {
    afterwards.run();
    afterwards = () -> {};
    from = From.ITSELF;
    skips = 0;
    position = 0;
    more = 0;
    complete = true;
    skew = 0;
    hash = 0;
    members = List.of(self());
    links = List.of();
    standing = Optional.empty();
    policies = List.of();
    removals = List.of();
    claims.clear();
  }

  static Member self() {
    return new Member(ID, URL, LiesTest.EPOCH, false, LiesTest.EPOCH);
  }

  void afterwards(Runnable what) {
    afterwards = what;
  }

  /** A version under the next number, on a record of its own. */
  byte[] version(Consumer<Version.Builder> changed) {
    return version(Lie.record(log.size() + 1L), changed);
  }

  private byte[] version(RecordKey key, Consumer<Version.Builder> changed) {
    return version(new Dot(ID, log.size() + 1L), key, changed);
  }

  /** A version under a number of any node. */
  static byte[] version(Dot dot, RecordKey key, Consumer<Version.Builder> changed) {
    Version.Builder builder =
        Version.builder(dot, key)
            .acceptedAt(HybridTime.ofMillis(LiesTest.EPOCH))
            .author("mallory")
            .changes(
                List.of(
                    new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(Ancestor.NOTHING)),
                    new Change.Assign(
                        Unit.field(Path.of("v")),
                        Json.of(dot.number()),
                        List.of(Ancestor.NOTHING))));
    changed.accept(builder);
    return VersionCodec.toBytes(builder.build());
  }

  byte[] access(String type, String id) {
    return version(new RecordKey("_entente", type, id), v -> {});
  }

  void writes(Consumer<Version.Builder> changed) {
    sends(version(changed));
  }

  /** Adds a version to the log as it is, and one that is fine behind it. */
  void sends(byte[] version) {
    log.add(version);
    log.add(version(v -> {}));
  }

  /** Puts another version in the place of the last but one. */
  void replaceLast(byte[] version) {
    log.set(log.size() - 2, version);
  }

  void tells(Member other) {
    members = List.of(self(), other);
  }

  void policy(String tenant, String type, String text) {
    policies =
        List.of(new StampedPolicy(tenant, type, HybridTime.ofMillis(LiesTest.EPOCH + 1), ID, text));
  }

  int position() {
    return log.size();
  }

  byte[] answer(PullRequest asked, long nowMillis, long policiesHash) {
    NodeId self = from == From.WHO_ASKS ? asked.from() : ID;
    Map<NodeId, Long> known = new TreeMap<>();
    if (!log.isEmpty()) {
      known.put(ID, (long) log.size());
    }
    claims.forEach(
        (node, number) -> known.put(node.equals(WHO_ASKS) ? asked.from() : node, number));
    long after = asked.to().equals(Optional.of(ID)) ? asked.after() + skips : 0;
    List<Shipment.Entry> entries = new ArrayList<>();
    for (long i = after; i < log.size() && asked.to().equals(Optional.of(ID)); i++) {
      entries.add(new Shipment.Entry(i + 1, log.get((int) i)));
    }
    long upTo = Math.max(after, log.size()) + more;
    Shipment shipment = new Shipment(self, after, entries, upTo, complete, VersionVector.of(known));
    return Wire.toBytes(
        new PullReply(
            shipment,
            Math.max(position, log.size()),
            nowMillis + skew,
            nowMillis + skew,
            members,
            links,
            standing,
            hash != 0 || !policies.isEmpty() ? policiesHash + 1 : policiesHash,
            asked.policies() ? policies : List.of(),
            removals));
  }
}
