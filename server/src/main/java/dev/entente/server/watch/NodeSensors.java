// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.engine.Node;
import dev.entente.engine.PeerFaults;
import dev.entente.engine.UnprovenAccess;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Looks at one node: its conflicts, reviews, latencies, disk, and what its last check found. */
public final class NodeSensors {
  private static final long MINUTE = 60_000;
  private static final long RATES = 15 * MINUTE;
  private static final int ENOUGH = 20;

  private final Node node;
  private final Tally tally;
  private final Thresholds thresholds;
  private final Optional<Path> directory;
  private volatile Optional<String> broken = Optional.empty();
  private volatile Optional<String> lost = Optional.empty();

  public NodeSensors(Node node, Tally tally, Thresholds thresholds, Optional<Path> directory) {
    this.node = node;
    this.tally = tally;
    this.thresholds = thresholds;
    this.directory = directory;
  }

  /** The audit chain was checked: where it is broken, if it is. */
  public void verified(Optional<String> where) {
    broken = where;
  }

  /** Nodes that should hold the same were compared: what one has lost, if it has. */
  public void compared(Optional<String> what) {
    lost = what;
  }

  /** What is wrong as of now. */
  public List<Finding> look() {
    List<Finding> found = new ArrayList<>();
    tally.tenants().forEach(tenant -> rates(tenant, found));
    open(found);
    latency(found);
    disk(found);
    held(found);
    unproven(found);
    faults(found);
    clock(found);
    broken.ifPresent(where ->
        found.add(
            of(
                "audit-chain-broken",
                true,
                "",
                "The audit log was changed, or the disk lost something: " + where,
                "entente verify; then docs/runbook.md, consistency violation")));
    lost.ifPresent(what ->
        found.add(
            of(
                "data-loss",
                true,
                "",
                "A node lacks what it has acknowledged: " + what,
                "entente verify --cluster --mend")));
    node.failure()
        .ifPresent(failure ->
            found.add(
                of(
                    "node-stopped",
                    true,
                    "",
                    "The node has stopped: " + failure.getMessage(),
                    "look at its log and its disk, and restart it")));
    return found;
  }

  private static Finding of(
      String rule, boolean critical, String tenant, String summary, String action) {
    return new Finding(rule, critical, tenant, "", 0, summary, action);
  }

  private void rates(String tenant, List<Finding> found) {
    long now = tally.count(tenant, Tally.What.CONFLICTS, MINUTE);
    double usual = tally.baselinePerMinute(tenant, Tally.What.CONFLICTS);
    if (now > thresholds.conflictsPerMinute() && now > thresholds.timesBaseline() * usual) {
      found.add(
          of(
              "conflict-rate",
              false,
              tenant,
              String.format(
                  Locale.ROOT, "%d conflicts in the last minute; usual are %.1f", now, usual),
              "entente hotspots"));
    }
    parts(tenant, found);
  }

  /** What waits to be decided is wrong until it is, however long ago it began. */
  private void open(List<Finding> found) {
    Map<String, OpenConflicts> byTenant = new TreeMap<>();
    node.openReviews()
        .forEach((subject, count) ->
            byTenant
                .computeIfAbsent(subject.tenant(), OpenConflicts::new)
                .add(subject, count, node.policy(subject.tenant(), subject.type())));
    byTenant.values().forEach(conflicts -> conflicts.find(thresholds, found));
  }

  /** Parts of few conflicts say nothing; they are looked at once there are some. */
  private void parts(String tenant, List<Finding> found) {
    long conflicts = tally.count(tenant, Tally.What.CONFLICTS, RATES);
    if (conflicts < ENOUGH) {
      return;
    }
    double settled = tally.count(tenant, Tally.What.SETTLED, RATES) / (double) conflicts;
    double manual = tally.count(tenant, Tally.What.PENDING, RATES) / (double) conflicts;
    if (settled < thresholds.successPart()) {
      found.add(
          of(
              "success-rate",
              false,
              tenant,
              String.format(
                  Locale.ROOT,
                  "only %.0f %% of %d conflicts were settled by a rule",
                  settled * 100,
                  conflicts),
              "entente policy advise TYPE"));
    }
    if (manual > thresholds.manualPart()) {
      found.add(
          of(
              "manual-rate",
              false,
              tenant,
              String.format(
                  Locale.ROOT,
                  "%.0f %% of %d conflicts were left for people",
                  manual * 100,
                  conflicts),
              "entente policy advise TYPE"));
    }
  }

