// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one commit will write, and the store as it will be afterwards. Jobs see what the jobs before
 * them staged; a job's own changes are kept or discarded as a whole. Used by the sequencer's thread
 * only.
 */
final class Transaction {
  private record Slot(Table table, ByteBuffer key) {}

  private final Store store;
  private final NodeId self;
  private final HybridClock clock;
  private final Records records;

  private Batch staged = new Batch();
  private Batch job = new Batch();
  private final Map<Slot, Optional<byte[]>> overlay = new HashMap<>();
  private final Map<Slot, Optional<byte[]>> jobOverlay = new HashMap<>();
  private final Map<RecordKey, Snapshot> snapshots = new HashMap<>();
  private final Map<RecordKey, Snapshot> jobSnapshots = new HashMap<>();
  private final List<Runnable> afterwards = new ArrayList<>();
  private final List<Runnable> jobAfterwards = new ArrayList<>();

  private long lastNumber;
  private long jobLastNumber;
  private long lastSequence;
  private long jobLastSequence;
  private byte[] lastHash;
  private byte[] jobLastHash;

  Transaction(
      Store store,
      NodeId self,
      HybridClock clock,
      Records records,
      long lastNumber,
      long lastSequence,
      byte[] lastHash) {
    this.store = store;
    this.self = self;
    this.clock = clock;
    this.records = records;
    this.lastNumber = this.jobLastNumber = lastNumber;
    this.lastSequence = this.jobLastSequence = lastSequence;
    this.lastHash = this.jobLastHash = lastHash;
  }

  void begin() {
    jobLastNumber = lastNumber;
    jobLastSequence = lastSequence;
    jobLastHash = lastHash;
  }

  void keep() {
    staged.addAll(job);
    overlay.putAll(jobOverlay);
    snapshots.putAll(jobSnapshots);
    afterwards.addAll(jobAfterwards);
    lastNumber = jobLastNumber;
    lastSequence = jobLastSequence;
    lastHash = jobLastHash;
    clearJob();
  }

  void discard() {
    clearJob();
  }

  private void clearJob() {
    job = new Batch();
    jobOverlay.clear();
    jobSnapshots.clear();
    jobAfterwards.clear();
  }

  long bytes() {
    return staged.bytes();
  }

  /** Hands out what is to be committed. */
  Batch take() {
    Batch batch = staged;
    staged = new Batch();
    return batch;
  }

  /** After the commit: makes the new states visible and tells the observers. */
  void publish() {
    records.publish(snapshots);
    snapshots.clear();
    overlay.clear();
    List<Runnable> actions = List.copyOf(afterwards);
    afterwards.clear();
    actions.forEach(Runnable::run);
  }

  NodeId self() {
    return self;
  }

  HybridClock clock() {
    return clock;
  }

  long lastNumber() {
    return jobLastNumber;
  }

  /** The next dot, which is the next position in the log. */
  Dot nextDot() {
    return new Dot(self, ++jobLastNumber);
  }

  /** Gives back a dot that no version took after all. */
  void takeBackDot() {
    jobLastNumber--;
  }

  byte @Nullable [] get(Table table, byte[] key) {
    Slot slot = new Slot(table, ByteBuffer.wrap(key));
    Optional<byte[]> own = jobOverlay.get(slot);
    if (own == null) {
      own = overlay.get(slot);
    }
    return own != null ? own.orElse(null) : store.get(table, key);
  }

  void put(Table table, byte[] key, byte[] value) {
    job.put(table, key, value);
    jobOverlay.put(new Slot(table, ByteBuffer.wrap(key)), Optional.of(value));
  }

  /** Writes what no later job of this commit will look up. */
  void append(Table table, byte[] key, byte[] value) {
    job.put(table, key, value);
  }

  void delete(Table table, byte[] key) {
    job.delete(table, key);
    jobOverlay.put(new Slot(table, ByteBuffer.wrap(key)), Optional.empty());
  }

  Snapshot snapshot(RecordKey key) {
    Snapshot own = jobSnapshots.get(key);
    if (own == null) {
      own = snapshots.get(key);
    }
    return records.current(own != null ? own : records.load(key));
  }

  void put(Snapshot snapshot, byte[] stateBytes) {
    jobSnapshots.put(snapshot.key(), snapshot);
    job.put(Table.RECORDS, Keys.of(snapshot.key()), stateBytes);
  }

  /**
   * The entries that this commit has staged so far in a table, newest last; for scans that must see
   * them.
   */
  List<Batch.Entry> staged(Table table) {
    List<Batch.Entry> entries = new ArrayList<>();
    for (Batch batch : List.of(staged, job)) {
      for (Batch.Entry entry : batch.entries()) {
        if (entry.table() == table) {
          entries.add(entry);
        }
      }
    }
    return entries;
  }

  void audit(
      HybridTime time, String tenant, String actor, String action, String subject, Json detail) {
    AuditEntry entry =
        new AuditEntry(++jobLastSequence, time, tenant, actor, action, subject, detail);
    byte[] body = AuditCodec.body(entry);
    byte[] hash = AuditCodec.hash(jobLastHash, body);
    job.put(Table.AUDIT, Keys.of(entry.sequence()), Keys.with(body, hash));
    jobLastHash = hash;
  }

  void afterwards(Runnable action) {
    jobAfterwards.add(action);
  }
}
