// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntSupplier;
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
  private final IntSupplier clockError;

  /** Sealed layers that are on their way to the store, the oldest first. */
  private final Deque<Layer> sealed = new ArrayDeque<>();

  private Layer open = new Layer();
  private long kept;
  private long number;

  /** What is being worked out in a group's name; null outside of that. */
  private @Nullable Draft draft;

  /** What was refused within a draft or a unit, which stays where they do not; null outside. */
  private @Nullable List<AuditChain.Draft> refusals;

  private boolean ended;

  /** False where it is known that an answer is not to be looked for where earlier releases did. */
  private boolean earlierAnswers;

  /** Versions of a group, with what goes along with them; nothing of it is kept here. */
  static final class Draft {
    private final NodeId group;
    private final List<byte[]> versions = new ArrayList<>();
    private final List<Proposal.Answer> answers = new ArrayList<>();
    private final List<Locks.Fence> fences = new ArrayList<>();
    private final long first;
    private long last;

    private Draft(NodeId group, long last) {
      this.group = group;
      this.first = last;
      this.last = last;
    }

    private void clear() {
      versions.clear();
      answers.clear();
      fences.clear();
      last = first;
    }

    List<byte[]> versions() {
      return versions;
    }

    List<Proposal.Answer> answers() {
      return answers;
    }

    List<Locks.Fence> fences() {
      return fences;
    }
  }

  Transaction(
      Store store,
      Incarnations self,
      HybridClock clock,
      Records records,
      IntSupplier clockError,
      long lastNumber) {
    this.clockError = clockError;
    this.store = store;
    this.self = self;
    this.clock = clock;
    this.records = records;
    this.number = lastNumber;
    this.kept = lastNumber;
    this.earlierAnswers = Answers.holdsEarlier(store);
  }

  void keep() {
    open.keep();
    kept = number;
  }

  void discard() {
    open.discard();
    number = kept;
    draft = null;
    refusals = null;
  }

  /** From here to {@link #endUnit}, all holds or nothing. The first of a job, and of a draft. */
  void beginUnit() {
    if (refusals == null) {
      refusals = new ArrayList<>();
    }
  }

  void endUnit() {
    if (draft == null) {
      keep(takeRefusals());
    }
  }

  /** Takes back all of the unit, save that something was refused. */
  void takeBackUnit() {
    Draft drafted = draft;
    List<AuditChain.Draft> refused = takeRefusals();
    discard();
    if (drafted != null) {
      drafted.clear();
      draft = drafted;
      refusals = refused;
    } else {
      keep(refused);
    }
  }

  private List<AuditChain.Draft> takeRefusals() {
    List<AuditChain.Draft> refused = refusals == null ? List.of() : refusals;
    refusals = null;
    return refused;
  }

  private void keep(List<AuditChain.Draft> refused) {
    refused.forEach(open::audit);
  }

  /** What is drafted holds only while this lock does. */
  void fence(Locks.Fence fence) {
    if (draft != null) {
      draft.fences.add(fence);
    }
  }

  /** From here to {@link #endDraft}, all is worked out in a group's name, for others to agree. */
  void beginDraft(NodeId group, long last) {
    draft = new Draft(group, last);
    refusals = new ArrayList<>();
  }

  /** Takes back what was worked out, save that something was refused, and returns it. */
  Draft endDraft() {
    Draft ended = draft;
    if (ended == null) {
      throw new IllegalStateException("nothing is being drafted");
    }
    List<AuditChain.Draft> refused = takeRefusals();
    discard();
    keep(refused);
    return ended;
  }

  boolean isDraft() {
    return draft != null;
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

  /** Who authors: this node, or a group in whose name something is drafted. */
  NodeId self() {
    return draft != null ? draft.group : self.self();
  }

  HybridClock clock() {
    return clock;
  }

  /** By how much this node's clock is known to be off, in milliseconds. */
  int clockErrorMillis() {
    return clockError.getAsInt();
  }

  /** The last number that {@link #self} gave. */
  long lastNumber() {
    return draft != null ? draft.last : number;
  }

  /** The next dot; of this node, it is the next position in the log too. */
  Dot nextDot() {
    return new Dot(self(), draft != null ? ++draft.last : ++number);
  }

  /** Leaves out numbers: the next is given behind this one. */
  void skipTo(long last) {
    number = Math.max(number, last);
  }

  /** Gives back a dot that no version took after all. */
  void takeBackDot() {
    if (draft != null) {
      draft.last--;
    } else {
      number--;
    }
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

  /** Keeps what a request was answered, for when it is asked again. */
  void putAnswer(byte[] key, byte[] answer) {
    put(Table.ANSWERS, key, answer);
    if (draft != null) {
      draft.answers.add(new Proposal.Answer(key, answer));
    }
  }

  /** Whether the store may hold answers that an earlier release kept. */
  boolean mayHoldEarlierAnswers() {
    return earlierAnswers;
  }

  /** From here on the store may hold such an answer. */
  void noteEarlierAnswer() {
    earlierAnswers = true;
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
    return put(version, before, after, StateCodec.toBytes(after.state()));
  }

  /**
   * As {@link #put(Version, Snapshot, Snapshot)}, where the state after it has been encoded
   * already.
   */
  byte[] put(Version version, Snapshot before, Snapshot after, byte[] encoded) {
    if (draft != null) {
      byte[] drafted = putReceived(version, before, after, encoded);
      draft.versions.add(drafted);
      return drafted;
    }
    byte[] bytes = VersionCodec.toBytes(version);
    if (!self.isOwn(before.state().context())) {
      link(version.dot().number(), before);
    }
    open.put(Table.LOG, History.logKey(version.key().tenant(), version.dot().number()), bytes);
    open.put(after, encoded, version.dot().number());
    return bytes;
  }

  /** Puts a version of another node into the log; returns its bytes. */
  byte[] putReceived(Version version, Snapshot before, Snapshot after) {
    return putReceived(version, before, after, StateCodec.toBytes(after.state()));
  }

  private byte[] putReceived(Version version, Snapshot before, Snapshot after, byte[] encoded) {
    byte[] bytes = VersionCodec.toBytes(version);
    long position = ++number;
    link(position, before);
    open.put(Table.LOG, History.logKey(version.key().tenant(), position), bytes);
    open.put(after, encoded, position);
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

  /** Adds an audit entry of what was refused; it stays where what is drafted does not. */
  void auditRefusal(
      HybridTime time, String tenant, String actor, String action, String subject, Json detail) {
    AuditChain.Draft entry = new AuditChain.Draft(time, tenant, actor, action, subject, detail);
    if (refusals != null) {
      refusals.add(entry);
    } else {
      open.audit(entry);
    }
  }

  void afterwards(Runnable action) {
    open.afterwards(action);
  }

  /** What comes after this job is not decided any more: the node stops. */
  void end() {
    ended = true;
  }

  boolean hasEnded() {
    return ended;
  }
}
