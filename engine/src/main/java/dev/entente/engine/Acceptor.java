// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.StateMachine;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.WriteStyle;
import dev.entente.core.record.Change;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.Resolution.Status;
import dev.entente.core.resolve.RowConflict;
import dev.entente.core.resolve.View;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Kind;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.ByteReader;
import dev.entente.engine.codec.ByteWriter;
import dev.entente.engine.codec.JsonCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.codec.StateCodec;
import dev.entente.engine.store.Table;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Turns a write into a version, or into a reason why not: what had the author seen, what do they
 * change, does the policy let it in, what becomes of it. Everything it decides goes into one
 * transaction. Used by the sequencer's thread only.
 */
final class Acceptor {
  /**
   * How large a record may grow, all that its state keeps included. Every write derives it anew, so
   * this bounds how long one takes; and several must fit into memory at a time.
   */
  private static final long RECORD_BYTES_MAX =
      Math.min(32L << 20, Runtime.getRuntime().maxMemory() / 64);

  /** In the place of a fingerprint, where a version tells only which request it came of. */
  private static final long ELSEWHERE = Long.MIN_VALUE;

  /** How many edits of a text or list may be open at once before another is refused. */
  private static final int OPEN_EDITS_MAX = 5_000;

  private final Policies policies;
  private final History history;
  private final Derived derived;
  private final Freezes freezes;
  private final Claims claims;
  private final ErasureMarks erasures;
  private final int siblingsMax;
  private volatile Promise promised = _ -> Optional.empty();

  Acceptor(Policies policies, History history, Derived derived, int siblingsMax) {
    this.policies = policies;
    this.history = history;
    this.derived = derived;
    this.freezes = derived.freezes();
    this.claims = derived.claims();
    this.erasures = derived.erasures();
    this.siblingsMax = siblingsMax;
  }

  /** Writes are accepted only as far as this can be kept. Callable from any thread. */
  void promise(Promise promise) {
    promised = promise;
  }

  /** Why this node may not author under a policy by itself; empty where it may. */
  Optional<String> whyNot(Policy policy) {
    return promised.whyNot(policy);
  }

  /** Writes all of them, or none, each seeing what those before it did. */
  List<Outcome> acceptTogether(Transaction transaction, List<WriteRequest> requests) {
    transaction.beginUnit();
    List<Outcome> outcomes = new ArrayList<>(requests.size());
    for (WriteRequest request : requests) {
      Outcome outcome = accept(transaction, request);
      outcomes.add(outcome);
      if (outcome instanceof Rejected) {
        transaction.takeBackUnit();
        return outcomes;
      }
    }
    transaction.endUnit();
    return outcomes;
  }

  Outcome accept(Transaction transaction, WriteRequest request) {
    Optional<Outcome> first =
        request.requestId().flatMap(id -> firstAnswer(transaction, request, id));
    if (first.isPresent()) {
      return first.get();
    }
    Snapshot before = transaction.snapshot(request.key());
    Outcome outcome;
    try {
      outcome = new Attempt(transaction, request, before).run();
    } catch (EditProblem e) {
      Rejected invalid =
          new Rejected(Code.INVALID, String.valueOf(e.getMessage()), Optional.empty());
      outcome = e.isUndeclared() ? invalid.called(RowConflict.TARGET_MISSING) : invalid;
    }
    if (outcome instanceof Rejected rejected) {
      keepPayload(transaction, request, rejected);
    } else if (outcome instanceof Accepted accepted) {
      request.fence().ifPresent(transaction::fence);
      request.requestId().ifPresent(id -> keepAnswer(transaction, request, id, accepted));
    }
    return outcome;
  }

  private Optional<Outcome> firstAnswer(Transaction transaction, WriteRequest request, String id) {
    byte[] stored = transaction.get(Table.ANSWERS, Keys.of(request.key().tenant(), id));
    if (stored == null) {
      return Optional.empty();
    }
    ByteReader in = new ByteReader(stored);
    long fingerprint = in.u64();
    Json answer = JsonCodec.read(in);
    boolean same =
        fingerprint == ELSEWHERE
            ? answer.equals(elsewhere(request.key()))
            : fingerprint == request.fingerprint();
    return Optional.of(
        same
            ? new Outcome.Duplicate(answer, transaction.snapshot(request.key()))
            : new Rejected(
                Code.INVALID,
                "the id " + id.substring(1) + " was used before for a different request",
                Optional.empty()));
  }

