// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.StateCodec;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What has been decided but is not yet seen by readers: the changes for the store, how they look to
 * later lookups, the new states, and what to do once they are durable. Written by the sequencer's
 * thread job by job; what a job changed can be taken back. Once sealed it does not change.
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
  record Staged(Slot slot, byte @Nullable [] value) {}

  /** A record as it will be, and the bytes of its state. */
  private record Next(Snapshot snapshot, byte[] bytes) {}

  /** How to take one change of the job back. */
  private sealed interface Undo {
    record OfValue(Slot slot, @Nullable Staged before) implements Undo {}

    record OfRecord(RecordKey key, @Nullable Next before) implements Undo {}
  }

  /** How long the lists were when the job began. */
  private record Mark(int staged, int audit, int afterwards, long bytes, long position) {}

  private final List<Staged> staged = new ArrayList<>();
  private final Map<Slot, Staged> values = new HashMap<>();
  private final Map<RecordKey, Next> records = new HashMap<>();
  private final List<AuditChain.Draft> audit = new ArrayList<>();
  private final List<Runnable> afterwards = new ArrayList<>();
  private final List<Undo> job = new ArrayList<>();
  private Mark mark = new Mark(0, 0, 0, 0, 0);
  private long bytes;
  private long position;
  private volatile boolean visible;

  /** What this layer gives a key; null where it says nothing of it. */
  @Nullable Staged get(Slot slot) {
    return values.get(slot);
  }

  /** Brings keys of a table that begin with a prefix in line with what this layer changes. */
  void overlay(Table table, byte[] prefix, NavigableSet<byte[]> keys) {
    values.forEach((slot, change) -> {
      if (slot.table == table
          && slot.key.length >= prefix.length
          && Arrays.equals(slot.key, 0, prefix.length, prefix, 0, prefix.length)) {
        if (change.value() == null) {
          keys.remove(slot.key);
        } else {
          keys.add(slot.key);
        }
      }
    });
  }

  @Nullable Snapshot snapshot(RecordKey key) {
    Next next = records.get(key);
    return next == null ? null : next.snapshot();
  }

  Set<RecordKey> records() {
    return records.keySet();
  }

  void put(Table table, byte[] key, byte[] value) {
    lookedUp(new Staged(new Slot(table, key), value));
    bytes += key.length + value.length;
  }

  void delete(Table table, byte[] key) {
    lookedUp(new Staged(new Slot(table, key), null));
    bytes += key.length;
  }

  private void lookedUp(Staged change) {
    staged.add(change);
    job.add(new Undo.OfValue(change.slot, values.put(change.slot, change)));
  }

  /** Writes what nobody looks up before it is durable. */
  void append(Table table, byte[] key, byte[] value) {
    staged.add(new Staged(new Slot(table, key), value));
    bytes += key.length + value.length;
  }

  /** Puts the state of a record as it is after the version at a position of the log. */
  void put(Snapshot snapshot, long at) {
    // Encoded here, while all of it is still in this core's cache.
    put(snapshot, StateCodec.toBytes(snapshot.state()), at);
  }

  /** As {@link #put(Snapshot, long)}, where the state has been encoded already. */
  void put(Snapshot snapshot, byte[] encoded, long at) {
    Next next = new Next(snapshot, encoded);
    job.add(new Undo.OfRecord(snapshot.key(), records.put(snapshot.key(), next)));
    bytes += next.bytes().length;
    position = at;
  }

  void audit(AuditChain.Draft draft) {
    audit.add(draft);
  }

  void afterwards(Runnable action) {
    afterwards.add(action);
  }

  /** Ends a job whose changes stay. */
  void keep() {
    job.clear();
    mark = new Mark(staged.size(), audit.size(), afterwards.size(), bytes, position);
  }

  /** Takes back what was changed since the last job was kept. */
  void discard() {
    for (Undo undo : job.reversed()) {
      switch (undo) {
        case Undo.OfValue(Slot slot, Staged before) -> restore(values, slot, before);
        case Undo.OfRecord(RecordKey key, Next before) -> restore(records, key, before);
      }
    }
    cut(staged, mark.staged());
    cut(audit, mark.audit());
    cut(afterwards, mark.afterwards());
    bytes = mark.bytes();
    position = mark.position();
    job.clear();
  }

  private static <K, V> void restore(Map<K, V> map, K key, @Nullable V before) {
    if (before == null) {
      map.remove(key);
    } else {
      map.put(key, before);
    }
  }

  private static void cut(List<?> list, int size) {
    list.subList(size, list.size()).clear();
  }

  /** How much it will write, roughly. */
  long bytes() {
    return bytes;
  }

  /** The last position of the log that it fills; 0 where it fills none. */
  long position() {
    return position;
  }

  /** All it writes: what was put, the last state of each record and the audit entries. */
  Batch complete(AuditChain chain) {
    Batch batch = new Batch(staged.size() + records.size() + audit.size() + 1);
    for (Staged change : staged) {
      byte[] value = change.value();
      if (value == null) {
        batch.delete(change.slot.table, change.slot.key);
      } else {
        batch.put(change.slot.table, change.slot.key, value);
      }
    }
    records.forEach((key, next) -> batch.put(Table.RECORDS, Keys.of(key), next.bytes()));
    audit.forEach(draft -> chain.append(draft, batch));
    return batch;
  }

  /** Once it is durable: shows the states to readers and does what was to be done. */
  void publish(Records readable) {
    records.forEach((_, next) -> readable.publish(next.snapshot()));
    afterwards.forEach(Runnable::run);
    visible = true;
  }

  /** True once everything in here can be read from the store and the cache. */
  boolean isVisible() {
    return visible;
  }
}
