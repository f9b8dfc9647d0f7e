// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.VersionVector;
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
  private final Policies policies;
  private final History history;
  private final ErasureMarks erasures;
  private final VersionChecks checks;
  private final VersionWriter writer;

  Acceptor(
      Policies policies,
      History history,
      ErasureMarks erasures,
      VersionChecks checks,
      VersionWriter writer) {
    this.policies = policies;
    this.history = history;
    this.erasures = erasures;
    this.checks = checks;
    this.writer = writer;
  }

  /** Writes all of them, or none, each seeing what those before it did. */
  List<Outcome> acceptTogether(Transaction transaction, List<IdentifiedRequest> requests) {
    transaction.beginUnit();
    List<Outcome> outcomes = new ArrayList<>(requests.size());
    for (IdentifiedRequest request : requests) {
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
    return accept(transaction, IdentifiedRequest.of(request));
  }

  /** As {@link #accept(Transaction, WriteRequest)}, where the request is identified already. */
  Outcome accept(Transaction transaction, IdentifiedRequest request) {
    boolean back = request.request().seen() instanceof Seen.Rollback;
    return accept(transaction, request, back ? WriteOrigin.ROLLBACK : WriteOrigin.CLIENT);
  }

  /** On behalf of something else than a client. */
  Outcome accept(Transaction transaction, WriteRequest request, WriteOrigin asked) {
    return accept(transaction, IdentifiedRequest.of(request), asked);
  }

  private Outcome accept(Transaction transaction, IdentifiedRequest identified, WriteOrigin asked) {
    WriteRequest request = identified.request();
    WriteOrigin origin = request.edit() instanceof Edit.Erase ? WriteOrigin.ERASURE : asked;
    Optional<Outcome> first = Answers.first(transaction, identified);
    if (first.isPresent()) {
      return first.get();
    }
    Snapshot before = transaction.snapshot(request.key());
    Outcome outcome;
    Attempt attempt = new Attempt(transaction, identified, origin, before);
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
      Answers.keep(transaction, identified, accepted, Optional.ofNullable(attempt.version));
    }
    return outcome;
  }

  /** Why a record may not be written at all now; what is refused is in the audit log. */
  Optional<Rejected> closed(
      Transaction transaction, WriteOrigin origin, RecordKey key, String author, Json payload) {
    Policy policy = policies.inForce(key.tenant(), key.type());
    Optional<Rejected> refused = checks.admission(transaction, origin, key, policy);
    refused.ifPresent(why ->
        VersionWriter.auditRefusal(transaction, key, author, why, Map.of("payload", payload)));
    return refused;
  }

  private static void keepPayload(
      Transaction transaction, WriteRequest request, Rejected rejected) {
    Map<String, Json> detail = new TreeMap<>();
    // What was erased does not come back by way of the audit log.
    if (rejected.code() != Code.GONE) {
      detail.put("payload", payload(request.edit()));
    }
    request.at().ifPresent(at -> detail.put("at", Describe.time(at)));
    request.device().ifPresent(device -> detail.put("device", Json.of(device)));
    VersionWriter.auditRefusal(transaction, request.key(), request.author(), rejected, detail);
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
    private final WriteOrigin origin;
    private final RecordKey key;
    private final Snapshot before;
    private final Policy policy;
    private final Refusals refusals;
    private final Optional<Origin> sentBy;
    private String note = "";

    /** What was written; null until then, and where nothing changes. */
    private @Nullable Version version;

    Attempt(
        Transaction transaction,
        IdentifiedRequest identified,
        WriteOrigin origin,
        Snapshot before) {
      this.request = identified.request();
      this.sentBy = identified.origin();
      this.origin = origin;
      this.transaction = transaction;
      this.key = request.key();
      this.before = before;
      this.policy = policies.inForce(key.tenant(), key.type());
      this.refusals = new Refusals(checks, erasures, transaction, origin, request, before, policy);
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
      if (past != null && request.device().isPresent() && sentBy.isPresent()) {
        context = context.with(History.ownDots(past, sentBy.get().sender(), context));
      }
      RecordState seen = seen(past, context);
      Json base = base(past, context, seen);
      List<Change> changes =
          Authoring.changes(
              seen,
              before.state(),
              policy,
              request.author(),
              base,
              held(seen, base),
              request.edit());
      if (request.seen() instanceof Seen.Rollback(List<Competing> pending) && !pending.isEmpty()) {
        return rollBack(seen, changes, pending);
      }
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
      return refused.isPresent() ? refused.get() : join(context, seen, changes);
    }

    private boolean isCurrent(CausalContext context) {
      return context.dominates(before.state().context());
    }

    /** What the author had seen, as far as this node knows it too. */
    private CausalContext context() {
      VersionVector all = before.state().context();
      return switch (request.seen()) {
        case Seen.Everything(), Seen.Existing(), Seen.Rollback _, Seen.Absence(), Seen.Exactly _ ->
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

    /** What the cells made of it, where readers see something else because of a record conflict. */
    private Json held(RecordState seen, Json base) {
      if (policy.invariants().isEmpty() && policy.manualThreshold() >= 1) {
        return base;
      }
      View view = Deriver.derive(key, seen, policy);
      return view.isOfARecordConflict() && view.data().equals(base)
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

    private Outcome join(CausalContext context, RecordState seen, List<Change> changes) {
      Authored authored =
          new Authored(
              origin,
              before,
              context,
              seen,
              request.author(),
              changes,
              request.note(),
              Optional.of(request),
              sentBy);
      return switch (writer.prepare(transaction, authored)) {
        case VersionWriter.Refused(Rejected why) -> why;
        case VersionWriter.Ready ready -> {
          writer.write(transaction, ready, ready.version().acceptedAt(), outcomeOf(ready));
          yield accepted(ready);
        }
      };
    }

    /** Goes back to a record as it was while something waited for a decision, which waits again. */
    private Outcome rollBack(RecordState seen, List<Change> changes, List<Competing> pending)
        throws EditProblem {
      Reopening back =
          new Reopening(policies, writer, transaction, request.author(), request.note());
      try {
        Snapshot record =
            changes.isEmpty()
                ? before
                : back.add(
                    Authored.concurrent(
                        origin, before, seen, request.author(), changes, request.note()));
        for (Competing competing : pending) {
          record = back.add(record, competing);
        }
      } catch (EditProblem e) {
        back.abandon();
        throw e;
      }
      Optional<Rejected> refused = back.write(Map.of("reason", Json.of(request.note())));
      return refused.isPresent() ? refused.get() : accepted(back.last());
    }

    private static Map<String, Json> outcomeOf(VersionWriter.Ready ready) {
      Kind kind = kind(ready.resolutions(), ready.after().view());
      return Map.of("outcome", Json.of(kind.label()));
    }

    private Accepted accepted(VersionWriter.Ready ready) {
      version = ready.version();
      View view = ready.after().view();
      return new Accepted(
          kind(ready.resolutions(), view),
          ready.after(),
          !before.view().exists() && view.exists(),
          ready.resolutions(),
          pendingId(ready.resolutions()),
          note);
    }

    private Past past() {
      return history.past(key, history.last(before, transaction), transaction);
    }
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
    for (Resolution resolution : mine) {
      if (resolution.isPending()) {
        return Optional.of(resolution.conflict().id());
      }
    }
    return Optional.empty();
  }
}