  /**
   * Keeps that another node, or this one before its directory went back in time, has accepted a
   * request, so that sending it again to this one does no harm.
   */
  static void keepAnswer(Transaction transaction, Version version) {
    if (version.eventId().isEmpty()) {
      return;
    }
    byte[] at = answerKey(version, version.eventId().get());
    if (transaction.get(Table.ANSWERS, at) == null) {
      ByteWriter out = new ByteWriter().u64(ELSEWHERE);
      JsonCodec.write(out, elsewhere(version.key()));
      transaction.put(Table.ANSWERS, at, out.toBytes());
    }
  }

  /** Where the first answer to the request stands that a version was accepted for. */
  static byte[] answerKey(Version version, String event) {
    return Keys.of(version.key().tenant(), (version.device().isPresent() ? "e" : "i") + event);
  }

  private static Json elsewhere(RecordKey key) {
    return Json.of(Map.of("outcome", "applied", "recordId", key.id(), "type", key.type()));
  }

  private static void keepAnswer(
      Transaction transaction, WriteRequest request, String id, Accepted accepted) {
    ByteWriter out = new ByteWriter().u64(request.fingerprint());
    JsonCodec.write(out, answer(request.key(), accepted));
    transaction.putAnswer(Keys.of(request.key().tenant(), id), out.toBytes());
  }

  private static Json answer(RecordKey key, Accepted accepted) {
    Map<String, Json> answer = new TreeMap<>();
    answer.put("outcome", Json.of(accepted.kind().label()));
    answer.put("recordId", Json.of(key.id()));
    answer.put("context", Json.of(accepted.after().token()));
    answer.put(
        "resolutions", Json.of(accepted.resolutions().stream().map(Describe::resolution).toList()));
    accepted.conflictId().ifPresent(conflict -> answer.put("conflictId", Json.of(conflict)));
    return JsonObject.of(answer);
  }

  private static void keepPayload(
      Transaction transaction, WriteRequest request, Rejected rejected) {
    Map<String, Json> detail = new TreeMap<>();
    detail.put("code", Json.of(rejected.code().label()));
    detail.put("reason", Json.of(rejected.message()));
    rejected.row().ifPresent(row -> detail.put("row", Json.of(row.label())));
    // What was erased does not come back by way of the audit log.
    if (rejected.code() != Code.GONE) {
      detail.put("payload", payload(request.edit()));
    }
    request.at().ifPresent(at -> detail.put("at", Describe.time(at)));
    request.device().ifPresent(device -> detail.put("device", Json.of(device)));
    transaction.auditRefusal(
        transaction.clock().next(),
        request.key().tenant(),
        request.author(),
        "rejected",
        request.key().toString(),
        JsonObject.of(detail));
  }

  private static Json payload(Edit edit) {
    return switch (edit) {
      case Edit.Put(JsonObject document) -> JsonObject.of("put", document);
      case Edit.MergePatch(Json patch) -> JsonObject.of("merge", patch);
      case Edit.JsonPatch(List<Json> operations) ->
          JsonObject.of("patch", new JsonArray(operations));
      case Edit.Operations(List<Edit.Operation> operations) ->
          JsonObject.of("ops", Json.of(operations.stream().map(Object::toString).toList()));
      case Edit.Delete() -> JsonObject.of("delete", Json.of(true));
      case Edit.Erase() -> JsonObject.of("erase", Json.of(true));
    };
  }

  /** One write on its way. */
  private final class Attempt {
    private final Transaction transaction;
    private final WriteRequest request;
    private final RecordKey key;
    private final Snapshot before;
    private final Policy policy;
    private String note = "";

    Attempt(Transaction transaction, WriteRequest request, Snapshot before) {
      this.transaction = transaction;
      this.request = request;
      this.key = request.key();
      this.before = before;
      this.policy = policies.inForce(key.tenant(), key.type());
    }

