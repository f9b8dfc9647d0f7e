// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Erasure;
import dev.entente.engine.Node;
import dev.entente.engine.Retention;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** Carries out what was erased once every node has heard of it. Thread-safe. */
public final class Eraser {
  private static final Logger LOG = System.getLogger(Eraser.class.getName());

  private final Node node;
  private final Retention retention;
  private final Supplier<List<NodeId>> members;
  private final ReentrantLock turns = new ReentrantLock();

  /**
   * Of a node.
   *
   * @param members the nodes that have not left for good
   */
  public Eraser(Node node, Retention retention, Supplier<List<NodeId>> members) {
    this.node = node;
    this.retention = retention;
    this.members = members;
  }

  /** Says that this node has heard of what was erased, and carries out what can be. */
  public void turn() {
    turns.lock();
    try {
      List<Dot> pending = node.erasures().pending();
      if (pending.isEmpty()) {
        return;
      }
      if (!pending.stream().allMatch(retention::hasTold)) {
        retention.tell(members.get());
      }
      List<RecordKey> done = node.erasures().carryOut(stable(), members.get());
      if (!done.isEmpty()) {
        LOG.log(Level.INFO, "{0} records were erased at this node", done.size());
      }
    } finally {
      turns.unlock();
    }
  }

  private VersionVector stable() {
    return retention.stable(members.get());
  }

  /** What was erased of a tenant, in the order of records, behind one; at most so many. */
  public List<Erasure> of(String tenant, Optional<RecordKey> after, int limit) {
    return node.erasures().of(tenant, stable(), after, limit);
  }

  /** The erasure of a record; empty where it was not erased. */
  public Optional<Erasure> of(RecordKey key) {
    return node.erasures().of(key, stable());
  }

  /** The members that have not said that they have heard of an erasure. */
  public List<NodeId> waitsFor(Erasure erasure) {
    return erasure.stage() == Erasure.Stage.WAITING
        ? retention.without(erasure.dot(), members.get())
        : List.of();
  }
}
