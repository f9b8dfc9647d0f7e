// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.crdt.Register;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.CellId;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.engine.Erasure.Stage;
import dev.entente.engine.ErasureMarks.Mark;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Store.Stretch;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Takes away what erased records held: versions, reviews, and what the audit log says of them. A
 * version erases a record ({@link dev.entente.core.edit.Edit.Erase}); each node that it comes to
 * carries the erasure out once every node has it, so that nobody needs what was before.
 *
 * <p>Carrying it out cannot be undone, so a node does that only for itself and where an
 * administrator whom it trusts has signed the version, also one of a group; others stay as a
 * version that hides the rest.
 *
 * <p>The audit chain stays whole. Of an erased entry its hash is left, by which the next one
 * continues, and a later entry says with a sum which entries and versions went; {@link
 * Verification} compares. What is left: the record's id, the names of its members, what its
 * counters add up to, times, and hashes. Thread-safe.
 */
public final class Erasures {
  /** How the audit log calls it. */
  static final String ACTION = "erase";

  /** What its entry tells the erased entries by. */
  static final String ENTRIES = "entries";

  private final Node node;
  private final Incarnations self;
  private final Store store;
  private final History history;
  private final ErasureMarks marks;
  private final ReviewBook reviews;

  Erasures(
      Node node,
      Incarnations self,
      Store store,
      History history,
      ErasureMarks marks,
      ReviewBook reviews) {
    this.node = node;
    this.self = self;
    this.store = store;
    this.history = history;
    this.marks = marks;
    this.reviews = reviews;
  }

  /**
   * What an erasure of a record is made of: the record itself, and what people said of its reviews.
   * Whoever asks writes all of them. Reads all reviews of the tenant.
   */
  public List<WriteRequest> requests(RecordKey key, String by, String reason) {
    List<WriteRequest> requests = new ArrayList<>();
    requests.add(WriteRequest.erasure(key, by, reason));
    for (Review review : reviews.of(key.tenant(), Set.of(key))) {
      RecordKey sheet = ReviewSheet.key(review.id());
      if (!node.read(sheet).state().isEmpty() && marks.of(sheet).isEmpty()) {
        requests.add(WriteRequest.erasure(sheet, by, reason));
      }
    }
    return requests;
  }

  /** The versions that erased records, where that is not carried out here yet. */
  public List<Dot> pending() {
    return marks.pending().stream()
        .flatMap(key -> marks.of(key).stream())
        .filter(mark -> !mark.done())
        .map(Mark::dot)
        .toList();
  }

  /**
   * What was erased of a tenant, in the order of records.
   *
   * @param stable what every node has; see {@link Retention#stable}
   * @param after a record behind which to begin
   * @param limit how many at most, at least 1
   */
  public List<Erasure> of(
      String tenant, VersionVector stable, Optional<RecordKey> after, int limit) {
    List<Erasure> all = new ArrayList<>();
    marks.all(tenant, after, limit).forEach(key -> of(key, stable).ifPresent(all::add));
    return all;
  }

  /**
   * The erasure of a record; empty where it was not erased.
   *
   * @param stable what every node has; see {@link Retention#stable}
   */
  public Optional<Erasure> of(RecordKey key, VersionVector stable) {
    return marks
        .of(key)
        .map(mark -> {
          Optional<Version> version = erasing(key, mark);
          return new Erasure(
              key,
              mark.dot(),
              mark.at().instant(),
              version.map(Version::author).orElse(""),
              version.map(Version::note).orElse(""),
              stage(key, mark, stable));
        });
  }

  /** The version that erased a record; empty where it is not kept any more. */
  private Optional<Version> erasing(RecordKey key, Mark mark) {
    return Optional.ofNullable(store.get(Table.LOG, History.logKey(key.tenant(), mark.position())))
        .map(VersionCodec::fromBytes);
  }

  private Stage stage(RecordKey key, Mark mark, VersionVector stable) {
    if (mark.done()) {
      return Stage.DONE;
    }
    if (!isProven(key, mark)) {
      return Stage.UNPROVEN;
    }
    if (!stable.contains(mark.dot())) {
      return Stage.WAITING;
    }
    return Plan.of(history, store, key, mark).isPresent() ? Stage.DUE : Stage.OVERTAKEN;
  }

  private boolean isProven(RecordKey key, Mark mark) {
    return erasing(key, mark).filter(this::isProven).isPresent();
  }

  /**
   * Whether what a version erased may be taken away here. That a version names this node, or an
   * incarnation of it, proves nothing; that it stands at its own number in this log does.
   */
  private boolean isProven(Version version) {
    return self.wrote(version.dot()) || node.accessKeys().isProven(version);
  }

