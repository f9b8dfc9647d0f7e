// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.Healing;
import dev.entente.cluster.LinkStatus;
import dev.entente.cluster.MissingMembers;
import dev.entente.cluster.MissingMembers.Missing;
import dev.entente.cluster.Seats;
import dev.entente.cluster.group.Group;
import dev.entente.core.causality.NodeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Looks at how the cluster is: who answers, how far behind this node is, whose clock is off. */
public final class ClusterSensors {
  private static final long PATIENCE_MILLIS = 5_000;

  private final Cluster cluster;
  private final Authority authority;
  private final Seats seats;
  private final Supplier<List<Healing>> healings;
  private final MissingMembers missing;
  private final Thresholds thresholds;

  /** When each healing that goes on was first seen. */
  private final Map<NodeId, Long> healingSince = new TreeMap<>();

  /**
   * Sensors of a node.
   *
   * @param healings how it comes together with others, now and lately
   */
  public ClusterSensors(
      Cluster cluster,
      Authority authority,
      Seats seats,
      Supplier<List<Healing>> healings,
      Thresholds thresholds) {
    this.healings = healings;
    this.missing = new MissingMembers(cluster);
    this.seats = seats;
    this.cluster = cluster;
    this.authority = authority;
    this.thresholds = thresholds;
  }

  /** What is wrong as of now. */
  public List<Finding> look() {
    List<Finding> found = new ArrayList<>();
    List<LinkStatus> links = cluster.status();
    for (LinkStatus link : links) {
      String peer = link.peer().map(NodeId::name).orElse(link.url());
      if (!link.isUp()) {
        found.add(
            of(
                "node-unreachable",
                false,
                peer,
                peer + " does not answer; both sides go on, and come together when it is back"));
      } else {
        if (link.behindMillis() > thresholds.lagMillis()) {
          found.add(
              of(
                  "replication-lag",
                  false,
                  peer,
                  String.format(
                      Locale.ROOT,
                      "this node has not had all that %s has for %.1f s",
                      peer,
                      link.behindMillis() / 1e3)));
        }
        if (link.clockIsBeyond(thresholds.clockMillis())) {
          found.add(
              of(
                  "clock-offset",
                  false,
                  peer,
                  "the clock of "
                      + peer
                      + " is "
                      + link.clockOffsetMillis()
                      + " ms ahead of this one; decisions by time rest on that"));
        }
      }
    }
    parted(found);
    authority
        .stepsDown()
        .ifPresent(why ->
            found.add(
                of("split-brain", true, "", "this side of a split has stepped down: " + why)));
    seats
        .steppedBack()
        .ifPresent(why ->
            found.add(of("voter-stepped-back", true, "", "this voter has stepped back: " + why)));
    authority
        .group()
        .filter(Group::hasQuarantined)
        .ifPresent(group ->
            found.add(
                of(
                    "agreed-quarantine",
                    true,
                    "",
                    group.quarantined()
                        + " of what the voters agreed on could not be applied and was set aside,"
                        + " last "
                        + group.lastQuarantined().orElse(""))));
    if (!seats.waitsFor().isEmpty() && seats.steppedBack().isEmpty()) {
      found.add(
          of(
              "no-vote",
              false,
              "",
              "this node is named by --voters and does not vote: " + seats.waitsFor()));
    }
    if (!links.isEmpty() && links.stream().noneMatch(LinkStatus::isUp)) {
      found.add(of("split-brain", true, "alone", "no other node answers: this one is by itself"));
    }
    return found;
  }

  /**
   * Says which part of the cluster is gone, and what has not healed in the time that is allowed.
   */
  private synchronized void parted(List<Finding> found) {
    long now = cluster.node().nowMillis();
    MissingMembers.Side side = missing.look();
    if (!side.missing().isEmpty()) {
      List<String> gone = new ArrayList<>();
      for (Missing one : side.missing()) {
        gone.add(one.name() + " since " + Instant.ofEpochMilli(one.sinceMillis()));
        if (now - one.sinceMillis() > thresholds.healMillis()) {
          found.add(
              overdue(
                  one.name(),
                  one.name()
                      + " has not been reached since "
                      + Instant.ofEpochMilli(one.sinceMillis())));
        }
      }
      int all = side.reached().size() + side.missing().size();
      found.add(
          of(
              "partition",
              false,
              "",
              "this side reaches %s, %d of %d members, and %s; not reached: %s"
                  .formatted(
                      String.join(", ", side.reached()),
                      side.reached().size(),
                      all,
                      authority.stepsDown().isPresent() ? "has stepped down" : "goes on",
                      String.join(", ", gone))));
    }
    List<Healing> open = healings.get().stream().filter(Healing::isOpen).toList();
    healingSince.keySet().retainAll(open.stream().map(Healing::peer).toList());
    for (Healing healing : open) {
      long since = healingSince.computeIfAbsent(healing.peer(), _ -> now);
      if (now - since > thresholds.healMillis()) {
        found.add(
            overdue(
                healing.peer().name(),
                "this node and %s meet again since %s and do not have the same yet: %s, %d versions left"
                    .formatted(
                        healing.peer().name(),
                        Instant.ofEpochMilli(since),
                        healing.step().label(),
                        healing.left())));
      }
    }
  }

  private Finding overdue(String node, String what) {
    return of(
        "healing-overdue",
        true,
        node,
        what + "; healing may take " + thresholds.healMillis() / 1_000 + " s (--heal-within)");
  }

  private static Finding of(String rule, boolean critical, String subject, String summary) {
    return new Finding(rule, critical, "", subject, PATIENCE_MILLIS, summary, "entente cluster");
  }
}
