// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import dev.entente.engine.Pruned;
import dev.entente.engine.Retention;
import dev.entente.engine.Retention.Limits;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Lets go of what is older than its tenant keeps it, again and again. Thread-safe. */
public final class Pruner {
  private static final Logger LOG = System.getLogger(Pruner.class.getName());

  private final Node node;
  private final Retention retention;
  private final Supplier<List<NodeId>> members;

  /**
   * Of a node.
   *
   * @param members the nodes that have not left for good
   */
  public Pruner(Node node, Retention retention, Supplier<List<NodeId>> members) {
    this.node = node;
    this.retention = retention;
    this.members = members;
  }

  /** Says what this node has, and lets go of what is too old of every tenant. */
  public void turn() {
    retention.tell(members.get());
    if (!node.clock().isPlausible()) {
      LOG.log(Level.WARNING, "old versions stay: the clock of this node is not plausible");
      return;
    }
    VersionVector stable = retention.stable(members.get());
    for (String tenant : node.tenants()) {
      Optional<Limits> limits = retention.limits(tenant);
      Pruned gone =
          limits.isEmpty()
              ? Pruned.NOTHING
              : retention.run(tenant, limits.get(), stable, false, _ -> true);
      if (gone.versions() > 0) {
        LOG.log(
            Level.INFO,
            "{0} old versions of {1} were let go, {2} bytes; {3} wait for other nodes",
            gone.versions(),
            tenant,
            gone.bytes(),
            gone.waiting());
      }
    }
  }

  /** The members that have not said what they have; nothing is let go before. */
  public List<NodeId> waitsFor() {
    return retention.silent(members.get());
  }

  /** The same for one tenant now. */
  public void run(Job job, Limits limits) {
    retention.tell(members.get());
    VersionVector stable = retention.stable(members.get());
    long[] told = {0};
    Pruned gone =
        retention.run(
            job.tenant(),
            limits,
            stable,
            job.dryRun(),
            soFar -> {
              job.changed(soFar.versions() - told[0]);
              told[0] = soFar.versions();
              return !job.isStopping();
            });
    job.changed(gone.versions() - told[0]);
    if (gone.waiting() > 0) {
      job.failed(
          gone.waiting() + " versions",
          waitsFor().isEmpty()
              ? "not every node is known to have them yet"
              : "these nodes have not said yet what they have: " + waitsFor());
    }
  }
}
