// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Repetitions;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;

/**
 * Lets go of versions that are old and that every node has. Of each record the first versions
 * become one state, the {@link Base}; the last version always stays, and a record that waits for a
 * decision keeps all of them.
 *
 * <p>The invariant: base and kept versions add up to the very state that all versions did. Texts
 * and lists keep their edits in the base, since an author may still come who had seen only some.
 *
 * <p>What is let go is told in the audit log: how many versions, and a sum of their hashes, by
 * which {@link Verification} finds out that nothing else is missing.
 */
final class Pruning {
  /** How many versions one stretch looks at, and so for how long it holds writes up. */
  private static final int STRETCH = 250;

  /** After so many in a row that are too young, the rest of the log is younger. */
  private static final int YOUNG_MAX = 1_000;

  /** How the audit log calls it. */
  static final String ACTION = "prune";

  private static final byte[] PRUNED = "pruned".getBytes(StandardCharsets.UTF_8);

  private final Store store;
  private final History history;
  private final ErasureMarks erasures;

  Pruning(Store store, History history, ErasureMarks erasures) {
    this.store = store;
    this.history = history;
    this.erasures = erasures;
  }

  /** The last version of each node that is not kept any more. */
  static VersionVector dots(History.Reader reader) {
    byte[] bytes = reader.get(Table.META, PRUNED);
    return bytes == null ? VersionVector.EMPTY : CausalCodec.readVector(new ByteReader(bytes));
  }

  private static byte[] horizonKey(String tenant) {
    return Keys.of("pruned", tenant);
  }

  /** Up to where a tenant's log may lack versions; 0 where it lacks none. */
  static long horizon(History.Reader reader, String tenant) {
    byte[] bytes = reader.get(Table.META, horizonKey(tenant));
    return bytes == null ? 0 : new ByteReader(bytes).u64();
  }

  /** A version as it stands in the log. */
  private record Old(Feed feed, byte[] bytes) {}

  /**
   * The first versions of a record, how large they are, and the sum over them.
   *
   * @param repetitions those of the record when this was planned
   */
  private record Beginning(
      Base before,
      Base after,
      Repetitions repetitions,
      List<Feed> versions,
      long bytes,
      HashSum sum) {}

  /** What a look at a stretch of the log found. */
  private record Found(Map<RecordKey, List<Old>> old, long waiting, long next) {}

  /** A part of the log that could be let go. */
  record Plan(String tenant, Map<RecordKey, Beginning> beginnings, long waiting, long next) {
    Pruned pruned() {
      long versions = 0;
      long bytes = 0;
      for (Beginning beginning : beginnings.values()) {
        versions += beginning.versions().size();
        bytes += beginning.bytes();
      }
      return new Pruned(versions, beginnings.size(), bytes, waiting, next);
    }
  }

  /**
   * Looks at a stretch of a tenant's log. Thread-safe; changes nothing.
   *
   * @param limits what is no longer kept
   * @param stable what every node has
   * @param needed tells of a version whether something needs it, however old it is
   * @param from where the stretch begins
   */
  Plan plan(
      String tenant,
      Retention.Limits limits,
      VersionVector stable,
      BiPredicate<RecordKey, Dot> needed,
      long from) {
    Found found = find(tenant, limits, stable, needed, from);
    Map<RecordKey, Beginning> beginnings = new LinkedHashMap<>();
    found
        .old()
        .forEach((key, versions) -> {
          Base base = history.base(key);
          Repetitions repetitions = repetitions(key);
          leaveDivided(base, repetitions, versions);
          if (versions.isEmpty()) {
            return;
          }
          if (history.previous(key, versions.getFirst().feed()) <= base.position()) {
            beginnings.put(key, beginning(base, repetitions, versions));
          }
        });
    return new Plan(tenant, beginnings, found.waiting(), found.next());
  }

