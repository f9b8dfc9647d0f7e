// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.ConflictType;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Review.Status;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes in what other nodes have accepted, in any order and as often as they like: each version
 * joins once, after everything that it builds on. A version that contradicts causality is kept
 * aside and opens a review. Used by the sequencer's thread only, except where it says otherwise.
 */
final class Receiver {
  /** How long a version waits for its predecessors before somebody is told. */
  static final long PATIENCE_MILLIS = 5 * 60_000;

  /**
   * How much a job lets in of what waited, roughly: what it decides is in memory until it commits.
   */
  private static final long LET_IN_BYTES_MAX = 4L << 20;

  /** Of so many versions of a node, those that wait for a record longest, it is seen at a time. */
  private static final int TRIED_MAX = 500;

  private final Incarnations self;
  private final Policies policies;
  private final History history;
  private final VersionWriter writer;
  private final ReviewBook reviews;
  private final UnprovenAccess unproven;
  private final PeerFaults faults;

  /** When the first held version is looked at again; early rather than late. */
  private final AtomicLong nextLookMillis = new AtomicLong();

  private final HeldVersions held;

  /** What waits for this node's clock, the earliest first; after a start perhaps more than that. */
  private final NavigableSet<Ahead> ahead = new TreeSet<>();

  /** How many of those there are of a node, by tenant. */
  private final Map<String, Integer> aheadOf = new ConcurrentHashMap<>();

  /** Records of which versions joined, for what may wait for those and has not been tried. */
  private final Set<RecordKey> grown = new TreeSet<>();

  /** Whether more could be let in than one job does; the next one goes on. */
  private volatile boolean more;

  /** A version that waits for this node's clock. */
  private record Ahead(HybridTime acceptedAt, Dot dot, RecordKey key) implements Comparable<Ahead> {
    private static final Comparator<Ahead> ORDER =
        Comparator.comparing(Ahead::acceptedAt).thenComparing(Ahead::dot).thenComparing(Ahead::key);

    String whose() {
      return key.tenant() + '|' + dot.node();
    }

    @Override
    public int compareTo(Ahead other) {
      return ORDER.compare(this, other);
    }
  }

  Receiver(
      Store store,
      Incarnations self,
      Policies policies,
      History history,
      ReviewBook reviews,
      VersionWriter writer,
      UnprovenAccess unproven,
      PeerFaults faults) {
    this.unproven = unproven;
    this.faults = faults;
    this.self = self;
    this.policies = policies;
    this.history = history;
    this.reviews = reviews;
    this.writer = writer;
    // Perhaps a version waits for something else than the clock; the first look finds that out.
    this.held = new HeldVersions(store, HeldVersions.Bounds.DEFAULT, this::waitsForClock);
  }

  Receipt receive(Transaction transaction, byte[] bytes, Sender sender, long nowMillis) {
    releaseAhead(transaction, nowMillis);
    Version version;
    try {
      version = VersionCodec.fromBytes(bytes);
    } catch (DamagedException | IllegalArgumentException e) {
      Optional<Dot> dot = impossible(bytes, e);
      String why = String.valueOf(e.getMessage());
      return dot.isPresent()
          ? faults.refuse(transaction, dot.get(), bytes, why, sender, nowMillis)
          : new Receipt.Damaged(why);
    }
    Optional<String> problem = VersionCodec.problem(version, bytes);
    if (problem.isPresent()) {
      return faults.refuse(transaction, version.dot(), bytes, problem.get(), sender, nowMillis);
    }
    Receipt receipt = receive(transaction, version, bytes, sender, nowMillis);
    if (receipt instanceof Receipt.Applied && held.count() > 0) {
      grown.add(version.key());
    }
    return receipt;
  }

  /**
   * Whose version it is that cannot be decoded because a value in it is impossible, such as a
   * record without a name. Damaged bytes may be intact when they are sent again, and those of a
   * later release can be read after an upgrade; this cannot.
   */
  private static Optional<Dot> impossible(byte[] bytes, RuntimeException e) {
    if (!(e.getCause() instanceof IllegalArgumentException)) {
      return Optional.empty();
    }
    try {
      return Optional.of(VersionCodec.dotOf(bytes));
    } catch (DamagedException | IllegalArgumentException noDot) {
      return Optional.empty();
    }
  }