  private void latency(List<Finding> found) {
    double p99 = tally.quantileMillis(0.99, MINUTE);
    if (p99 > thresholds.p99Millis()) {
      found.add(
          new Finding(
              "slow-writes",
              false,
              "",
              "",
              MINUTE,
              String.format(Locale.ROOT, "one write in a hundred takes longer than %.0f ms", p99),
              "entente hotspots; look at the disk"));
    }
  }

  private void held(List<Finding> found) {
    long held = node.held();
    if (held > 0) {
      found.add(
          new Finding(
              "versions-held",
              false,
              "",
              "",
              MINUTE,
              String.format(
                  Locale.ROOT,
                  "%d versions came from other nodes and are not shown: they wait for what they"
                      + " build on, or for the clock (by node: %s)",
                  held,
                  node.heldForClock()),
              "entente cluster; then docs/runbook.md, consistency violation"));
    }
  }

  private void unproven(List<Finding> found) {
    for (UnprovenAccess.Refused refused : node.unprovenAccess().bySender()) {
      String node = refused.from().node();
      String name = node.isEmpty() ? refused.from().toString() : node;
      found.add(
          unproven(
              name,
              refused.from()
                  + " sent "
                  + refused.count()
                  + " versions of accounts, freezes or other records of _entente that no"
                  + " administrator whom this node trusts has signed, the last of "
                  + refused.last()
                  + " under a number of "
                  + refused.numberedBy()
                  + "; they have no effect",
              "docs/runbook.md, unproven access: if "
                  + refused.numberedBy()
                  + " may grant access name its access key, else entente cluster depart "
                  + name));
    }
    long others = node.unprovenAccess().ofOthers();
    if (others > 0) {
      found.add(
          unproven(
              "others",
              others
                  + " more versions of accounts, freezes or other records of _entente that nobody"
                  + " trusted has signed came from other senders than those listed; they have no"
                  + " effect",
              "docs/runbook.md, unproven access: somebody has the secret of nodes; change it"));
    }
  }

  private static Finding unproven(String name, String summary, String action) {
    return new Finding("access-unproven", true, "", name, 0, summary, action);
  }

  private void faults(List<Finding> found) {
    for (PeerFaults.Refused refused : node.peerFaults().bySender()) {
      found.add(
          new Finding(
              "peer-invalid",
              true,
              "",
              refused.from().node(),
              0,
              refused.from()
                  + " sent "
                  + refused.count()
                  + " times what no node may send, the last "
                  + refused.last()
                  + "; they have no effect",
              "docs/runbook.md, faults of a peer: upgrade that node, or entente cluster depart "
                  + refused.from().node()));
    }
  }

  private void clock(List<Finding> found) {
    long jump = node.clock().jumpMillis();
    if (jump != 0) {
      found.add(
          of(
              "clock-jump",
              false,
              "",
              "The clock of this machine is "
                  + Duration.ofMillis(Math.abs(jump)).truncatedTo(ChronoUnit.SECONDS)
                  + (jump > 0 ? " ahead of" : " behind")
                  + " what it should be; the node goes on without it, and deletes nothing by age",
              "set the clock right; where it is right: entente cluster accept-clock"));
    }
    node.whyNoTimes()
        .ifPresent(why ->
            found.add(
                of("clock-ahead", true, "", "Writes are refused: " + why, "entente cluster")));
  }

  private void disk(List<Finding> found) {
    if (directory.isEmpty()) {
      return;
    }
    try {
      FileStore disk = Files.getFileStore(directory.get());
      double free = disk.getUsableSpace() / (double) Math.max(1, disk.getTotalSpace());
      if (free < thresholds.diskFreePart()) {
        found.add(
            of(
                "disk-full",
                free < thresholds.diskFreePart() / 2,
                "",
                String.format(
                    Locale.ROOT,
                    "%.1f %% of the disk is free (%d MiB)",
                    free * 100,
                    disk.getUsableSpace() >> 20),
                "make room, or move the data directory; a full disk stops the node"));
      }
    } catch (IOException e) {
      found.add(
          of("disk-full", true, "", "the data directory cannot be looked at: " + e, "df DIR"));
    }
  }
}
