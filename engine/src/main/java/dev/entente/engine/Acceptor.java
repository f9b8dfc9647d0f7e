// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Change;
import dev.entente.core.record.Origin;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
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
import dev.entente.engine.codec.StateCodec;
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

  /** How many edits of a text or list may be open at once before another is refused. */
  private static final int OPEN_EDITS_MAX = 5_000;

  private final Policies policies;
  private final History history;
  private final Derived derived;
  private final Claims claims;
  private final ErasureMarks erasures;
  private volatile Refusals.Rules rules;

  Acceptor(Policies policies, History history, Derived derived, int siblingsMax) {
    this.policies = policies;
    this.history = history;
    this.derived = derived;
    this.claims = derived.claims();
    this.erasures = derived.erasures();
    this.rules =
        new Refusals.Rules(derived.freezes(), erasures, siblingsMax, _ -> Optional.empty());
  }

  /** Writes are accepted only as far as this can be kept. Callable from any thread. */
  void promise(Promise promise) {
    Refusals.Rules before = rules;
    rules = new Refusals.Rules(before.freezes(), before.erasures(), before.siblingsMax(), promise);
  }

  /** Why this node may not author under a policy by itself; empty where it may. */
  Optional<String> whyNot(Policy policy) {
    return rules.promised().whyNot(policy);
  }

  /** Writes all of them, or none, each seeing what those before it did. */
  List<Outcome> acceptTogether(Transaction transaction, List<WriteRequest> requests) {
    transaction.beginUnit();
    List<Outcome> outcomes = new ArrayList<>(requests.size());
    for (WriteRequest request : RequestHash.together(requests)) {
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
    Optional<Origin> origin = RequestHash.origin(request);
    Optional<Outcome> first = Answers.first(transaction, request, origin);
    if (first.isPresent()) {
      return first.get();
    }
    Snapshot before = transaction.snapshot(request.key());
    Outcome outcome;
    Attempt attempt = new Attempt(transaction, request, before, origin);
    try {
      outcome = attempt.run();
    } catch (EditProblem e) {
      Rejected invalid =
          new Rejected(Code.INVALID, String.valueOf(e.getMessage()), Optional.empty());
      outcome = e.isUndeclared() ? invalid.called(RowConflict.TARGET_MISSING) : invalid;
    }
    if (outcome instanceof Rejected rejected) {
      keepPayload(transaction, request, rejected);
    } else if (outcome instanceof Accepted accepted) {
      request.fence().ifPresent(transaction::fence);
      Answers.keep(transaction, request, origin, accepted, Optional.ofNullable(attempt.version));
    }
    return outcome;
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
    private final Refusals refusals;
    private final Optional<Origin> origin;
    private String note = "";

    /** What was written; null until then, and where nothing changes. */
    private @Nullable Version version;

    Attempt(
        Transaction transaction, WriteRequest request, Snapshot before, Optional<Origin> origin) {
      this.origin = origin;
      this.transaction = transaction;
      this.request = request;
      this.key = request.key();
      this.before = before;
      this.policy = policies.inForce(key.tenant(), key.type());
      this.refusals = new Refusals(rules, transaction, request, before, policy);
    }

    Outcome run() throws EditProblem {
      Optional<Rejected> refused = refusals.atTheDoor();
      if (refused.isPresent()) {
        return refused.get();
      }
      CausalContext context = context();
      boolean erases = request.edit() instanceof Edit.Erase;
      refused = erases ? Optional.empty() : refusals.erased(context);
      if (refused.isPresent()) {
        return refused.get();
      }
      @Nullable Past past = isCurrent(context) ? null : past();
      if (past != null && request.device().isPresent() && origin.isPresent()) {
        context = context.with(History.ownDots(past, origin.get().sender(), context));
      }
      RecordState seen = seen(past, context);
      Json base = base(past, context, seen);
      List<Change> changes =
          Authoring.changes(seen, policy, request.author(), base, held(seen, base), request.edit());
      if (request.edit() instanceof Edit.Delete && base.isAbsent()) {
        return new Rejected(Code.NOT_FOUND, "there is no such record to delete", Optional.empty())
            .called(RowConflict.DELETE_MISSING);
      }
      if (changes.isEmpty()) {
        return erases
            ? new Rejected(Code.NOT_FOUND, "there never was such a record", Optional.empty())
            : unchanged(base);
      }
      refused = refusals.uncounted(past, context, changes);
      if (refused.isEmpty() && !erases) {
        refused = refusals.changed(seen, changes, context);
      }
      return refused.isPresent() ? refused.get() : join(context, changes);
    }

    private boolean isCurrent(CausalContext context) {
      return context.dominates(before.state().context());
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

    /** What the cells made of it before the policy settled the record as a whole, if it did. */
    private Json held(RecordState seen, Json base) {
      if (policy.invariants().isEmpty() && policy.manualThreshold() >= 1) {
        return base;
      }
      View view = Deriver.derive(key, seen, policy);
      return view.isSettledAsAWhole() && view.data().equals(base)
          ? Deriver.deriveUnchecked(key, seen, policy).data()
          : base;
    }

    /** The answer to a write that changes nothing of what its author had read. */
    private Outcome unchanged(Json base) {
      boolean current = base.equals(before.view().data());
      return new Accepted(
          current ? Kind.APPLIED : Kind.MERGED,
          before,
          false,
          List.of(),
          Optional.empty(),
          current
              ? "nothing changed"
              : "this changes nothing of what was read; the record has been changed since"
                  + (note.isEmpty() ? "" : "; " + note));
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
              transaction.clockErrorMillis(),
              origin);
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
              ? Deriver.brokenInvariant(policy, after.view())
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
      this.version = version;
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
      return Deriver.brokenInvariant(policy, Deriver.deriveUnchecked(key, alone, policy));
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
