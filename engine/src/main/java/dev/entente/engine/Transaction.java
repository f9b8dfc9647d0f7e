// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.VersionCodec;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the next commit will write, and the store as it will be once everything decided is durable.
 * Jobs see what the jobs before them decided; a job's own changes are kept or discarded as a whole.
 * Used by the sequencer's thread only.
 */
final class Transaction {
  private final Store store;
  private final NodeId self;
  private final HybridClock clock;
  private final Records records;

  /** Sealed layers that are on their way to the store, the oldest first. */
  private final Deque<Layer> sealed = new ArrayDeque<>();

  private Layer open = new Layer();
  private Layer job = new Layer();
  private long kept;
  private long number;

  Transaction(Store store, NodeId self, HybridClock clock, Records records, long lastNumber) {
    this.store = store;
    this.self = self;
    this.clock = clock;
    this.records = records;
    this.number = lastNumber;
    this.kept = lastNumber;
  }

  void keep() {
    open.addAll(job);
    job = new Layer();
    kept = number;
  }

  void discard() {
    job = new Layer();
    number = kept;
  }

  long bytes() {
    return open.bytes();
  }

  /** Closes the open layer for the commit, and forgets those that have become visible. */
  Layer seal() {
    while (!sealed.isEmpty() && sealed.peekFirst().isVisible()) {
      sealed.removeFirst();
    }
    Layer layer = open;
    sealed.addLast(layer);
    open = new Layer();
    return layer;
  }

  NodeId self() {
    return self;
  }

  HybridClock clock() {
    return clock;
  }

  long lastNumber() {
    return number;
  }

  /** The next dot, which is the next position in the log. */
  Dot nextDot() {
    return new Dot(self, ++number);
  }

  /** Gives back a dot that no version took after all. */
  void takeBackDot() {
    number--;
  }

  byte @Nullable [] get(Table table, byte[] key) {
    Layer.Slot slot = new Layer.Slot(table, key);
    Layer.Staged found = job.get(slot);
    if (found == null) {
      found = open.get(slot);
    }
    if (found == null && !sealed.isEmpty()) {
      var newestFirst = sealed.descendingIterator();
      while (found == null && newestFirst.hasNext()) {
        found = newestFirst.next().get(slot);
      }
    }
    return found != null ? found.value() : store.get(table, key);
  }

  void put(Table table, byte[] key, byte[] value) {
    job.put(table, key, value);
  }

  /** Writes what nobody looks up before it is durable. */
  void append(Table table, byte[] key, byte[] value) {
    job.append(table, key, value);
  }

  void delete(Table table, byte[] key) {
    job.delete(table, key);
  }

  Snapshot snapshot(RecordKey key) {
    Snapshot found = job.snapshot(key);
    if (found == null) {
      found = open.snapshot(key);
    }
    if (found == null && !sealed.isEmpty()) {
      var newestFirst = sealed.descendingIterator();
      while (found == null && newestFirst.hasNext()) {
        found = newestFirst.next().snapshot(key);
      }
    }
    return records.current(found != null ? found : records.load(key));
  }

  /**
   * Puts a version into the log, with the record as it is after it; returns the version's bytes.
   */
  byte[] put(Version version, Snapshot after) {
    byte[] bytes = VersionCodec.toBytes(version);
    put(Table.LOG, History.logKey(version.key().tenant(), version.dot().number()), bytes);
    job.put(after);
    return bytes;
  }

  /** Adds an audit entry; its detail is put together when it is written, on another thread. */
  void audit(
      HybridTime time,
      String tenant,
      String actor,
      String action,
      String subject,
      Supplier<Json> detail) {
    job.audit(new AuditChain.Draft(time, tenant, actor, action, subject, detail));
  }

  void afterwards(Runnable action) {
    job.afterwards(action);
  }
}