    Outcome run() throws EditProblem {
      Optional<Rejected> refused = refusedAtTheDoor();
      if (refused.isPresent()) {
        return refused.get();
      }
      CausalContext context = context();
      boolean erases = request.edit() instanceof Edit.Erase;
      refused = erases ? Optional.empty() : erased(context);
      if (refused.isPresent()) {
        return refused.get();
      }
      @Nullable Past past = isCurrent(context) ? null : past();
      if (past != null && request.device().isPresent()) {
        context = context.with(History.ownDots(past, request.device().get(), context));
      }
      RecordState seen = seen(past, context);
      Json base = base(past, context, seen);
      List<Change> changes =
          Authoring.changes(seen, policy, request.author(), base, request.edit());
      if (request.edit() instanceof Edit.Delete && base.isAbsent()) {
        return new Rejected(Code.NOT_FOUND, "there is no such record to delete", Optional.empty())
            .called(RowConflict.DELETE_MISSING);
      }
      if (changes.isEmpty()) {
        return erases
            ? new Rejected(Code.NOT_FOUND, "there never was such a record", Optional.empty())
            : unchanged();
      }
      refused = uncounted(past, context, changes);
      if (refused.isEmpty() && !erases) {
        refused = refusedChanges(seen, changes, context);
      }
      return refused.isPresent() ? refused.get() : join(context, changes);
    }

    /** Whoever had read what was erased does not bring it back. */
    private Optional<Rejected> erased(CausalContext context) {
      return erasures
          .of(transaction::get, key)
          .filter(erasure -> !context.contains(erasure.dot()))
          .flatMap(erasure ->
              rejected(
                  Code.GONE,
                  "what this record held was erased on "
                      + erasure.at().instant()
                      + ", and this was written without knowing that; read the record again and"
                      + " write what it may hold from now on"));
    }

    private Optional<Rejected> refusedAtTheDoor() {
      Optional<Freeze> freeze = freezes.over(key);
      if (freeze.isPresent()) {
        return rejected(Code.FROZEN, freeze.get().scope() + " is frozen: " + freeze.get().reason());
      }
      if (!transaction.isDraft()) {
        Optional<String> why = promised.whyNot(policy);
        if (why.isPresent()) {
          return rejected(Code.UNAVAILABLE, why.get());
        }
      }
      if (request.fence().isPresent()) {
        Optional<String> why = promised.whyNot(request.fence().get());
        if (why.isPresent()) {
          return rejected(Code.STALE, why.get());
        }
      }
      if (request.at().isPresent() && !transaction.clock().accepts(request.at().get())) {
        return rejected(
            Code.INVALID,
            "the time "
                + request.at().get()
                + " lies too far ahead of this node's clock; check the device's clock");
      }
      boolean exists = before.view().exists();
      return switch (request.seen()) {
        case Seen.Exactly(VersionVector context) -> {
          Optional<Rejected> future = claimsFuture(context);
          yield future.isPresent() || allowed(WriteStyle.CONDITIONAL).isPresent()
              ? future.or(() -> allowed(WriteStyle.CONDITIONAL))
              : context.equals(before.state().context())
                  ? Optional.empty()
                  : stale(
                      "the record has changed since this context; read it again and repeat the change");
        }
        case Seen.Existing() ->
            exists
                ? Optional.empty()
                : stale("there is no such record")
                    .map(missing -> missing.called(RowConflict.UPDATE_MISSING));
        case Seen.Absence() ->
            exists
                ? stale("the record exists already")
                    .map(there -> there.called(RowConflict.INSERT_EXISTS))
                : Optional.empty();
        case Seen.Context(VersionVector context) ->
            claimsFuture(context).or(() -> allowed(WriteStyle.MERGE));
        case Seen.Everything() ->
            exists && !policy.writes().contains(WriteStyle.OVERWRITE)
                ? rejected(
                    Code.PRECONDITION_REQUIRED,
                    "records of type "
                        + key.type()
                        + " are not overwritten; send If-Match or Entente-Context with the context you have read")
                : Optional.empty();
        case Seen.Nothing(), Seen.Rollback() -> Optional.empty();
      };
    }

    private Optional<Rejected> allowed(WriteStyle style) {
      return policy.writes().contains(style)
          ? Optional.empty()
          : rejected(
              Code.INVALID,
              "the policy of type " + key.type() + " does not allow " + style.label() + " writes");
    }

    private Optional<Rejected> claimsFuture(VersionVector context) {
      return ContextToken.claimsFuture(context, transaction.self(), transaction.lastNumber())
          ? rejected(
              Code.CONFLICT,
              "the context has seen more than this node has ever accepted; the node may have been restored from a backup")
          : Optional.empty();
    }

