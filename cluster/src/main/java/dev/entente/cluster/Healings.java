// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.Healing.Step;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Divergence;
import dev.entente.engine.Node;
import dev.entente.engine.Shipment;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Follows how nodes that were cut from each other come together: notices that they were, counts
 * what is on its way, compares at the end, and keeps an account in the audit log. Thread-safe.
 */
public final class Healings {
  /** How many that have ended are remembered; the audit log keeps all. */
  private static final int ENDED_MAX = 50;

  private static final int PREVIEW_BYTES_MAX = 64 << 20;
  private static final int PREVIEW_VERSIONS_MAX = 50_000;

  private final Node node;
  private final Cluster cluster;
  private final Transport transport;

  /** A position of this log up to which a peer lacked nothing. Guarded by this, as the others. */
  private final Map<NodeId, Long> lastInStep = new HashMap<>();

  private final Map<NodeId, Healing> open = new TreeMap<>();
  private final Deque<Healing> ended = new ArrayDeque<>();

  /** Follows the links of a cluster. */
  public Healings(Node node, Cluster cluster, Transport transport) {
    this.node = node;
    this.cluster = cluster;
    this.transport = transport;
  }

  /** Those that go on, then those that have ended, the latest first. */
  public synchronized List<Healing> all() {
    List<Healing> all = new ArrayList<>(open.values());
    all.addAll(ended);
    return all;
  }

  /** Looks at all links. Called a few times a second, on a thread that may wait. */
  public void look() throws InterruptedException {
    begin();
    for (LinkStatus link : cluster.status()) {
      Optional<NodeId> peer = link.peer();
      if (peer.isPresent()) {
        if (link.isUp()) {
          together(peer.get(), link);
        } else if (link.silentMillis() >= Cluster.APART_MILLIS) {
          cutAgain(peer.get());
        }
      }
    }
  }

  private synchronized void begin() {
    cluster
        .takeMeetings()
        .forEach((peer, met) -> {
          Healing began =
              Healing.begin(
                  peer,
                  lastInStep.getOrDefault(peer, 0L),
                  met.apartMillis(),
                  met.mine(),
                  met.theirs());
          if (began.missing() > 0) {
            open.putIfAbsent(peer, began);
          }
        });
  }

  private synchronized void cutAgain(NodeId peer) {
    Healing healing = open.remove(peer);
    if (healing != null) {
      end(healing.cutAgain());
    }
  }

  private void end(Healing healing) {
    ended.addFirst(healing);
    if (ended.size() > ENDED_MAX) {
      ended.removeLast();
    }
  }

  private void together(NodeId peer, LinkStatus link) throws InterruptedException {
    NodeReport report = cluster.others().get(peer);
    Healing healing;
    synchronized (this) {
      healing = open.get(peer);
      if (healing == null || report == null) {
        if (link.state() == LinkState.IN_STEP) {
          lastInStep.put(peer, inStepUpTo(report));
        }
        return;
      }
      healing = healing.now(node.known(), report.known());
      open.put(peer, healing);
    }
    if (healing.step() == Step.COMPARING) {
      finish(healing, link.url());
    }
  }

  /** A position of this log up to which the peer lacks nothing. */
  private long inStepUpTo(@Nullable NodeReport report) {
    return report == null ? 0 : report.known().get(node.id());
  }

  private void finish(Healing healing, String url) throws InterruptedException {
    Healing after;
    try {
      Agreement agreement = Agreement.of(node, new RemoteReplica(transport, url, node.id()), false);
      Divergence what = node.diverged(healing.since(), healing.mine(), healing.theirs());
      after = healing.ended(what, agreement);
    } catch (IOException e) {
      after = healing.stuck("the two cannot be compared yet: " + e.getMessage());
    }
    if (!after.isOpen()) {
      // Before it shows as ended: whoever reads that finds the entry.
      node.account("healing", after.peer().value(), describe(after)).join();
    }
    synchronized (this) {
      if (after.isOpen()) {
        open.put(healing.peer(), after);
        return;
      }
      open.remove(healing.peer());
      end(after);
    }
  }

