// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.Review.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Writes a person's decision: an authored version whose context covers everything that competed, so
 * that ordinary causality collapses the conflict. It is checked against the record as it is now,
 * not against the picture the reviewer was shown. Used by the sequencer's thread only.
 */
final class Decider {
  private final Policies policies;
  private final ReviewBook reviews;
  private final VersionWriter writer;
  private final Contentions contentions;
  private final Appeals appeals;

  Decider(
      Policies policies,
      ReviewBook reviews,
      VersionWriter writer,
      Contentions contentions,
      Appeals appeals) {
    this.policies = policies;
    this.reviews = reviews;
    this.writer = writer;
    this.contentions = contentions;
    this.appeals = appeals;
  }

  /** What a review's id leads to. */
  sealed interface Found {
    /** A conflict that waits. */
    record Live(Review review, Snapshot now, Resolution resolution) implements Found {}

    /** A causal violation that somebody has to look into. */
    record Violated(Review review) implements Found {}

    /** A contention of several records that waits. */
    record Contended(Review review) implements Found {}

    /** Somebody asks for what they wrote. */
    record Asked(Review review) implements Found {}

    /** None, for this reason. */
    record Gone(Result why) implements Found {}
  }

  Found find(Transaction transaction, String tenant, String id) {
    Optional<Review> found = reviews.get(transaction, tenant, id);
    if (found.isEmpty()) {
      return new Found.Gone(new Result.Unknown());
    }
    Review review = found.get();
    Snapshot now = transaction.snapshot(review.key());
    if (review.status() != Status.PENDING) {
      return new Found.Gone(
          new Result.Moved(
              "this was "
                  + review.status().label()
                  + " by "
                  + review.closing().by().orElse("somebody")
                  + ": "
                  + review.closing().reason(),
              now));
    }
    if (review.isViolation()) {
      return new Found.Violated(review);
    }
    if (review.isContention()) {
      return new Found.Contended(review);
    }
    if (review.isAppeal()) {
      return new Found.Asked(review);
    }
    Optional<Resolution> live =
        now.view().resolutions().stream()
            .filter(r -> r.isPending() && r.conflict().id().equals(id))
            .findFirst();
    return live.isEmpty()
        ? new Found.Gone(
            new Result.Moved("the conflict is no longer there; the record has changed", now))
        : new Found.Live(review, now, live.get());
  }

  Result decide(
      Transaction transaction,
      String tenant,
      String id,
      Decision decision,
      String actor,
      String reason) {
    Found found = find(transaction, tenant, id);
    Optional<Result> alone = alone(transaction, found, decision, actor);
    if (alone.isPresent()) {
      return alone.get();
    }
    return switch (found) {
      case Found.Gone(Result why) -> why;
      case Found.Violated(Review review) -> {
        Snapshot now = transaction.snapshot(review.key());
        yield decision instanceof Decision.Ignore
            ? ignore(transaction, review, now, actor, reason)
            : new Result.Invalid(
                "there is nothing to choose from: mend the node, then ignore this, with the"
                    + " reason");
      }
      case Found.Contended(Review review) ->
          contentions.decide(transaction, review, decision, actor, reason);
      case Found.Asked(Review review) ->
          appeals.decide(transaction, review, decision, actor, reason);
      case Found.Live(Review review, Snapshot now, Resolution live) -> {
        if (review.progress().poll().isPresent()) {
          yield new Result.Moved("the policy has this voted on; vote instead of deciding", now);
        }
        if (decision instanceof Decision.Ignore) {
          yield ignore(transaction, review, now, actor, reason);
        }
        try {
          Json value = value(live.conflict(), review.key(), decision);
          Written as = new Written(WriteOrigin.DECISION, actor, reason);
          yield write(transaction, review, now, live.conflict(), value, as);
        } catch (EditProblem e) {
          yield new Result.Invalid(String.valueOf(e.getMessage()));
        }
      }
    };
  }

  /** Where two persons must agree: what is missing, unless another has decided the same. */
  private Optional<Result> alone(
      Transaction transaction, Found found, Decision decision, String actor) {
    Review review;
    Json what;
    switch (found) {
      case Found.Live(Review live, var now, Resolution resolution) -> {
        if (live.progress().poll().isPresent()) {
          return Optional.empty();
        }
        review = live;
        try {
          what = what(resolution.conflict(), live.key(), decision);
        } catch (EditProblem e) {
          return Optional.of(new Result.Invalid(String.valueOf(e.getMessage())));
        }
      }
      case Found.Contended(Review contended) -> {
        review = contended;
        what = what(decision);
      }
      case Found.Asked(Review asked) -> {
        review = asked;
        what = what(decision);
      }
      case Found.Gone _, Found.Violated _ -> {
        return Optional.empty();
      }
    }
    RecordKey key = review.key();
    if (!policies.inForce(key.tenant(), key.type()).needsTwo(review.unit())
        || review.handling().approvals().stream()
            .anyMatch(given -> given.what().equals(what) && !given.by().equals(actor))) {
      return Optional.empty();
    }
    return Optional.of(new Result.NeedsSecond(review, what, transaction.snapshot(key)));
  }

