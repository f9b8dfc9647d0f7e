// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.ConflictType;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Review.Status;
import dev.entente.engine.codec.ByteReader;
import dev.entente.engine.codec.ByteReader.DamagedException;
import dev.entente.engine.codec.ByteWriter;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.codec.VersionCodec;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Takes in what other nodes have accepted, in any order and as often as they like: each version
 * joins once, after everything that it builds on. A version that contradicts causality is kept
 * aside and opens a review. Used by the sequencer's thread only, except where it says otherwise.
 */
final class Receiver {
  /** How long a version waits for its predecessors before somebody is told. */
  static final long PATIENCE_MILLIS = 5 * 60_000;

  /** Versions that wait at most, all records together; more are not taken in. */
  private static final int HELD_MAX = 100_000;

  private final Incarnations self;
  private final Policies policies;
  private final History history;
  private final Derived derived;
  private final ReviewBook reviews;
  private final ErasureMarks erasures;

  /** When the first held version is looked at again; early rather than late. */
  private final AtomicLong nextLookMillis = new AtomicLong();

  private long held;

  /** The earliest time of what waits for this node's clock; null where nothing does. */
  private @Nullable HybridTime earliestAhead;

  Receiver(Store store, Incarnations self, Policies policies, History history, Derived derived) {
    this.self = self;
    this.policies = policies;
    this.history = history;
    this.derived = derived;
    this.reviews = derived.reviews();
    this.erasures = derived.erasures();
    store.scan(
        Table.HELD,
        new byte[0],
        (_, stored) -> {
          held++;
          // Perhaps it waits for something else; then the first look finds that out.
          waitsForClock(waiting(stored).acceptedAt());
          return true;
        });
  }

  Receipt receive(Transaction transaction, byte[] bytes, long nowMillis) {
    releaseAhead(transaction, nowMillis);
    Version version;
    try {
      version = VersionCodec.fromBytes(bytes);
    } catch (DamagedException | IllegalArgumentException e) {
      return new Receipt.Damaged(String.valueOf(e.getMessage()));
    }
    Receipt receipt = receive(transaction, version, bytes, nowMillis);
    if (receipt instanceof Receipt.Applied) {
      retryHeld(transaction, version.key(), nowMillis);
    }
    return receipt;
  }

  private Receipt receive(Transaction transaction, Version version, byte[] bytes, long nowMillis) {
    Dot dot = version.dot();
    String tenant = version.key().tenant();
    byte[] known = known(transaction, tenant, dot);
    if (known != null) {
      return Arrays.equals(known, bytes)
          ? new Receipt.Seen(dot)
          : violated(
              transaction,
              version,
              bytes,
              CausalViolation.DOT_REUSED,
              dot
                  + " was received with other content than it has here; a node reuses numbers,"
                  + " or was changed",
              nowMillis);
    }
    if (Base.of(transaction::get, version.key()).state().context().contains(dot)) {
      // It is not kept any more, and cannot be compared.
      return new Receipt.Seen(dot);
    }
    if (dot.node().equals(transaction.self())) {
      return violated(
          transaction,
          version,
          bytes,
          CausalViolation.COUNTER_RESET,
          dot
              + " is said to be this node's own, but it never wrote it; if it was restored from a"
              + " backup, start it under its next incarnation",
          nowMillis);
    }
    if (!isInTime(transaction, version, nowMillis)) {
      waitsForClock(version.acceptedAt());
      hold(transaction, version, bytes, nowMillis);
      return violated(
          transaction,
          version,
          bytes,
          CausalViolation.CLOCK_DRIFT,
          dot
              + " was accepted at "
              + version.acceptedAt().instant()
              + ", further in the future than clocks may differ; it joins when this node's clock"
              + " gets there",
          nowMillis);
    }
    return apply(transaction, version, bytes, nowMillis);
  }

  /** Whether a version need not wait for this node's clock. */
  private static boolean isInTime(Transaction transaction, Version version, long nowMillis) {
    return version.dot().node().isGroup()
        || transaction.clock().accepts(version.acceptedAt(), nowMillis);
  }

  /** The bytes of a version that stands in the log already. */
  private byte @Nullable [] known(Transaction transaction, String tenant, Dot dot) {
    if (self.wrote(dot)) {
      return transaction.get(Table.LOG, History.logKey(tenant, dot.number()));
    }
    byte[] position = transaction.get(Table.DOTS, dotKey(tenant, dot));
    return position == null
        ? null
        : transaction.get(Table.LOG, History.logKey(tenant, new ByteReader(position).u64()));
  }

  /** Where the position of another node's version stands. */
  static byte[] dotKey(String tenant, Dot dot) {
    return Keys.with(Keys.of(tenant, dot.node().value()), dot.number());
  }