  /** What is to go of one record. */
  private record Plan(
      RecordKey key,
      Mark mark,
      long last,
      Base base,
      List<Feed> versions,
      HashSum sum,
      Base after) {

    /** Empty where something was written without knowing of the erasure. */
    static Optional<Plan> of(History history, Store store, RecordKey key, Mark mark) {
      long last = history.lastCommitted(key);
      Base base = history.base(key);
      List<Feed> before = new ArrayList<>();
      List<Version> versions = new ArrayList<>();
      HashSum sum = new HashSum();
      Version erasing = null;
      for (Logged logged : history.newestFirst(key, last, Integer.MAX_VALUE).reversed()) {
        Version version = logged.version();
        if (logged.position() == mark.position()) {
          erasing = version;
        } else if (logged.position() > mark.position()) {
          if (!version.context().contains(mark.dot())) {
            return Optional.empty();
          }
        } else {
          before.add(new Feed(logged.position(), version));
          versions.add(version);
          byte[] bytes = store.get(Table.LOG, History.logKey(key.tenant(), logged.position()));
          if (bytes == null) {
            return Optional.empty(); // Pruned meanwhile; the next turn sees it as it is then.
          }
          sum.add(logged.position(), Hashes.of(bytes));
        }
      }
      if (erasing == null || !hasSeen(erasing.context(), base, versions)) {
        return Optional.empty();
      }
      Base after =
          new Base(
              before.isEmpty() ? base.position() : before.getLast().position(),
              erasing.acceptedAt(),
              base.versions() + before.size(),
              scrubbed(new Past(base.state(), versions).replay()));
      return Optional.of(new Plan(key, mark, last, base, before, sum, after));
    }

    private static boolean hasSeen(CausalContext context, Base base, List<Version> versions) {
      return context.dominates(base.state().context())
          && versions.stream().allMatch(version -> context.contains(version.dot()));
    }
  }

  /**
   * A state that the erasing version makes the same of, and that says nothing: texts and lists are
   * as long as they were.
   */
  private static RecordState scrubbed(RecordState state) {
    List<CellId> ids = new ArrayList<>();
    List<Cell> cells = new ArrayList<>();
    state
        .cells()
        .forEach((id, cell) -> {
          ids.add(id);
          cells.add(
              switch (cell) {
                case Register _ -> Register.EMPTY;
                case ObservedSet _ -> ObservedSet.EMPTY;
                case Counter counter -> counter;
                case Sequence sequence -> scrubbed(sequence);
              });
        });
    return state.with(SortedArrayMap.ofSorted(ids, cells));
  }

  private static Sequence scrubbed(Sequence sequence) {
    int length = Sequence.length(sequence.value());
    Json filler =
        sequence.isText()
            ? Json.of(" ".repeat(length))
            : new JsonArray(Collections.nCopies(length, JsonNull.NULL));
    var last = new TreeSet<Dot>(sequence.heads());
    last.addAll(sequence.open().keys());
    return Sequence.restored(filler, List.copyOf(last), SortedArrayMap.empty());
  }

  /**
   * Carries out what can be. Reads the whole audit log and all reviews where something is to be
   * done, and writes anew the files in which it stood.
   *
   * @param stable what every node has; see {@link Retention#stable}
   * @param members the nodes that have not left for good
   * @return the records of which something was erased
   */
  public List<RecordKey> carryOut(VersionVector stable, List<NodeId> members) {
    Map<RecordKey, Plan> plans = new TreeMap<>();
    for (RecordKey key : marks.pending()) {
      Optional<Mark> mark =
          marks
              .of(key)
              .filter(found -> !found.done() && stable.contains(found.dot()))
              .filter(found -> isProven(key, found));
      if (mark.isPresent()) {
        Optional<Plan> plan = Plan.of(history, store, key, mark.get());
        plan.ifPresent(found -> plans.put(key, found));
        if (plan.isEmpty() && isOurs(mark.get().dot(), members)) {
          eraseAgain(key, mark.get());
        }
      }
    }
    if (plans.isEmpty()) {
      return List.of();
    }
    Map<RecordKey, List<byte[]>> entries = entries(plans);
    Set<Review> opened = new HashSet<>();
    for (String tenant : tenants(plans)) {
      opened.addAll(reviews.of(tenant, plans.keySet()));
    }
    Map<RecordKey, Plan> done = new TreeMap<>();
    for (Plan plan : plans.values()) {
      List<Review> found =
          opened.stream().filter(review -> review.key().equals(plan.key())).toList();
      List<byte[]> said = entries.getOrDefault(plan.key(), List.of());
      if (node.alone(transaction -> carryOut(transaction, plan, found, said))) {
        done.put(plan.key(), plan);
      }
    }
    compact(done);
    // Only now: whoever ends before that begins again, and leaves nothing on the disk.
    node.alone(transaction -> {
      done.forEach((key, plan) -> {
        if (marks.of(transaction::get, key).equals(Optional.of(plan.mark()))) {
          marks.done(transaction, key, plan.mark());
        }
      });
      return true;
    });
    return List.copyOf(done.keySet());
  }

