// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import dev.entente.cluster.Authority;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.PrunedException;
import dev.entente.engine.ScopedCheckpoints;
import dev.entente.engine.ScopedCheckpoints.Checkpoint;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Brings records back to what they were at a moment or a checkpoint, as new versions: nothing is
 * taken out of their histories, other nodes hear of it like of any write, and it can be undone in
 * the same way.
 */
public final class Restorer {
  private static final int PAGE = 500;

  private final Node node;
  private final Authority authority;

  public Restorer(Node node, Authority authority) {
    this.node = node;
    this.authority = authority;
  }

  /** Brings back all records of some types to what they were at a moment. */
  public Jobs.Work to(Instant moment, List<String> types, String reason) {
    return all(types, key -> node.readAt(key, moment), reason);
  }

  /** Brings back what a checkpoint covers. */
  public Jobs.Work to(Checkpoint checkpoint, ScopedCheckpoints checkpoints, String reason) {
    Function<RecordKey, Snapshot> then = key -> checkpoints.read(checkpoint, key);
    return checkpoint
        .id()
        .<Jobs.Work>map(id -> {
          String type = checkpoint.type().orElseThrow();
          return job -> restore(job, new RecordKey(job.tenant(), type, id), then, reason);
        })
        .orElseGet(() -> all(checkpoints.types(checkpoint).toList(), then, reason));
  }

  private Jobs.Work all(List<String> types, Function<RecordKey, Snapshot> then, String reason) {
    return job -> {
      for (String type : types) {
        Optional<String> after = Optional.empty();
        List<RecordKey> page;
        do {
          page = node.records(job.tenant(), type, after, PAGE);
          for (RecordKey key : page) {
            if (job.isStopping()) {
              return;
            }
            restore(job, key, then, reason);
          }
          after = page.isEmpty() ? Optional.empty() : Optional.of(page.getLast().id());
        } while (page.size() == PAGE);
      }
    };
  }

  private void restore(
      Job job, RecordKey key, Function<RecordKey, Snapshot> reading, String reason) {
    String name = key.type() + "/" + key.id();
    Snapshot then;
    try {
      then = reading.apply(key);
    } catch (PrunedException e) {
      job.failed(name, String.valueOf(e.getMessage()));
      return;
    }
    Snapshot now = node.read(key);
    if (then.view().data().equals(now.view().data())) {
      job.unchanged();
      return;
    }
    if (job.dryRun()) {
      job.changed(name);
      return;
    }
    Outcome outcome = authority.write(WriteRequest.rollback(then, job.by(), reason)).join();
    if (outcome instanceof Outcome.Rejected rejected) {
      job.failed(name, rejected.message());
    } else {
      job.changed(name);
    }
  }
}