  /**
   * What would come of it if this node took what another has now. Nothing is changed; works over a
   * line that an operator has cut on this side only.
   *
   * @throws IOException where the other does not answer
   */
  public Divergence preview(NodeId typed) throws IOException, InterruptedException {
    Optional<LinkStatus> link =
        cluster.status().stream()
            .filter(l -> l.peer().filter(node -> node.answersTo(typed)).isPresent())
            .findFirst();
    if (link.isEmpty()) {
      throw new IOException("there is no link to " + typed);
    }
    NodeId peer = link.get().peer().get();
    List<byte[]> versions = new ArrayList<>();
    VersionVector theirs = VersionVector.EMPTY;
    long after = node.cursor(peer);
    long bytes = 0;
    boolean complete = false;
    while (!complete && bytes < PREVIEW_BYTES_MAX && versions.size() < PREVIEW_VERSIONS_MAX) {
      PullReply reply = transport.pull(link.get().url(), question(peer, after));
      Shipment shipment = reply.shipment();
      for (Shipment.Entry entry : shipment.entries()) {
        versions.add(entry.version());
        bytes += entry.version().length;
      }
      theirs = shipment.known();
      complete = shipment.complete();
      if (!complete && shipment.upTo() <= after) {
        break;
      }
      after = shipment.upTo();
    }
    return node.wouldDiverge(sinceOf(peer), versions, theirs, complete);
  }

  private synchronized long sinceOf(NodeId peer) {
    return lastInStep.getOrDefault(peer, 0L);
  }

  private PullRequest question(NodeId peer, long after) {
    return new PullRequest(
        node.id(),
        Optional.of(peer),
        after,
        node.known(),
        cluster.config().shipmentBytesMax(),
        0,
        node.nowMillis(),
        cluster.members(),
        false);
  }

  /** A healing as JSON, for people and the audit log. */
  public static JsonObject describe(Healing healing) {
    Map<String, Json> members = new TreeMap<>();
    members.put("node", Json.of(healing.peer().value()));
    members.put("step", Json.of(healing.step().label()));
    members.put("apartMillis", Json.of(healing.apartMillis()));
    members.put("missing", Json.of(healing.missing()));
    members.put("left", Json.of(healing.left()));
    if (!healing.problem().isEmpty()) {
      members.put("problem", Json.of(healing.problem()));
    }
    healing.report().ifPresent(report -> members.put("report", describe(report)));
    healing
        .agreement()
        .ifPresent(agreement -> {
          members.put("recordsCompared", Json.of(agreement.records()));
          members.put("findings", Json.of(agreement.findings().size()));
        });
    return JsonObject.of(members);
  }

  /** A divergence as JSON. */
  public static JsonObject describe(Divergence what) {
    Map<String, Json> both = new TreeMap<>();
    for (Divergence.Fate fate : Divergence.Fate.values()) {
      both.put(fate.label(), Json.of(what.both().getOrDefault(fate, 0L)));
    }
    List<Json> listed = new ArrayList<>();
    for (Divergence.Entry entry : what.listed()) {
      listed.add(
          JsonObject.of(
              Map.of(
                  "record",
                  Json.of(entry.key().toString()),
                  "fate",
                  Json.of(entry.fate().label()),
                  "explanations",
                  Json.of(entry.explanations().stream().map(Json::of).toList()))));
    }
    Map<String, Json> members = new TreeMap<>();
    members.put("ours", Json.of(what.ours()));
    members.put("theirs", Json.of(what.theirs()));
    members.put("onlyOurs", Json.of(what.onlyOurs()));
    members.put("onlyTheirs", Json.of(what.onlyTheirs()));
    members.put("both", JsonObject.of(both));
    members.put("records", Json.of(listed));
    members.put("complete", new JsonBool(what.complete()));
    return JsonObject.of(members);
  }
}
