// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.codec.StateCodec;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What has been decided but is not yet seen by readers: the changes for the store, how they look to
 * later lookups, the new states, and what to do once they are durable. Written by the sequencer's
 * thread; once sealed it does not change.
 */
final class Layer {
  /** A key of a table, with its hash computed once for all layers. */
  static final class Slot {
    private final Table table;
    private final byte[] key;
    private final int hash;

    Slot(Table table, byte[] key) {
      this.table = table;
      this.key = key;
      this.hash = 31 * Arrays.hashCode(key) + table.hashCode();
    }

    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof Slot other && table == other.table && Arrays.equals(key, other.key);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /** What a key will hold; a null value removes it. */
  record Staged(byte @Nullable [] value) {}

  private final Batch batch = new Batch();
  private final Map<Slot, Staged> values = new HashMap<>();
  private final Map<RecordKey, Snapshot> snapshots = new HashMap<>();
  private final List<AuditChain.Draft> audit = new ArrayList<>();
  private final List<Runnable> afterwards = new ArrayList<>();
  private volatile boolean visible;

  /**
   * The value that this layer gives a key; null where it says nothing of it, empty where it removes
   * it.
   */
  @Nullable Staged get(Slot slot) {
    return values.get(slot);
  }

  @Nullable Snapshot snapshot(RecordKey key) {
    return snapshots.get(key);
  }

  void put(Table table, byte[] key, byte[] value) {
    batch.put(table, key, value);
    values.put(new Slot(table, key), new Staged(value));
  }

  void delete(Table table, byte[] key) {
    batch.delete(table, key);
    values.put(new Slot(table, key), new Staged(null));
  }

  /** Writes what nobody looks up before it is durable. */
  void append(Table table, byte[] key, byte[] value) {
    batch.put(table, key, value);
  }

  void put(Snapshot snapshot) {
    snapshots.put(snapshot.key(), snapshot);
  }

  void audit(AuditChain.Draft draft) {
    audit.add(draft);
  }

  void afterwards(Runnable action) {
    afterwards.add(action);
  }

  void addAll(Layer later) {
    batch.addAll(later.batch);
    values.putAll(later.values);
    snapshots.putAll(later.snapshots);
    audit.addAll(later.audit);
    afterwards.addAll(later.afterwards);
  }

  /** How much it will write, roughly. */
  long bytes() {
    return batch.bytes() + 200L * snapshots.size();
  }

  /**
   * All it writes: besides what was put, the last state of each record and the audit entries,
   * encoded here.
   */
  Batch complete(AuditChain chain) {
    snapshots.forEach((key, snapshot) ->
        batch.put(Table.RECORDS, Keys.of(key), StateCodec.toBytes(snapshot.state())));
    audit.forEach(draft -> chain.append(draft, batch));
    return batch;
  }

  /** Once it is durable: shows the states to readers and does what was to be done. */
  void publish(Records records) {
    records.publish(snapshots);
    afterwards.forEach(Runnable::run);
    visible = true;
  }

  /** True once everything in here can be read from the store and the cache. */
  boolean isVisible() {
    return visible;
  }
}
