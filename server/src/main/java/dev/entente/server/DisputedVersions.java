// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Cluster;
import dev.entente.cluster.LinkStatus;
import dev.entente.cluster.Member;
import dev.entente.cluster.RemoteReplica;
import dev.entente.cluster.Transport;
import dev.entente.cluster.VersionMending;
import dev.entente.cluster.VersionMending.Disputed;
import dev.entente.cluster.VersionSource;
import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Correction;
import dev.entente.engine.Node;
import dev.entente.engine.NodeRestoredException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Tells which numbers stand for several versions in the cluster, and ends that at this node. */
final class DisputedVersions {
  /** So many numbers are told one by one. */
  private static final int TOLD_MAX = 1_000;

  private final Node node;
  private final Cluster cluster;
  private final @Nullable Transport transport;

  /** A node that reaches no others has no way to them. */
  DisputedVersions(Node node, Cluster cluster, @Nullable Transport transport) {
    this.node = node;
    this.cluster = cluster;
    this.transport = transport;
  }

  /** What was found. */
  record Found(List<Disputed> disputed, String problem) {
    private List<Correction> corrections() {
      List<Correction> all = new ArrayList<>();
      disputed.forEach(each -> each.correction().ifPresent(all::add));
      return all;
    }

    /** Whether there is something to put right at this node. */
    boolean concernsThisNode() {
      return !corrections().isEmpty();
    }
  }

  /** Compares with all other nodes; where one is not reached, says so. */
  Found find() throws InterruptedException {
    Set<String> missing = new TreeSet<>();
    cluster.present().stream().map(Member::node).map(NodeId::name).forEach(missing::add);
    missing.remove(node.id().name());
    Map<NodeId, VersionSource> others = new TreeMap<>();
    for (LinkStatus link : cluster.status()) {
      if (transport != null && link.isUp() && link.peer().isPresent()) {
        others.put(link.peer().get(), new RemoteReplica(transport, link.url(), node.id()));
        missing.remove(link.peer().get().name());
      }
    }
    String unreached =
        missing.isEmpty()
            ? ""
            : "every node has to be asked, and these do not answer: "
                + String.join(", ", missing)
                + "; start them, or remove them with entente cluster depart";
    VersionMending mending = new VersionMending(node, others);
    try {
      List<Disputed> disputed = mending.disputed();
      if (missing.isEmpty()) {
        int _ = mending.forgetWrittenAgain();
      }
      return new Found(disputed, unreached);
    } catch (IOException e) {
      return new Found(List.of(), String.valueOf(e.getMessage()));
    }
  }

  /**
   * Puts right what is wrong here, as it was found; the node then stops and goes on as its next
   * incarnation.
   *
   * @return why nothing was done; empty where it was
   */
  String mend(Found found) {
    if (!found.problem().isEmpty()) {
      return found.problem();
    }
    try {
      int _ = node.mending().begin(found.corrections()).join();
      return "this node refuses what other nodes hold under these numbers; the audit log says why";
    } catch (CompletionException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof NodeRestoredException) {
          return "";
        }
      }
      return String.valueOf((e.getCause() == null ? e : e.getCause()).getMessage());
    }
  }

  /** As JSON. */
  static Json describe(Found found, boolean mended, String problem) {
    List<Json> numbers = new ArrayList<>();
    for (Disputed each : found.disputed()) {
      if (numbers.size() < TOLD_MAX) {
        numbers.add(
            Json.of(
                Map.of(
                    "author", each.dot().node().value(),
                    "number", each.dot().number(),
                    "wrongAt", each.wrong().stream().map(NodeId::value).toList(),
                    "mended", mended && each.correction().isPresent())));
      }
    }
    Map<String, Json> members = new TreeMap<>();
    members.put("disputed", Json.of(numbers));
    if (!problem.isEmpty()) {
      members.put("problem", Json.of(problem));
    }
    members.put("restarts", Json.of(mended));
    return JsonObject.of(members);
  }
}