  private Found find(
      String tenant,
      Retention.Limits limits,
      VersionVector stable,
      BiPredicate<RecordKey, Dot> needed,
      long from) {
    Map<RecordKey, List<Old>> old = new LinkedHashMap<>();
    Map<RecordKey, Long> counted = new HashMap<>();
    Set<RecordKey> ended = new HashSet<>();
    byte[] prefix = Keys.of(tenant);
    int[] looked = {0};
    int[] young = {0};
    long[] waiting = {0};
    long[] next = {0};
    store.scan(
        Table.LOG,
        Keys.with(prefix, from + 1),
        Keys.after(prefix),
        false,
        (key, bytes) -> {
          Version version = VersionCodec.fromBytes(bytes);
          long position = Keys.lastNumber(key);
          long accepted = version.acceptedAt().millis();
          boolean isYoung = accepted >= limits.youngMillis();
          boolean isOld =
              accepted < limits.beforeMillis()
                  || (!isYoung
                      && limits.versions() > 0
                      && position
                          < counted.computeIfAbsent(
                              version.key(), each -> firstOf(each, limits.versions())));
          boolean isStable = stable.contains(version.dot());
          young[0] = isYoung ? young[0] + 1 : 0;
          waiting[0] += isOld && !isStable ? 1 : 0;
          if (!isOld || !isStable || needed.test(version.key(), version.dot())) {
            ended.add(version.key());
          } else if (!ended.contains(version.key())) {
            old.computeIfAbsent(version.key(), _ -> new ArrayList<>())
                .add(new Old(new Feed(position, version), bytes));
          }
          looked[0]++;
          next[0] = young[0] < YOUNG_MAX && looked[0] >= STRETCH ? position : 0;
          return young[0] < YOUNG_MAX && looked[0] < STRETCH;
        });
    old.forEach(this::leaveLast);
    old.values().removeIf(List::isEmpty);
    return new Found(old, waiting[0], next[0]);
  }

  /** Where the first of so many of the newest versions of a record stands. */
  private long firstOf(RecordKey key, int versions) {
    List<Logged> newest = history.newestFirst(key, history.lastCommitted(key), versions);
    return newest.isEmpty() ? 0 : newest.getLast().position();
  }

  /** The last version of a record stays, so that it is found where it was, by all who ask. */
  private void leaveLast(RecordKey key, List<Old> versions) {
    if (versions.getLast().feed().position() >= history.lastCommitted(key)) {
      versions.removeLast();
    }
  }

  private Repetitions repetitions(RecordKey key) {
    byte[] state = store.get(Table.RECORDS, Keys.of(key));
    return state == null ? Repetitions.NONE : StateCodec.fromBytes(state).repetitions();
  }

  /**
   * Leaves what would divide the versions of one request, of which one has effect: they are folded
   * together or not at all.
   */
  private static void leaveDivided(Base base, Repetitions repetitions, List<Old> versions) {
    int size;
    do {
      size = versions.size();
      Map<Dot, Integer> places = new HashMap<>();
      for (int i = 0; i < size; i++) {
        places.put(versions.get(i).feed().version().dot(), i);
      }
      int[] end = {size};
      repetitions
          .earlier()
          .forEach((repetition, earlier) -> {
            boolean one = isFolded(base, places, repetition);
            boolean other = isFolded(base, places, earlier);
            if (one != other) {
              end[0] = Math.min(end[0], places.getOrDefault(one ? repetition : earlier, end[0]));
            }
          });
      versions.subList(end[0], size).clear();
    } while (versions.size() < size);
  }

  private static boolean isFolded(Base base, Map<Dot, Integer> places, Dot dot) {
    return base.state().context().contains(dot) || places.containsKey(dot);
  }