    private Optional<Rejected> rejected(Code code, String message) {
      return Optional.of(new Rejected(code, message, Optional.empty()));
    }

    private Optional<Rejected> stale(String message) {
      return Optional.of(new Rejected(Code.STALE, message, Optional.of(before)));
    }

    /** What the author had seen, as far as this node knows it too. */
    private CausalContext context() {
      VersionVector all = before.state().context();
      return switch (request.seen()) {
        case Seen.Everything(), Seen.Existing(), Seen.Rollback(), Seen.Absence(), Seen.Exactly _ ->
            CausalContext.of(all);
        case Seen.Nothing() -> CausalContext.EMPTY;
        case Seen.Context(VersionVector context) ->
            CausalContext.of(
                new VersionVector(
                    context
                        .entries()
                        .merge(
                            all.entries(),
                            (theirs, ours) ->
                                theirs == null || ours == null
                                    ? null
                                    : Long.valueOf(Math.min(theirs, ours)))));
      };
    }

    private boolean isCurrent(CausalContext context) {
      return context.dominates(before.state().context());
    }

    /** A count is a difference from what was read; where that is not known, there is none. */
    private Optional<Rejected> uncounted(
        @Nullable Past past, CausalContext context, List<Change> changes) {
      boolean unknown =
          past != null
              && !past.reaches(context)
              && request.base().isEmpty()
              && !(request.edit() instanceof Edit.Operations);
      return unknown && changes.stream().anyMatch(Change.Count.class::isInstance)
          ? rejected(
              Code.CONFLICT,
              "what you had read lies before the history that is kept, so by how much a counter"
                  + " changed cannot be told; send the base that you had read, or increments")
          : Optional.empty();
    }

    /** The record as its author saw it, as far as the history tells. */
    private RecordState seen(@Nullable Past past, CausalContext context) {
      if (past == null) {
        return before.state();
      }
      RecordState seen = past.seenThrough(context);
      // The base says better what they had read; only what stands where in a text is told by dots.
      return !past.reaches(context) && request.base().isPresent() ? seen.onlySequences() : seen;
    }

    private Json base(@Nullable Past past, CausalContext context, RecordState seen) {
      if (past == null) {
        return before.view().data();
      }
      boolean reached = past.reaches(context);
      if ((seen.isEmpty() || !reached) && request.base().isPresent()) {
        if (!(request.seen() instanceof Seen.Nothing)) {
          note = "the history no longer reaches what you had read; compared with the base you sent";
        }
        return request.base().get();
      }
      if (!reached) {
        note =
            "the history no longer reaches what you had read; compared with the earliest that is"
                + " kept";
      }
      return Deriver.derive(key, seen, policy).data();
    }

    private Outcome unchanged() {
      return new Accepted(
          Kind.APPLIED, before, false, List.of(), Optional.empty(), "nothing changed");
    }

    private Optional<Rejected> refusedChanges(
        RecordState seen, List<Change> changes, CausalContext context) {
      for (Change change : changes) {
        Unit unit = change.unit();
        if (change instanceof Change.Assign assign) {
          Optional<Rejected> illegal = illegalTransition(seen, assign);
          if (illegal.isPresent()) {
            return illegal;
          }
          List<Assignment> now = before.state().register(unit).values();
          if (now.size() >= siblingsMax && now.stream().noneMatch(a -> context.contains(a.dot()))) {
            return rejected(
                Code.CONFLICT,
                now.size()
                    + " values compete for "
                    + unit.label()
                    + " already; settle its review before adding another");
          }
        }
        Optional<Rejected> unentitled = unentitled(change);
        if (unentitled.isPresent()) {
          return unentitled;
        }
        if (policy.isNeverAutomatic(unit) && isCurrent(context) && isPending(unit)) {
          return rejected(
              Code.CONFLICT,
              unit.label()
                  + " waits for a person's decision and is never settled by a write; decide its review first");
        }
      }
      return Optional.empty();
    }

