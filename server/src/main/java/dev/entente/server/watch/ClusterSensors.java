// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.LinkStatus;
import dev.entente.cluster.Seats;
import dev.entente.cluster.group.Group;
import dev.entente.core.causality.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Looks at how the cluster is: who answers, how far behind this node is, whose clock is off. */
public final class ClusterSensors {
  private static final long PATIENCE_MILLIS = 5_000;

  private final Cluster cluster;
  private final Authority authority;
  private final Seats seats;
  private final Thresholds thresholds;

  public ClusterSensors(Cluster cluster, Authority authority, Seats seats, Thresholds thresholds) {
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

  private static Finding of(String rule, boolean critical, String subject, String summary) {
    return new Finding(rule, critical, "", subject, PATIENCE_MILLIS, summary, "entente cluster");
  }
}
