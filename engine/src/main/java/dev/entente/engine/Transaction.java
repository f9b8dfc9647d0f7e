// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.codec.VersionCodec;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the next commit will write, and the store as it will be once everything decided is durable.
 * Jobs see what the jobs before them decided; a job's own changes are kept or discarded as a whole.
 * Used by the sequencer's thread only.
 */
final class Transaction {
  private final Store store;
  private final Incarnations self;
  private final HybridClock clock;
  private final Records records;

  /** Sealed layers that are on their way to the store, the oldest first. */
  private final Deque<Layer> sealed = new ArrayDeque<>();

  private Layer open = new Layer();
  private long kept;
  private long number;

  Transaction(Store store, Incarnations self, HybridClock clock, Records records, long lastNumber) {
    this.store = store;
    this.self = self;
    this.clock = clock;
    this.records = records;
    this.number = lastNumber;
    this.kept = lastNumber;
  }

  void keep() {
    open.keep();
    kept = number;
  }

  void discard() {
    open.discard();
    number = kept;
  }

  /** How many bytes the open layer will write, roughly. */
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
    return self.self();
  }

  HybridClock clock() {
    return clock;
  }

  long lastNumber() {
    return number;
  }

  /** The next dot, which is the next position in the log. */
  Dot nextDot() {
    return new Dot(self.self(), ++number);
  }

  /** Gives back a dot that no version took after all. */
  void takeBackDot() {
    number--;
  }

  byte @Nullable [] get(Table table, byte[] key) {
    Layer.Slot slot = new Layer.Slot(table, key);
    Layer.Staged found = open.get(slot);
    if (found == null && !sealed.isEmpty()) {
      var newestFirst = sealed.descendingIterator();
      while (found == null && newestFirst.hasNext()) {
        found = newestFirst.next().get(slot);
      }
    }
    return found != null ? found.value() : store.get(table, key);
  }

  /** The keys of a table that begin with a prefix, in order. Goes through all that is undurable. */
  List<byte[]> keys(Table table, byte[] prefix) {
    NavigableSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
    store.scan(
        table,
        prefix,
        (key, _) -> {
          keys.add(key);
          return true;
        });
    sealed.forEach(layer -> layer.overlay(table, prefix, keys));
    open.overlay(table, prefix, keys);
    return List.copyOf(keys);
  }

  void put(Table table, byte[] key, byte[] value) {
    open.put(table, key, value);
  }

  /** Writes what nobody looks up before it is durable. */
  void append(Table table, byte[] key, byte[] value) {
    open.append(table, key, value);
  }

  void delete(Table table, byte[] key) {
    open.delete(table, key);
  }

  Snapshot snapshot(RecordKey key) {
    Snapshot found = open.snapshot(key);
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
  byte[] put(Version version, Snapshot before, Snapshot after) {
    byte[] bytes = VersionCodec.toBytes(version);
    if (!self.isOwn(before.state().context())) {
      link(version.dot().number(), before);
    }
    open.put(Table.LOG, History.logKey(version.key().tenant(), version.dot().number()), bytes);
    open.put(after, version.dot().number());
    return bytes;
  }

  /** Puts a version of another node into the log; returns its bytes. */
  byte[] putReceived(Version version, Snapshot before, Snapshot after) {
    byte[] bytes = VersionCodec.toBytes(version);
    long position = ++number;
    link(position, before);
    open.put(Table.LOG, History.logKey(version.key().tenant(), position), bytes);
    open.put(after, position);
    return bytes;
  }

  /** Puts a record's state anew, with no version of its own. */
  void putRebuilt(Snapshot rebuilt) {
    open.put(rebuilt, number);
  }

  private void link(long position, Snapshot before) {
    RecordKey key = before.key();
    long last = History.last(this::get, key, before.state().context(), self);
    open.put(Table.LINKS, History.linkKey(key.tenant(), position), Keys.of(last));
    open.put(Table.LINKS, History.lastKey(key), Keys.of(position));
  }

  /** The records of a type that were decided and that the store may not show yet. */
  Set<RecordKey> undurable(String tenant, String type) {
    Set<RecordKey> keys = new HashSet<>(open.records());
    sealed.forEach(layer -> keys.addAll(layer.records()));
    keys.removeIf(key -> !key.tenant().equals(tenant) || !key.type().equals(type));
    return keys;
  }

  /** Adds an audit entry. */
  void audit(
      HybridTime time, String tenant, String actor, String action, String subject, Json detail) {
    open.audit(new AuditChain.Draft(time, tenant, actor, action, subject, detail));
  }

  void afterwards(Runnable action) {
    open.afterwards(action);
  }
}