  private static Beginning beginning(Base base, Repetitions repetitions, List<Old> old) {
    HybridTime until = base.until();
    List<Feed> feeds = new ArrayList<>();
    List<Version> versions = new ArrayList<>();
    long bytes = 0;
    HashSum sum = new HashSum();
    for (Old each : old) {
      Feed feed = each.feed();
      feeds.add(feed);
      versions.add(feed.version());
      bytes += each.bytes().length;
      sum.add(feed.position(), Hashes.of(each.bytes()));
      HybridTime at = feed.version().acceptedAt();
      until = at.compareTo(until) > 0 ? at : until;
    }
    Base after =
        new Base(
            feeds.getLast().position(),
            until,
            base.versions() + versions.size(),
            new Past(base.state(), versions).folded());
    return new Beginning(base, after, repetitions, feeds, bytes, sum);
  }

  /** Lets go of what was planned, where nothing has come between. */
  Pruned carryOut(Transaction transaction, Plan plan, Retention.Limits limits) {
    long versions = 0;
    long records = 0;
    long bytes = 0;
    HashSum sum = new HashSum();
    for (Map.Entry<RecordKey, Beginning> each : plan.beginnings().entrySet()) {
      RecordKey key = each.getKey();
      Beginning beginning = each.getValue();
      Snapshot now = transaction.snapshot(key);
      if (waits(now)
          || erasures.isPending(key)
          || !now.state().repetitions().equals(beginning.repetitions())
          || Base.of(transaction::get, key).position() != beginning.before().position()) {
        continue;
      }
      replace(transaction, key, beginning.versions(), beginning.after());
      sum.add(beginning.sum());
      bytes += beginning.bytes();
      versions += beginning.versions().size();
      records++;
    }
    if (versions > 0) {
      Map<String, Json> detail = new TreeMap<>();
      limits
          .before()
          .ifPresent(before ->
              detail.put("before", Describe.time(HybridTime.ofMillis(before.toEpochMilli()))));
      if (limits.versions() > 0) {
        detail.put("versionsKept", Json.of(limits.versions()));
      }
      detail.put("records", Json.of(records));
      sum.tell(detail);
      transaction.audit(
          transaction.clock().next(),
          plan.tenant(),
          Proceedings.POLICY,
          ACTION,
          plan.tenant(),
          JsonObject.of(detail));
    }
    return new Pruned(versions, records, bytes, plan.waiting(), plan.next());
  }

  /** Puts a base in the place of a record's first versions. */
  static void replace(Transaction transaction, RecordKey key, List<Feed> versions, Base by) {
    transaction.put(Table.BASES, Keys.of(key), by.toBytes());
    Map<NodeId, Long> dots = new TreeMap<>();
    dots(transaction::get).entries().forEach(dots::put);
    long upTo = horizon(transaction::get, key.tenant());
    for (Feed feed : versions) {
      forget(transaction, key, feed);
      Dot dot = feed.version().dot();
      dots.merge(dot.node(), dot.number(), Math::max);
      upTo = Math.max(upTo, feed.position());
    }
    ByteWriter out = new ByteWriter();
    CausalCodec.write(out, VersionVector.of(new TreeMap<>(dots)));
    transaction.put(Table.META, PRUNED, out.toBytes());
    transaction.put(Table.META, horizonKey(key.tenant()), Keys.of(upTo));
  }

  /** Whether a conflict may still need what was. */
  private static boolean waits(Snapshot record) {
    return record.view().resolutions().stream().anyMatch(Resolution::isPending);
  }

  private static void forget(Transaction transaction, RecordKey key, Feed feed) {
    String tenant = key.tenant();
    Version version = feed.version();
    transaction.delete(Table.LOG, History.logKey(tenant, feed.position()));
    transaction.delete(Table.LINKS, History.linkKey(tenant, feed.position()));
    transaction.delete(Table.DOTS, Receiver.dotKey(tenant, version.dot()));
    VersionIndex.remove(transaction, version.dot());
    transaction.delete(Table.META, Meetings.place(tenant, key.type(), feed.position()));
    Answers.forget(transaction, version);
  }
}