  private static byte[] heldKey(RecordKey key, Dot dot) {
    return Keys.with(Keys.of(key.tenant(), key.type(), key.id(), dot.node().value()), dot.number());
  }

  private Receipt apply(Transaction transaction, Version version, byte[] bytes, long nowMillis) {
    RecordKey key = version.key();
    Snapshot before = transaction.snapshot(key);
    RecordState.Applied applied =
        before
            .state()
            .apply(
                version, () -> history.past(key, history.last(before, transaction), transaction));
    return switch (applied) {
      case RecordState.Applied.Seen() -> new Receipt.Seen(version.dot());
      case RecordState.Applied.Missing(var missing) -> {
        if (held >= HELD_MAX) {
          yield new Receipt.Damaged(
              "more than " + HELD_MAX + " versions wait already; send it again later");
        }
        hold(transaction, version, bytes, nowMillis);
        yield new Receipt.Held(version.dot(), "it builds on " + missing.entries());
      }
      case RecordState.Applied.Joined(RecordState state) -> {
        join(transaction, version, before, state, nowMillis);
        yield new Receipt.Applied(version.dot(), transaction.lastNumber());
      }
    };
  }

  private void join(
      Transaction transaction,
      Version version,
      Snapshot before,
      RecordState state,
      long nowMillis) {
    RecordKey key = version.key();
    Policy policy = policies.inForce(key.tenant(), key.type());
    Snapshot after = Records.derived(key, state, policy);
    transaction.clock().observe(version.acceptedAt(), nowMillis);
    HybridTime time = transaction.clock().next();
    byte[] bytes = transaction.putReceived(version, before, after);
    transaction.put(
        Table.DOTS, dotKey(key.tenant(), version.dot()), Keys.of(transaction.lastNumber()));
    Acceptor.keepAnswer(transaction, version);
    erasures.follow(transaction, version, transaction.lastNumber());
    derived.follow(transaction, before, after, policy, version.author(), time.millis());
    Map<String, Json> detail = new TreeMap<>();
    detail.put("position", Json.of(transaction.lastNumber()));
    detail.put("version", Json.of(Hashes.hex(bytes)));
    detail.put("from", Json.of(version.dot().node().value()));
    List<Resolution> mine = Acceptor.concerning(version.dot(), after.view());
    if (!mine.isEmpty()) {
      Meetings.add(transaction, key, transaction.lastNumber());
      detail.put("policy", Json.of(policy.version()));
      detail.put("resolutions", Json.of(mine.stream().map(Describe::resolution).toList()));
      transaction.afterwards(() -> reviews.tell(new NodeEvent.Met(key, mine)));
    }
    transaction.audit(
        time, key.tenant(), version.author(), "write", key.toString(), JsonObject.of(detail));
    release(transaction, version);
  }

  private void hold(Transaction transaction, Version version, byte[] bytes, long nowMillis) {
    byte[] at = heldKey(version.key(), version.dot());
    if (transaction.get(Table.HELD, at) == null) {
      held++;
      ByteWriter out = new ByteWriter().u64(nowMillis);
      transaction.put(Table.HELD, at, out.raw(bytes).toBytes());
      transaction.afterwards(
          () -> nextLookMillis.accumulateAndGet(nowMillis + PATIENCE_MILLIS, Math::min));
    }
  }

  private void release(Transaction transaction, Version version) {
    byte[] at = heldKey(version.key(), version.dot());
    if (transaction.get(Table.HELD, at) != null) {
      held--;
      transaction.delete(Table.HELD, at);
      for (CausalViolation how : CausalViolation.values()) {
        reviews
            .get(transaction, version.key().tenant(), id(version, how))
            .filter(review -> review.status() == Status.PENDING)
            .ifPresent(review ->
                reviews.close(
                    transaction,
                    review,
                    Status.RESOLVED,
                    Proceedings.POLICY,
                    transaction.clock().next().millis(),
                    "it has joined since",
                    JsonAbsent.ABSENT));
      }
    }
  }

  /** Tries what waits for a record, until nothing more joins. */
  private void retryHeld(Transaction transaction, RecordKey key, long nowMillis) {
    boolean progress = held > 0;
    while (progress) {
      progress = false;
      for (byte[] at : transaction.keys(Table.HELD, Keys.of(key.tenant(), key.type(), key.id()))) {
        byte[] stored = transaction.get(Table.HELD, at);
        if (stored != null) {
          Version version = waiting(stored);
          progress |=
              isInTime(transaction, version, nowMillis)
                  && apply(transaction, version, VersionCodec.toBytes(version), nowMillis)
                      instanceof Receipt.Applied;
        }
      }
    }
  }

