// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.json.Json;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Table;

/**
 * The end of the audit log: numbers entries and chains each to the one before. Used by the
 * committing thread only.
 */
final class AuditChain {
  /** An entry that has been decided but not yet numbered. */
  record Draft(
      HybridTime time, String tenant, String actor, String action, String subject, Json detail) {}

  private long sequence;
  private byte[] hash;

  AuditChain(long lastSequence, byte[] lastHash) {
    this.sequence = lastSequence;
    this.hash = lastHash;
  }

  void append(Draft draft, Batch batch) {
    AuditEntry entry =
        new AuditEntry(
            ++sequence,
            draft.time(),
            draft.tenant(),
            draft.actor(),
            draft.action(),
            draft.subject(),
            draft.detail());
    byte[] body = AuditCodec.body(entry);
    hash = AuditCodec.hash(hash, body);
    batch.put(Table.AUDIT, Keys.of(entry.sequence()), Keys.with(body, hash));
  }
}