    /** Whether this node lacks the rights for what a change takes from a bounded counter. */
    private Optional<Rejected> unentitled(Change change) {
      long wanted =
          switch (change) {
            case Change.Give give -> give.amount();
            case Change.Count count when isBounded(count.path()) -> -count.difference();
            default -> 0;
          };
      if (wanted <= 0) {
        return Optional.empty();
      }
      Counter counter = Counters.of(before.state(), change.unit().path());
      BigInteger rights = counter.rights(transaction.self());
      return rights.compareTo(BigInteger.valueOf(wanted)) >= 0
          ? Optional.empty()
          : rejected(
              Code.CONFLICT, Counters.missing(counter, transaction.self(), wanted, change.unit()));
    }

    private boolean isBounded(Path path) {
      FieldRule rule = policy.field(path);
      return rule != null && rule.cell() == CellKind.BOUNDED_COUNTER;
    }

    private boolean isPending(Unit unit) {
      for (Resolution resolution : before.view().resolutions()) {
        if (resolution.isPending() && resolution.conflict().unit().equals(unit)) {
          return true;
        }
      }
      return false;
    }

    private Optional<Rejected> illegalTransition(RecordState seen, Change.Assign assign) {
      Optional<StateMachine> machine =
          policy.strategyOf(assign.unit()).flatMap(StrategySpec::machine);
      if (machine.isEmpty()) {
        return Optional.empty();
      }
      StateMachine states = machine.get();
      String to = states.stateOf(assign.value());
      if (!states.knows(to)) {
        return rejected(
            Code.INVALID,
            (to.isEmpty()
                    ? "there is no " + states.field()
                    : to + " is no state of " + states.field())
                + "; known are "
                + String.join(", ", states.names()));
      }
      List<Assignment> from = seen.register(assign.unit()).values();
      if (!from.isEmpty()
          && from.stream().noneMatch(a -> states.allows(states.stateOf(a.value()), to))) {
        String state = states.stateOf(from.getFirst().value());
        return rejected(
            Code.INVALID,
            "illegal transition of "
                + states.field()
                + ": "
                + state
                + " may not change to "
                + to
                + "; it may change to "
                + states.states().get(state));
      }
      return Optional.empty();
    }

    private Outcome join(CausalContext context, List<Change> changes) throws EditProblem {
      HybridTime now = transaction.clock().next();
      Dot dot = transaction.nextDot();
      Version version =
          new Version(
              dot,
              key,
              before.state().context().get(dot.node()),
              context,
              now,
              request.at().orElse(now),
              request.author(),
              request.device(),
              request.requestId().map(id -> id.substring(1)),
              request.note(),
              changes,
              transaction.clockErrorMillis());
      RecordState state = joined(version);
      Optional<String> crowded = isCurrent(context) ? Optional.empty() : crowded(state);
      if (crowded.isPresent()) {
        return undone(new Rejected(Code.CONFLICT, crowded.get(), Optional.of(before)));
      }
      byte[] encoded = StateCodec.toBytes(state);
      if (encoded.length > RECORD_BYTES_MAX && growsFrom(before.state(), encoded.length)) {
        return undone(new Rejected(Code.TOO_LARGE, tooLarge(encoded.length), Optional.empty()));
      }
      Snapshot after = Records.derived(key, state, policy);
      Optional<String> broken =
          after.view().heads() == 1 && after.view().exists()
              ? Deriver.brokenInvariant(policy, after.view().data())
              : brokenAlone(version);
      if (broken.isPresent()) {
        return undone(
            new Rejected(
                Code.INVALID, "this would break the invariant " + broken.get(), Optional.empty()));
      }
      List<Resolution> mine = concerning(dot, after.view());
      Optional<Resolution> refused = mine.stream().filter(Resolution::refused).findFirst();
      if (refused.isPresent()) {
        return undone(
            new Rejected(Code.CONFLICT, refused.get().explanation(), Optional.of(before)));
      }
      List<String> contended = claims.contended(transaction, before, after, policy);
      if (!contended.isEmpty()) {
        Rejected taken =
            new Rejected(Code.CONFLICT, String.join("; ", contended), Optional.of(before));
        return undone(contended.size() > 1 ? taken.called(RowConflict.SEVERAL_UNIQUE) : taken);
      }
      write(version, after, encoded, mine);
      return new Accepted(
          kind(mine, after.view()),
          after,
          !before.view().exists() && after.view().exists(),
          mine,
          pendingId(mine),
          note);
    }

    /** What has grown too large by what other nodes sent can still be made smaller. */
    private static boolean growsFrom(RecordState state, int bytes) {
      return bytes > StateCodec.toBytes(state).length;
    }