  private static Json what(Conflict conflict, RecordKey key, Decision decision) throws EditProblem {
    return decision instanceof Decision.Ignore
        ? what(decision)
        : what(new Decision.Value(value(conflict, key, decision)));
  }

  private static Json what(Decision decision) {
    return switch (decision) {
      case Decision.Choose(int index) -> JsonObject.of("choose", Json.of(index));
      case Decision.ChooseContext(String token) -> JsonObject.of("choose", Json.of(token));
      case Decision.Value(Json value) ->
          value.isAbsent() ? JsonObject.of("remove", Json.of(true)) : JsonObject.of("value", value);
      case Decision.Ignore() -> JsonObject.of("ignore", Json.of(true));
    };
  }

  private Result ignore(
      Transaction transaction, Review review, Snapshot now, String actor, String reason) {
    HybridTime time = transaction.clock().next();
    Json ignored = JsonObject.of("ignore", Json.of(true));
    Review closed =
        reviews.close(transaction, review, Status.IGNORED, actor, time.millis(), reason, ignored);
    audit(transaction, time, closed);
    return new Result.Decided(closed, now);
  }

  /** Takes up a review that was ignored: what it is about waits for a person again. */
  Result takeUp(Transaction transaction, String tenant, String id, String actor, String reason) {
    Optional<Review> found = reviews.get(transaction, tenant, id);
    if (found.isEmpty()) {
      return new Result.Unknown();
    }
    Review ignored = found.get();
    Snapshot now = transaction.snapshot(ignored.key());
    if (ignored.status() != Status.IGNORED) {
      return new Result.Moved(
          "this is " + ignored.status().label() + "; only ignored reviews are taken up again", now);
    }
    RecordKey key = ignored.key();
    Policy policy = policies.inForce(key.tenant(), key.type());
    HybridTime time = transaction.clock().next();
    Optional<Progress> progress = progressOf(transaction, ignored, now, policy, time.millis());
    if (progress.isEmpty()) {
      return new Result.Moved("what this was about is no longer there", now);
    }
    Review open = ignored.opened(Review.Times.from(time.millis(), policy.review()), progress.get());
    reviews.write(transaction, open);
    transaction.audit(
        time,
        tenant,
        actor,
        "reopened",
        key.toString(),
        Json.of(Map.of("review", id, "unit", open.unit(), "reason", reason)));
    return new Result.Decided(open, now);
  }

  /** The first step of the policy for a review; empty where there is nothing left to decide. */
  private Optional<Progress> progressOf(
      Transaction transaction, Review review, Snapshot now, Policy policy, long nowMillis) {
    if (review.isViolation() || review.isAppeal()) {
      return Optional.of(Progress.NONE);
    }
    return review.isContention()
        ? contentions.isContended(transaction, review)
            ? Optional.of(Progress.NONE)
            : Optional.empty()
        : now.view().resolutions().stream()
            .filter(r -> r.isPending() && r.conflict().id().equals(review.id()))
            .findFirst()
            .map(live -> Proceedings.begin(live, policy, nowMillis));
  }

  /** The value that a decision names. */
  static Json value(Conflict conflict, RecordKey key, Decision decision) throws EditProblem {
    return switch (decision) {
      case Decision.Choose(int index) -> {
        if (index < 0 || index >= conflict.competing().size()) {
          throw new EditProblem(
              "there are "
                  + conflict.competing().size()
                  + " competing values, counted from 0; there is no "
                  + index);
        }
        yield conflict.competing().get(index).value();
      }
      case Decision.ChooseContext(String token) -> {
        for (Assignment assignment : conflict.competing()) {
          if (ContextToken.of(key, assignment.context().vector().with(assignment.dot()))
              .equals(token)) {
            yield assignment.value();
          }
        }
        throw new EditProblem("no competing value has this context");
      }
      case Decision.Value(Json value) -> value;
      case Decision.Ignore() -> throw new IllegalStateException("ignoring chooses no value");
    };
  }

  /** In whose name a decision is written, and why. */
  record Written(WriteOrigin origin, String actor, String reason) {}

  /** Writes a decision, and closes its review. */
  Result write(
      Transaction transaction,
      Review review,
      Snapshot before,
      Conflict conflict,
      Json value,
      Written as) {
    Policy policy = policies.inForce(review.key().tenant(), review.key().type());
    List<Change> changes;
    try {
      changes = changes(before, policy, as.actor(), conflict.unit(), conflict.recordLevel(), value);
    } catch (EditProblem e) {
      return new Result.Invalid(String.valueOf(e.getMessage()));
    }
    Authored authored = Authored.following(as.origin(), before, as.actor(), changes, as.reason());
    return switch (writer.prepare(transaction, authored)) {
      case VersionWriter.Refused(Rejected why) -> refused(transaction, review, why, value, as);
      case VersionWriter.Ready ready -> {
        HybridTime time = ready.version().acceptedAt();
        Review closed =
            reviews.close(
                transaction,
                review,
                Status.RESOLVED,
                as.actor(),
                time.millis(),
                as.reason(),
                JsonObject.of("value", Describe.orNull(value)));
        writer.write(transaction, ready, time, detail(closed));
        yield new Result.Decided(closed, ready.after());
      }
    };
  }

