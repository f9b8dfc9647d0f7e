// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Change;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.RowConflict;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Why a write is not accepted: for how things stand, or for what it would change. */
final class Refusals {
  private final VersionChecks checks;
  private final ErasureMarks erasures;
  private final WriteOrigin origin;
  private final Transaction transaction;
  private final WriteRequest request;
  private final RecordKey key;
  private final Snapshot before;
  private final Policy policy;

  Refusals(
      VersionChecks checks,
      ErasureMarks erasures,
      Transaction transaction,
      WriteOrigin origin,
      WriteRequest request,
      Snapshot before,
      Policy policy) {
    this.checks = checks;
    this.erasures = erasures;
    this.origin = origin;
    this.transaction = transaction;
    this.request = request;
    this.key = request.key();
    this.before = before;
    this.policy = policy;
  }

  /** What is refused whatever it changes. */
  Optional<Rejected> atTheDoor() {
    Optional<Rejected> refused = checks.admission(transaction, origin, key, policy);
    if (refused.isPresent()) {
      return refused;
    }
    if (request.fence().isPresent()) {
      Optional<String> why = checks.promised().whyNot(request.fence().get());
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
        yield future.isPresent()
            ? future
            : context.equals(before.state().context())
                ? Optional.empty()
                : stale(
                    "the record has changed since this context; read it again and repeat the"
                        + " change");
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
      case Seen.Context(VersionVector context) -> claimsFuture(context);
      case Seen.Everything(), Seen.Nothing(), Seen.Rollback _ -> Optional.empty();
    };
  }

  private Optional<Rejected> claimsFuture(VersionVector context) {
    return ContextToken.claimsFuture(context, transaction.self(), transaction.lastNumber())
        ? rejected(
            Code.CONFLICT,
            "the context has seen more than this node has ever accepted; the node may have been"
                + " restored from a backup")
        : Optional.empty();
  }

  /** Whoever had read what was erased does not bring it back. */
  Optional<Rejected> erased(CausalContext context) {
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

  /** A count is a difference from what was read; where that is not known, there is none. */
  Optional<Rejected> uncounted(@Nullable Past past, CausalContext context, List<Change> changes) {
    boolean unknown =
        past != null
            && !past.reaches(context)
            && request.base().isEmpty()
            && !(request.edit() instanceof Edit.Operations);
    if (past != null
        && !past.reaches(context)
        && changes.stream().anyMatch(c -> c instanceof Change.Remove r && !r.counted().isEmpty())) {
      return rejected(
          Code.CONFLICT,
          "what you had read lies before the history that is kept, so what a removal would take"
              + " away cannot be told; read the record again and repeat the change");
    }
    return unknown && changes.stream().anyMatch(Change.Count.class::isInstance)
        ? rejected(
            Code.CONFLICT,
            "what you had read lies before the history that is kept, so by how much a counter"
                + " changed cannot be told; send the base that you had read, or increments")
        : Optional.empty();
  }

  private static Optional<Rejected> rejected(Code code, String message) {
    return Optional.of(new Rejected(code, message, Optional.empty()));
  }

  private Optional<Rejected> stale(String message) {
    return Optional.of(new Rejected(Code.STALE, message, Optional.of(before)));
  }
}