  /**
   * Whether it is for this node to erase once more: for the one that did, or, where that has left
   * for good, for the first of the others. A group has no versions but its own.
   */
  private boolean isOurs(Dot erasing, List<NodeId> members) {
    NavigableSet<String> names = new TreeSet<>();
    members.forEach(member -> names.add(member.name()));
    String by = erasing.node().name();
    return node.id().name().equals(names.contains(by) || names.isEmpty() ? by : names.first());
  }

  private void eraseAgain(RecordKey key, Mark mark) {
    String by = erasing(key, mark).map(Version::author).orElse(Proceedings.POLICY);
    String why = "again, since something was written without knowing of the erasure";
    requests(key, by, why).forEach(request -> node.write(request).join());
  }

  /** What the audit log says of each of these records, up to the entry of their erasure. */
  private Map<RecordKey, List<byte[]>> entries(Map<RecordKey, Plan> plans) {
    Map<String, Plan> sought = new HashMap<>();
    plans.forEach((key, plan) -> sought.put(key.toString(), plan));
    Map<RecordKey, List<byte[]>> entries = new HashMap<>();
    store.scan(
        Table.AUDIT,
        new byte[0],
        (_, stored) -> {
          AuditEntry entry = AuditCodec.fromBytes(stored);
          Plan plan = sought.get(entry.subject());
          if (plan != null && plan.key().tenant().equals(entry.tenant())) {
            if (isOf(entry, plan.mark().position())) {
              sought.remove(entry.subject());
            } else if (!entry.action().equals(ACTION)) {
              // What an earlier erasure says of itself says nothing of what was, and is needed.
              entries
                  .computeIfAbsent(plan.key(), _ -> new ArrayList<>())
                  .add(AuditCodec.erased(stored));
            }
          }
          return !sought.isEmpty();
        });
    return entries;
  }

  private static boolean isOf(AuditEntry entry, long position) {
    return entry.action().equals("write")
        && entry.detail() instanceof JsonObject detail
        && detail.get("position") instanceof JsonNumber at
        && at.longValue() == position;
  }

  private boolean carryOut(
      Transaction transaction, Plan plan, List<Review> found, List<byte[]> said) {
    RecordKey key = plan.key();
    boolean asPlanned =
        marks.of(transaction::get, key).equals(Optional.of(plan.mark()))
            && history.last(transaction.snapshot(key), transaction) == plan.last()
            && Base.of(transaction::get, key).position() == plan.base().position();
    if (!asPlanned) {
      return false;
    }
    Pruning.replace(transaction, key, plan.versions(), plan.after());
    int forgotten = 0;
    Set<String> live = live(transaction.snapshot(key));
    for (Review review : found) {
      boolean ofNow = live.contains(review.id());
      forgotten += !ofNow && reviews.forget(transaction, key.tenant(), review.id()) ? 1 : 0;
    }
    HashSum entries = new HashSum();
    for (byte[] stub : said) {
      long sequence = AuditCodec.fromBytes(stub).sequence();
      transaction.put(Table.AUDIT, Keys.of(sequence), stub);
      entries.add(sequence, Hashes.of(stub));
    }
    Map<String, Json> detail = new TreeMap<>();
    plan.sum().tell(detail);
    Map<String, Json> erased = new TreeMap<>();
    entries.tell(erased);
    detail.put(ENTRIES, JsonObject.of(erased));
    detail.put("reviews", Json.of(forgotten));
    transaction.audit(
        transaction.clock().next(),
        key.tenant(),
        Proceedings.POLICY,
        ACTION,
        key.toString(),
        JsonObject.of(detail));
    return true;
  }

  /** The conflicts of what the record holds by now, which has nothing of what was. */
  private static Set<String> live(Snapshot now) {
    Set<String> ids = new HashSet<>();
    now.view().resolutions().forEach(resolution -> ids.add(resolution.conflict().id()));
    return ids;
  }

  private static Set<String> tenants(Map<RecordKey, Plan> plans) {
    Set<String> tenants = new TreeSet<>();
    plans.keySet().forEach(key -> tenants.add(key.tenant()));
    return tenants;
  }

  /** Leaves nothing of what went on the disk. */
  private void compact(Map<RecordKey, Plan> plans) {
    List<Stretch> stretches = new ArrayList<>();
    stretches.add(new Stretch(Table.AUDIT, Keys.of(0), Keys.of(node.auditHead().sequence() + 1)));
    for (RecordKey key : plans.keySet()) {
      stretches.add(Stretch.of(Table.RECORDS, Keys.of(key)));
      stretches.add(Stretch.of(Table.BASES, Keys.of(key)));
    }
    for (String tenant : tenants(plans)) {
      for (Table table :
          List.of(Table.LOG, Table.REVIEWS, Table.ANSWERS, Table.CLAIMS, Table.HELD)) {
        stretches.add(Stretch.of(table, Keys.of(tenant)));
      }
    }
    store.compact(stretches);
  }
}