    private static String tooLarge(int bytes) {
      return "the record would take "
          + (bytes >> 10)
          + " KiB with all it keeps, more than the "
          + (RECORD_BYTES_MAX >> 10)
          + " KiB that one may take; spread it over several records";
    }

    /** Names a text or list that more edits are open on than can be replayed at every write. */
    private static Optional<String> crowded(RecordState state) {
      for (int i = 0; i < state.cells().size(); i++) {
        if (state.cells().value(i) instanceof Sequence sequence
            && sequence.open().size() > OPEN_EDITS_MAX) {
          return Optional.of(
              sequence.open().size()
                  + " edits of "
                  + state.cells().key(i).unit().label()
                  + " would be concurrent, at most "
                  + OPEN_EDITS_MAX
                  + " can be; read the record and repeat the change on what it holds");
        }
      }
      return Optional.empty();
    }

    private Rejected undone(Rejected rejected) {
      transaction.takeBackDot();
      return rejected;
    }

    /** Whether the author's own document, before any merge, breaks an invariant. */
    private Optional<String> brokenAlone(Version version) {
      if (policy.invariants().isEmpty()) {
        return Optional.empty();
      }
      RecordState alone =
          past()
              .with(version)
              .replay(v -> version.context().contains(v.dot()) || v.dot().equals(version.dot()));
      Json document = Deriver.deriveUnchecked(key, alone, policy).data();
      return document.isAbsent() ? Optional.empty() : Deriver.brokenInvariant(policy, document);
    }

    private RecordState joined(Version version) throws EditProblem {
      try {
        return switch (before.state().apply(version, this::past)) {
          case RecordState.Applied.Joined(RecordState state) -> state;
          case RecordState.Applied.Seen(), RecordState.Applied.Missing _ ->
              throw new IllegalStateException(
                  "a version of our own does not follow our own state: " + version.dot());
        };
      } catch (ArithmeticException e) {
        throw new EditProblem("a counter would leave its 64 bits");
      }
    }

    private Past past() {
      return history.past(key, history.last(before, transaction), transaction);
    }

    private void write(Version version, Snapshot after, byte[] encoded, List<Resolution> mine) {
      byte[] bytes = transaction.put(version, before, after, encoded);
      if (!transaction.isDraft()) {
        erasures.follow(transaction, version, version.dot().number());
      }
      derived.follow(
          transaction, before, after, policy, request.author(), version.acceptedAt().millis());
      transaction.audit(
          version.acceptedAt(),
          key.tenant(),
          request.author(),
          "write",
          key.toString(),
          detail(version, bytes, mine, after.view()));
    }

    private Json detail(Version version, byte[] bytes, List<Resolution> mine, View view) {
      Map<String, Json> detail = new TreeMap<>();
      detail.put("position", Json.of(version.dot().number()));
      detail.put("version", Json.of(Hashes.hex(bytes)));
      detail.put("outcome", Json.of(kind(mine, view).label()));
      if (!mine.isEmpty()) {
        Meetings.add(transaction, key, version.dot().number());
        detail.put("policy", Json.of(policy.version()));
        detail.put("resolutions", Json.of(mine.stream().map(Describe::resolution).toList()));
      }
      return JsonObject.of(detail);
    }
  }

  /** What became of the conflicts that a version takes part in. */
  static List<Resolution> concerning(Dot dot, View view) {
    List<Resolution> mine = new ArrayList<>();
    for (Resolution resolution : view.resolutions()) {
      for (Assignment assignment : resolution.conflict().competing()) {
        if (assignment.dot().equals(dot)) {
          mine.add(resolution);
          break;
        }
      }
    }
    return mine;
  }

  private static Kind kind(List<Resolution> mine, View view) {
    boolean siblings = false;
    for (Resolution resolution : mine) {
      if (resolution.isPending()) {
        return Kind.PENDING;
      }
      siblings |= resolution.status() == Status.SIBLINGS;
    }
    if (siblings) {
      return Kind.SIBLINGS;
    }
    return view.heads() > 1 ? Kind.MERGED : Kind.APPLIED;
  }

  private static Optional<String> pendingId(List<Resolution> mine) {
    return mine.stream().filter(Resolution::isPending).findFirst().map(r -> r.conflict().id());
  }
}