  private static Version waiting(byte[] stored) {
    return VersionCodec.fromBytes(Arrays.copyOfRange(stored, Long.BYTES, stored.length));
  }

  private void waitsForClock(HybridTime time) {
    if (earliestAhead == null || time.compareTo(earliestAhead) < 0) {
      earliestAhead = time;
    }
  }

  /**
   * Lets in what has waited for this node's clock, the earliest first: a version that builds on
   * another, of the same record or not, is later than that, so none comes before what it builds on.
   */
  private void releaseAhead(Transaction transaction, long nowMillis) {
    if (earliestAhead == null || !transaction.clock().accepts(earliestAhead, nowMillis)) {
      return;
    }
    earliestAhead = null;
    NavigableSet<Version> ahead =
        new TreeSet<>(Comparator.comparing(Version::acceptedAt).thenComparing(Version::dot));
    for (byte[] at : transaction.keys(Table.HELD, new byte[0])) {
      byte[] stored = transaction.get(Table.HELD, at);
      if (stored != null) {
        ahead.add(waiting(stored));
      }
    }
    for (Version version : ahead) {
      if (!isInTime(transaction, version, nowMillis)) {
        waitsForClock(version.acceptedAt());
      } else {
        // What else its record waits for comes later in this very order.
        apply(transaction, version, VersionCodec.toBytes(version), nowMillis);
      }
    }
  }

  boolean isDue(long nowMillis) {
    return nextLookMillis.get() <= nowMillis;
  }

  /** Tries what waits again, and tells of what has waited for too long. */
  void sweep(Transaction transaction, long nowMillis) {
    nextLookMillis.set(Long.MAX_VALUE);
    releaseAhead(transaction, nowMillis);
    for (byte[] at : transaction.keys(Table.HELD, new byte[0])) {
      byte[] stored = transaction.get(Table.HELD, at);
      if (stored == null) {
        continue;
      }
      long since = new ByteReader(stored).u64();
      byte[] bytes = Arrays.copyOfRange(stored, Long.BYTES, stored.length);
      Version version = VersionCodec.fromBytes(bytes);
      retryHeld(transaction, version.key(), nowMillis);
      if (transaction.get(Table.HELD, at) != null) {
        if (nowMillis - since >= PATIENCE_MILLIS && isInTime(transaction, version, nowMillis)) {
          violated(
              transaction,
              version,
              bytes,
              CausalViolation.MISSING_PREDECESSOR,
              version.dot()
                  + " builds on versions that have not come; send them again from a node that"
                  + " has them",
              nowMillis);
        }
        nextLookMillis.accumulateAndGet(
            Math.max(since, nowMillis - PATIENCE_MILLIS + 1_000) + PATIENCE_MILLIS, Math::min);
      }
    }
  }

  private static String id(Version version, CausalViolation how) {
    String text = how.label() + "|" + version.key() + "|" + version.dot();
    return Hashes.hex(text.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
  }

  private Receipt violated(
      Transaction transaction,
      Version version,
      byte[] bytes,
      CausalViolation how,
      String why,
      long nowMillis) {
    RecordKey key = version.key();
    String id = id(version, how);
    Optional<Review> before = reviews.get(transaction, key.tenant(), id);
    if (before.isEmpty()) {
      Policy policy = policies.inForce(key.tenant(), key.type());
      Json described = describe(id, version, how, why);
      reviews.open(transaction, id, key, "record", policy, described, Progress.NONE, nowMillis);
      Map<String, Json> detail = new TreeMap<>();
      detail.put("violation", Json.of(how.label()));
      detail.put("why", Json.of(why));
      detail.put("bytes", Json.of(HexFormat.of().formatHex(bytes)));
      transaction.audit(
          transaction.clock().next(),
          key.tenant(),
          version.author(),
          "violation",
          key.toString(),
          JsonObject.of(detail));
      transaction.afterwards(() -> reviews.tell(new NodeEvent.Violated(key, how)));
    }
    return new Receipt.Violated(version.dot(), how, why);
  }

  private static Json describe(String id, Version version, CausalViolation how, String why) {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("unit", Json.of("record"));
    members.put("status", Json.of("pending"));
    members.put("type", Json.of(ConflictType.CAUSAL_VIOLATION.label()));
    members.put("violation", Json.of(how.label()));
    members.put("severity", Json.of(how.severity().label()));
    members.put("complexity", Json.of(0));
    members.put("strategy", Json.of("manual-review"));
    members.put("explanation", Json.of(why));
    members.put("node", Json.of(version.dot().node().value()));
    members.put("number", Json.of(version.dot().number()));
    members.put("competing", JsonArray.EMPTY);
    return JsonObject.of(members);
  }
}