  /** Why a value could not be written as the decision now; nothing is changed. */
  Optional<Rejected> whyNot(
      Transaction transaction,
      Review review,
      Snapshot before,
      Conflict conflict,
      Json value,
      Written as)
      throws EditProblem {
    Policy policy = policies.inForce(review.key().tenant(), review.key().type());
    List<Change> changes =
        changes(before, policy, as.actor(), conflict.unit(), conflict.recordLevel(), value);
    return switch (writer.prepare(
        transaction, Authored.following(as.origin(), before, as.actor(), changes, as.reason()))) {
      case VersionWriter.Refused(Rejected why) -> Optional.of(why);
      case VersionWriter.Ready ready -> {
        writer.abandon(transaction, ready);
        yield Optional.empty();
      }
    };
  }

  /** The answer to a decision that is refused, once that is in the audit log. */
  static Result refused(
      Transaction transaction, Review review, Rejected why, Json value, Written as) {
    VersionWriter.auditRefusal(
        transaction,
        review.key(),
        as.actor(),
        why,
        Map.of(
            "review", Json.of(review.id()),
            "unit", Json.of(review.unit()),
            "payload", JsonObject.of("decision", Describe.orNull(value))));
    return new Result.Refused(why);
  }

  /**
   * Puts what competed for a unit side by side again: a version for each value, none of which has
   * seen the others, on what the decision had left. All are written, or none.
   *
   * @param decided what the record's context was once it was decided; nothing may have been written
   *     since
   */
  Result reopen(
      Transaction transaction,
      Review review,
      Unit unit,
      VersionVector decided,
      List<Json> competing,
      String actor,
      String reason) {
    Snapshot now = transaction.snapshot(review.key());
    if (!now.state().context().equals(decided)) {
      return new Result.Moved("it was written to since", now);
    }
    if (competing.size() < 2) {
      return new Result.Invalid("such a decision cannot be taken back");
    }
    Map<String, Json> detail = Map.of("review", Json.of(review.id()), "reason", Json.of(reason));
    try {
      Reopening reopening = new Reopening(policies, writer, transaction, actor, reason);
      reopening.add(now, new Competing(unit, false, competing));
      return reopening
          .write(detail)
          .map(why ->
              refused(
                  transaction,
                  review,
                  why,
                  Json.of(competing),
                  new Written(WriteOrigin.REOPENING, actor, reason)))
          .orElseGet(() -> new Result.Decided(review, transaction.snapshot(review.key())));
    } catch (EditProblem e) {
      return new Result.Invalid(String.valueOf(e.getMessage()));
    }
  }

  /** The changes that give a unit, or a whole record, a value. */
  static List<Change> changes(
      Snapshot seen, Policy policy, String actor, Unit unit, boolean recordLevel, Json value)
      throws EditProblem {
    RecordState state = seen.state();
    if (!recordLevel) {
      return Authoring.assignment(state, policy, actor, seen.view().data(), unit, value);
    }
    Json merged = Deriver.deriveUnchecked(seen.key(), state, policy).data();
    Edit edit =
        value instanceof JsonObject document
            ? new Edit.Put(document)
            : value.isAbsent() ? new Edit.Delete() : new Edit.MergePatch(value);
    List<Change> changes = new ArrayList<>(Authoring.changes(state, policy, actor, merged, edit));
    if (changes.isEmpty()) {
      changes.add(new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of()));
    }
    return changes;
  }

  /** What the audit log says of a closed review. */
  static Map<String, Json> detail(Review review) {
    Map<String, Json> detail = new TreeMap<>();
    detail.put("review", Json.of(review.id()));
    detail.put("unit", Json.of(review.unit()));
    detail.put("decision", review.closing().decision());
    detail.put("reason", Json.of(review.closing().reason()));
    detail.put("conflict", review.conflict());
    if (!review.handling().approvals().isEmpty()) {
      detail.put(
          "approvals",
          Json.of(
              review.handling().approvals().stream().map(ReviewSheet.Approval::toJson).toList()));
    }
    review
        .progress()
        .certificate()
        .ifPresent(proof -> detail.put("certificate", VoteJson.of(proof)));
    return detail;
  }

  private static void audit(Transaction transaction, HybridTime time, Review review) {
    transaction.audit(
        time,
        review.key().tenant(),
        review.closing().by().orElse(""),
        "decision",
        review.key().toString(),
        JsonObject.of(detail(review)));
  }
}