  /** Lets in what waited for what came; once after all of a job has been received. */
  void settle(Transaction transaction, long nowMillis) {
    for (RecordKey key : List.copyOf(grown)) {
      if (isFull(transaction)) {
        break;
      }
      if (retryHeld(transaction, key, nowMillis)) {
        grown.remove(key);
      }
    }
    more = !grown.isEmpty() || isFirstInTime(transaction, nowMillis);
  }

  private static boolean isFull(Transaction transaction) {
    return transaction.bytes() > LET_IN_BYTES_MAX;
  }

  private Receipt receive(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
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
              sender
                  + " sent "
                  + dot
                  + " with other content than it has here; a node reuses numbers, or the version"
                  + " was changed",
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
          sender
              + " says that "
              + dot
              + " is this node's own, but it never wrote it; if it was restored from a"
              + " backup, start it under its next incarnation",
          nowMillis);
    }
    if (!unproven.allows(transaction, version, sender)) {
      return unproven.refuse(transaction, version, bytes, sender, nowMillis);
    }
    if (!isInTime(transaction, version, sender, nowMillis)) {
      Optional<String> full = hold(transaction, version, bytes, sender, nowMillis);
      if (full.isPresent()) {
        return new Receipt.Damaged(full.get());
      }
      waitsForClock(version);
      return violated(
          transaction,
          version,
          bytes,
          CausalViolation.CLOCK_DRIFT,
          sender
              + " sent "
              + dot
              + ", which was accepted at "
              + version.acceptedAt().instant()
              + ", further in the future than clocks may differ; it joins when this node's clock"
              + " gets there, and so does what else comes too early from that node; to let it in"
              + " now: entente cluster admit "
              + dot.node().name(),
          nowMillis);
    }
    return apply(transaction, version, bytes, sender, nowMillis);
  }

  /**
   * Refuses a version from outside that may not enter the log, whichever way it came: one that is
   * not encoded as it has to be or breaks a rule, and one that needs a proof and has none.
   *
   * @return empty where it may enter
   */
  Optional<Receipt> refusal(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
    Optional<String> problem = VersionCodec.problem(version, bytes);
    if (problem.isPresent()) {
      return Optional.of(
          faults.refuse(transaction, version.dot(), bytes, problem.get(), sender, nowMillis));
    }
    return unproven.allows(transaction, version, sender)
        ? Optional.empty()
        : Optional.of(unproven.refuse(transaction, version, bytes, sender, nowMillis));
  }

  /** Whether {@link #refusal} lets a version enter the log; notes nothing. */
  boolean accepts(Version version, byte[] bytes) {
    return VersionCodec.problem(version, bytes).isEmpty() && unproven.isAllowed(version);
  }

  /** Whether a version need not wait for this node's clock. */
  private static boolean isInTime(
      Transaction transaction, Version version, Sender sender, long nowMillis) {
    return isAgreed(version.dot(), sender)
        || transaction.clock().accepts(version.acceptedAt(), nowMillis);
  }

  /** Whether a version that waits need not wait for this node's clock. */
  private static boolean isHeldInTime(Transaction transaction, Version version, long nowMillis) {
    HeldVersions.Held waiting = HeldVersions.get(transaction, version.key(), version.dot());
    Sender sender = waiting == null ? Sender.UNKNOWN : waiting.from();
    return isInTime(transaction, version, sender, nowMillis);
  }

  /** Whether a group has agreed on a version: not whoever says so, but its voters sent it. */
  private static boolean isAgreed(Dot dot, Sender sender) {
    return dot.node().isGroup() && sender.key().equals(Drafts.VOTERS.key());
  }

  /** The bytes of a version that stands in the log already. */
  byte @Nullable [] known(Transaction transaction, String tenant, Dot dot) {
    if (self.wrote(dot)) {
      byte[] own = transaction.get(Table.LOG, History.logKey(tenant, dot.number()));
      if (own != null && VersionCodec.dotOf(own).equals(dot)) {
        return own;
      }
      // Another version may have taken its place; see Mending.
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

  /**
   * Applies a version that was held until now. It is checked once more: it may have been held by an
   * earlier release, or by a node that this one is a copy of.
   */
  private Receipt applyHeld(Transaction transaction, Version version, long nowMillis) {
    HeldVersions.Held waiting = HeldVersions.get(transaction, version.key(), version.dot());
    Sender sender = waiting == null ? Sender.UNKNOWN : waiting.from();
    byte[] bytes = waiting == null ? VersionCodec.toBytes(version) : waiting.bytes();
    Optional<Receipt> refused =
        sender.key().equals(Sender.OWN_LOG.key())
            ? Optional.empty()
            : refusal(transaction, version, bytes, sender, nowMillis);
    if (refused.isPresent()) {
      held.remove(transaction, version.key(), version.dot());
      return refused.get();
    }
    return apply(transaction, version, bytes, sender, nowMillis);
  }

  private Receipt apply(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
    RecordKey key = version.key();
    Snapshot before = transaction.snapshot(key);
    Optional<Answers.Accept> same = Answers.sameRequest(transaction, version);
    Optional<Base> noted = same.flatMap(other -> noted(transaction, version, other));
    Supplier<Past> past =
        () -> {
          Past kept = history.past(key, history.last(before, transaction), transaction);
          return noted.map(base -> new Past(base.state(), kept.versions())).orElse(kept);
        };
    RecordState.Applied applied;
    Optional<VersionWriter.Ready> ready;
    try {
      applied =
          same.isEmpty()
              ? before.state().apply(version, past)
              : before.state().applyRepeated(version, same.get().dot(), same.get().at(), past);
      ready =
          applied instanceof RecordState.Applied.Joined(RecordState state)
              ? Optional.of(writer.received(version, before, state))
              : Optional.empty();
    } catch (ArithmeticException
        | IllegalArgumentException
        | IllegalStateException
        | IndexOutOfBoundsException
        | ClassCastException e) {
      return violated(
          transaction,
          version,
          bytes,
          CausalViolation.CANNOT_JOIN,
          sender
              + " sent "
              + version.dot()
              + ", which its record cannot take: "
              + String.valueOf(e.getMessage()),
          nowMillis);
    }
    return switch (applied) {
      case RecordState.Applied.Seen() -> new Receipt.Seen(version.dot());
      case RecordState.Applied.Missing(var missing) -> {
        Optional<String> full = hold(transaction, version, bytes, sender, nowMillis);
        if (full.isPresent()) {
          yield new Receipt.Damaged(full.get());
        }
        yield new Receipt.Held(version.dot(), "it builds on " + missing.entries());
      }
      case RecordState.Applied.Joined(RecordState state) -> {
        noted.ifPresent(base -> transaction.put(Table.BASES, Keys.of(key), base.toBytes()));
        join(transaction, ready.orElseThrow(), state, sender, nowMillis);
        yield new Receipt.Applied(version.dot(), transaction.lastNumber());
      }
    };
  }

  /**
   * Where a version repeats another whose effect is folded already, the base that says so: then the
   * version that comes has no effect, however early it was.
   */
  private static Optional<Base> noted(
      Transaction transaction, Version version, Answers.Accept other) {
    return Optional.of(Base.of(transaction::get, version.key()))
        .filter(base -> base.state().context().contains(other.dot()))
        .map(base -> base.repeated(version.dot(), other.dot()));
  }

  private void join(
      Transaction transaction,
      VersionWriter.Ready ready,
      RecordState state,
      Sender sender,
      long nowMillis) {
    Version version = ready.version();
    RecordKey key = version.key();
    transaction.clock().observe(version.acceptedAt(), nowMillis);
    HybridTime time = transaction.clock().next();
    Answers.keep(transaction, version)
        .ifPresent(
            other -> reused(transaction, version, VersionCodec.toBytes(version), other, nowMillis));
    Map<String, Json> detail = new TreeMap<>();
    detail.put("from", Json.of(version.dot().node().value()));
    if (state.repetitions().contains(version.dot())) {
      detail.put("repeats", Json.of(state.repetitions().first(version.dot()).toString()));
    }
    writer.write(transaction, ready, time, detail);
    if (version.erases()) {
      unproven.erases(transaction, version, VersionCodec.toBytes(version), sender, nowMillis);
    }
    List<Resolution> mine = ready.resolutions();
    if (!mine.isEmpty()) {
      transaction.afterwards(() -> reviews.tell(new NodeEvent.Met(key, mine)));
    }
    releaseNumber(transaction, version);
  }

  /**
   * Has a version wait, as far as there is room for what its sender sends. What a group agreed on
   * is not sent again, and its members are at these numbers already.
   *
   * @return why it cannot wait; empty where it does
   */
  private Optional<String> hold(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
    if (HeldVersions.get(transaction, version.key(), version.dot()) != null) {
      return Optional.empty();
    }
    Optional<String> full =
        isAgreed(version.dot(), sender) ? Optional.empty() : held.whyFull(sender);
    if (full.isEmpty() && held.add(transaction, version, bytes, sender, nowMillis)) {
      transaction.afterwards(
          () -> nextLookMillis.accumulateAndGet(nowMillis + PATIENCE_MILLIS, Math::min));
    }
    return full;
  }

  /** Tries again what waits for these records. */
  void tryAgain(Transaction transaction, Collection<RecordKey> records, long nowMillis) {
    releaseAhead(transaction, nowMillis);
    grown.addAll(records);
    settle(transaction, nowMillis);
  }

  /** Has a version wait no longer. */
  void release(Transaction transaction, Version version) {
    release(transaction, version, version.key());
  }

  /** Forgets what was held under the number of a version that has joined, of whatever record. */
  private void releaseNumber(Transaction transaction, Version joined) {
    held.recordsOf(joined.dot()).forEach(key -> release(transaction, joined, key));
  }

  private void release(Transaction transaction, Version version, RecordKey key) {
    HeldVersions.Held waiting = held.remove(transaction, key, version.dot());
    if (waiting == null) {
      return;
    }
    Version before = waiting.version();
    if (!Arrays.equals(waiting.bytes(), VersionCodec.toBytes(version))) {
      VersionWriter.auditViolation(
          transaction,
          key,
          before.author(),
          CausalViolation.DOT_REUSED,
          "another version under the number "
              + version.dot()
              + " waited here for what it builds on, and this one joined; the other was sent by "
              + waiting.from(),
          waiting.bytes());
    }
    for (CausalViolation how : CausalViolation.values()) {
      if (how != CausalViolation.CLOCK_DRIFT) {
        closeReview(transaction, key.tenant(), id(before, how));
      }
    }
  }

  private void closeReview(Transaction transaction, String tenant, String id) {
    reviews
        .get(transaction, tenant, id)
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

  /**
   * Tries what waits for a record, the earliest first: a version that builds on another is later
   * than that.
   *
   * @return whether nothing more can join; false where there was too much for one job
   */
  private boolean retryHeld(Transaction transaction, RecordKey key, long nowMillis) {
    boolean progress = held.count() > 0;
    while (progress) {
      progress = false;
      for (Version version : earliestHeld(transaction, key)) {
        if (isFull(transaction)) {
          return false;
        }
        progress |=
            isHeldInTime(transaction, version, nowMillis)
                && applyHeld(transaction, version, nowMillis) instanceof Receipt.Applied;
      }
    }
    return true;
  }

  /** Of every node the first versions of a record that wait, the earliest first. */
  private static NavigableSet<Version> earliestHeld(Transaction transaction, RecordKey key) {
    NavigableSet<Version> waiting = new TreeSet<>(EARLIEST_FIRST);
    byte[] prefix = Keys.of(key.tenant(), key.type(), key.id());
    String node = "";
    int ofNode = 0;
    for (byte[] at : transaction.keys(Table.HELD, prefix)) {
      String next = Keys.firstName(Arrays.copyOfRange(at, prefix.length, at.length));
      ofNode = next.equals(node) ? ofNode + 1 : 1;
      node = next;
      byte[] stored = ofNode <= TRIED_MAX ? transaction.get(Table.HELD, at) : null;
      if (stored != null) {
        waiting.add(HeldVersions.Held.of(stored).version());
      }
    }
    return waiting;
  }

  private static final Comparator<Version> EARLIEST_FIRST =
      Comparator.comparing(Version::acceptedAt).thenComparing(Version::dot);

  private void waitsForClock(Version version) {
    Ahead waiting = new Ahead(version.acceptedAt(), version.dot(), version.key());
    if (ahead.add(waiting)) {
      aheadOf.merge(waiting.whose(), 1, Integer::sum);
    }
  }

  /** Lets in what has waited for this node's clock, the earliest first. */
  private void releaseAhead(Transaction transaction, long nowMillis) {
    while (isFirstInTime(transaction, nowMillis) && !isFull(transaction)) {
      Ahead first = ahead.removeFirst();
      HeldVersions.Held waiting = HeldVersions.get(transaction, first.key(), first.dot());
      if (waiting != null) {
        // What else its record waits for comes later in this very order.
        Version version = waiting.version();
        if (applyHeld(transaction, version, nowMillis) instanceof Receipt.Applied) {
          grown.add(first.key());
        }
      }
      forget(transaction, first);
    }
  }

  private void forget(Transaction transaction, Ahead waiting) {
    ahead.remove(waiting);
    if (aheadOf.merge(waiting.whose(), -1, Integer::sum) <= 0) {
      aheadOf.remove(waiting.whose());
      closeReview(transaction, waiting.key().tenant(), driftId(waiting.key(), waiting.dot()));
    }
  }

  private boolean isFirstInTime(Transaction transaction, long nowMillis) {
    return !ahead.isEmpty() && transaction.clock().accepts(ahead.first().acceptedAt(), nowMillis);
  }

  /**
   * Lets in what one node wrote and what waits for this node's clock, the earliest first.
   *
   * @return how many joined
   */
  int admit(Transaction transaction, String name, long nowMillis) {
    int joined = 0;
    for (Ahead waiting : List.copyOf(ahead)) {
      HeldVersions.Held stored =
          waiting.dot().node().name().equals(name)
              ? HeldVersions.get(transaction, waiting.key(), waiting.dot())
              : null;
      if (stored != null) {
        forget(transaction, waiting);
        Version version = stored.version();
        if (applyHeld(transaction, version, nowMillis) instanceof Receipt.Applied) {
          grown.add(waiting.key());
          joined++;
        }
      }
    }
    settle(transaction, nowMillis);
    return joined;
  }

  /** How many versions of each node wait for this node's clock. Callable from any thread. */
  Map<String, Integer> heldForClock() {
    Map<String, Integer> all = new TreeMap<>();
    aheadOf.forEach((whose, count) -> {
      NodeId node = new NodeId(whose.substring(whose.indexOf('|') + 1));
      all.merge(node.name(), count, Integer::sum);
    });
    return all;
  }

  /** How many versions wait. Callable from any thread. */
  long held() {
    return held.count();
  }

  /** Whether more could be let in than the last job did. Callable from any thread. */
  boolean hasMore() {
    return more;
  }

  /** Whether something could be let in by now. Callable from any thread. */
  boolean isDue(long nowMillis) {
    return more || nextLookMillis.get() <= nowMillis;
  }

  /** Goes on letting in what waited; tells of what has waited for too long. */
  void proceed(Transaction transaction, long nowMillis) {
    releaseAhead(transaction, nowMillis);
    settle(transaction, nowMillis);
    if (nextLookMillis.get() <= nowMillis) {
      sweep(transaction, nowMillis);
    }
  }

  private void sweep(Transaction transaction, long nowMillis) {
    nextLookMillis.set(Long.MAX_VALUE);
    Set<RecordKey> tried = new HashSet<>();
    for (byte[] at : transaction.keys(Table.HELD, new byte[0])) {
      byte[] stored = transaction.get(Table.HELD, at);
      if (stored == null) {
        continue;
      }
      HeldVersions.Held waiting = HeldVersions.Held.of(stored);
      long since = waiting.sinceMillis();
      Version version = waiting.version();
      if (tried.add(version.key()) && !retryHeld(transaction, version.key(), nowMillis)) {
        grown.add(version.key());
        more = true;
      }
      if (transaction.get(Table.HELD, at) != null) {
        if (!isInTime(transaction, version, waiting.from(), nowMillis)) {
          waitsForClock(version);
        } else if (nowMillis - since >= PATIENCE_MILLIS) {
          violated(
              transaction,
              version,
              waiting.bytes(),
              CausalViolation.MISSING_PREDECESSOR,
              version.dot()
                  + ", which "
                  + waiting.from()
                  + " sent,"
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
    return how == CausalViolation.CLOCK_DRIFT
        ? driftId(version.key(), version.dot())
        : id(how.label() + "|" + version.key() + "|" + version.dot());
  }

  /** One for all that comes too early from a node; there may be very many. */
  private static String driftId(RecordKey key, Dot dot) {
    return id(CausalViolation.CLOCK_DRIFT.label() + "|" + key.tenant() + "|" + dot.node());
  }

  private static String id(String text) {
    return Hashes.hex(text.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
  }

  private Receipt violated(
      Transaction transaction,
      Version version,
      byte[] bytes,
      CausalViolation how,
      String why,
      long nowMillis) {
    String id = id(version, how);
    Optional<Review> before = reviews.get(transaction, version.key().tenant(), id);
    boolean begins =
        how == CausalViolation.CLOCK_DRIFT
            && aheadOf.getOrDefault(version.key().tenant() + '|' + version.dot().node(), 0) == 1
            && before.filter(review -> review.status() == Status.PENDING).isEmpty();
    if (before.isEmpty() || begins) {
      tell(
          transaction,
          describe(id, version.dot(), how, why),
          version.key(),
          version.author(),
          bytes,
          how,
          nowMillis);
    }
    return new Receipt.Violated(version.dot(), how, why);
  }

  /**
   * Tells that one sender gave one id to two requests, which were accepted at nodes that did not
   * know of each other. Both are kept; the review says the same on every node.
   */
  private void reused(
      Transaction transaction, Version version, byte[] bytes, Answers.Kept other, long nowMillis) {
    CausalViolation how = CausalViolation.REQUEST_ID_REUSED;
    String event = version.eventId().orElseThrow();
    String tenant = version.key().tenant();
    Answers.Accept theirs = other.version().orElseThrow();
    Answers.Accept ours = Answers.Accept.of(version);
    boolean isLater = theirs.compareTo(ours) < 0;
    String id =
        id(
            how.label()
                + "|"
                + tenant
                + "|"
                + version.origin().orElseThrow().sender()
                + "|"
                + event);
    if (reviews.get(transaction, tenant, id).isEmpty()) {
      String one = ours.dot() + " of " + version.key();
      String another = theirs.dot() + " of " + other.key();
      String why =
          "two different requests bear the id "
              + event
              + ", and were accepted as "
              + (isLater ? another + " and as " + one : one + " and as " + another)
              + "; both were kept";
      tell(
          transaction,
          describe(id, isLater ? ours.dot() : theirs.dot(), how, why),
          isLater ? version.key() : other.key(),
          version.author(),
          bytes,
          how,
          nowMillis);
    }
  }

  private void tell(
      Transaction transaction,
      JsonObject described,
      RecordKey key,
      String author,
      byte[] bytes,
      CausalViolation how,
      long nowMillis) {
    Policy policy = policies.inForce(key.tenant(), key.type());
    String id = ((JsonString) described.get("id")).value();
    reviews.open(transaction, id, key, "record", policy, described, Progress.NONE, nowMillis);
    String why = ((JsonString) described.get("explanation")).value();
    VersionWriter.auditViolation(transaction, key, author, how, why, bytes);
    transaction.afterwards(() -> reviews.tell(new NodeEvent.Violated(key, how)));
  }

  private static JsonObject describe(String id, Dot dot, CausalViolation how, String why) {
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
    members.put("node", Json.of(dot.node().value()));
    members.put("number", Json.of(dot.number()));
    members.put("competing", JsonArray.EMPTY);
    return JsonObject.of(members);
  }
}
