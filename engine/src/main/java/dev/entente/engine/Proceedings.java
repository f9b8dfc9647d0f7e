// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Group;
import dev.entente.core.policy.Moment;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.StrategySpec.Patience;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.record.RecordState;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.Resolution.Status;
import dev.entente.core.vote.Ballot;
import dev.entente.core.vote.Certificate;
import dev.entente.core.vote.Poll;
import dev.entente.core.vote.Question;
import dev.entente.engine.Decider.Written;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Table;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What the policy does by itself about a conflict that waits: counts votes, goes on to the next
 * step when nobody decided in time, takes a record back to an earlier moment. A view must not
 * depend on a clock, so each of these ends in a decision, an authored version like a person's. Used
 * by the sequencer's thread only.
 */
final class Proceedings {
  /** Who decides where the policy does. */
  static final String POLICY = "policy";

  /** Steps that one sweep takes, so that writers never wait long. */
  private static final int SWEEP_MAX = 200;

  /** After how long what others proceed with is looked at again, should it be this node's then. */
  private static final long LOOK_AGAIN_MILLIS = 2_000;

  private final Policies policies;
  private final ReviewBook reviews;
  private final Decider decider;
  private final Contentions contentions;
  private final History history;
  private final Freezes freezes;

  Proceedings(
      Policies policies,
      ReviewBook reviews,
      Decider decider,
      Contentions contentions,
      History history,
      Freezes freezes) {
    this.contentions = contentions;
    this.policies = policies;
    this.reviews = reviews;
    this.decider = decider;
    this.history = history;
    this.freezes = freezes;
  }

  /** What a conflict that begins to wait is waiting for. */
  static Progress begin(Resolution resolution, Policy policy, long nowMillis) {
    return resolution
        .asked()
        .map(spec -> begin(0, resolution, spec, policy, nowMillis))
        .orElse(Progress.NONE);
  }

  private static Progress begin(
      int step, Resolution resolution, StrategySpec spec, Policy policy, long nowMillis) {
    long next = spec.patience().map(p -> nowMillis + p.timeOut().toMillis()).orElse(0L);
    return switch (spec.settings()) {
      case Settings.Back _ -> new Progress(step, nowMillis, Optional.empty(), Optional.empty());
      case Settings.Voting(var electorate) -> {
        Question question = new Question(resolution.conflict().id(), policy.version(), 1);
        yield new Progress(
            step, next, Optional.of(Poll.open(question, electorate)), Optional.empty());
      }
      default -> new Progress(step, next, Optional.empty(), Optional.empty());
    };
  }

  /** The strategy that a review waits for, after the steps that did not decide. */
  static Optional<StrategySpec> asked(Policy policy, Resolution live, int step) {
    Optional<StrategySpec> asked = live.asked();
    for (int i = 0; i < step && asked.isPresent(); i++) {
      asked =
          asked
              .get()
              .otherwise()
              .flatMap(next -> Deriver.settle(policy, live.conflict(), next).asked());
    }
    return asked;
  }

  /** Counts a ballot. */
  Result vote(
      Transaction transaction,
      String tenant,
      String id,
      Decision choice,
      String voter,
      String signature) {
    return switch (decider.find(transaction, tenant, id)) {
      case Decider.Found.Gone(Result gone) -> gone;
      case Decider.Found.Contended _, Decider.Found.Violated _, Decider.Found.Asked _ ->
          new Result.Invalid("the policy calls no vote on this; decide it");
      case Decider.Found.Live(Review review, Snapshot now, Resolution live) ->
          vote(transaction, review, now, live, choice, voter, signature);
    };
  }

  private Result vote(
      Transaction transaction,
      Review review,
      Snapshot now,
      Resolution live,
      Decision choice,
      String voter,
      String signature) {
    Optional<Poll> poll = review.progress().poll();
    if (poll.isEmpty()) {
      return new Result.Invalid("the policy calls no vote on this; decide it");
    }
    Ballot ballot;
    try {
      ballot = new Ballot(voter, Decider.value(live.conflict(), review.key(), choice), signature);
    } catch (EditProblem e) {
      return new Result.Invalid(String.valueOf(e.getMessage()));
    }
    Optional<Result> refused = refused(transaction, review, now, live, ballot);
    if (refused.isPresent()) {
      return refused.get();
    }
    return switch (poll.get().cast(ballot)) {
      case Poll.Cast.Refused(String why) -> new Result.Invalid(why);
      case Poll.Cast.Equivocated(Poll counted, Poll.Equivocation evidence) -> {
        audit(transaction, review, voter, "equivocation", VoteJson.of(counted));
        transaction.afterwards(() -> reviews.tell(new NodeEvent.Equivocated(review.key(), voter)));
        yield counted(transaction, review, now, live, counted);
      }
      case Poll.Cast.Counted(Poll counted) -> {
        audit(transaction, review, voter, "vote", VoteJson.of(counted));
        yield counted(transaction, review, now, live, counted);
      }
    };
  }

  /**
   * A ballot for what could not be written is refused, not counted. Where this node may not author,
   * it counts ballots all the same, up to the one that decides.
   */
  private Optional<Result> refused(
      Transaction transaction, Review review, Snapshot now, Resolution live, Ballot ballot) {
    Written as = new Written(WriteOrigin.VOTE, ballot.voter(), "a vote");
    try {
      return decider
          .whyNot(transaction, review, now, live.conflict(), ballot.value(), as)
          .filter(why -> why.code() != Code.UNAVAILABLE)
          .map(why -> Decider.refused(transaction, review, why, ballot.value(), as));
    } catch (EditProblem e) {
      return Optional.of(new Result.Invalid(String.valueOf(e.getMessage())));
    }
  }

  private Result counted(
      Transaction transaction, Review review, Snapshot now, Resolution live, Poll poll) {
    Review voted = review.with(review.progress().with(poll));
    Optional<Certificate> certificate = poll.certificate();
    if (certificate.isPresent()) {
      Review certified = voted.with(voted.progress().certified(certificate.get()));
      String voters =
          String.join(", ", certificate.get().ballots().stream().map(Ballot::voter).toList());
      Json value = certificate.get().value();
      Written as = new Written(WriteOrigin.VOTE, POLICY, "voted by " + voters);
      Result result = decider.write(transaction, certified, now, live.conflict(), value, as);
      return switch (result) {
        case Result.Invalid(String why) -> next(transaction, voted, now, live, why);
        case Result.Refused(Rejected why) when !mayHoldLater(why) ->
            next(transaction, voted, now, live, why.message());
        default -> result;
      };
    }
    reviews.write(transaction, voted);
    return poll.isHung()
        ? next(transaction, voted, now, live, "no value can reach the quorum any more")
        : new Result.Voted(voted, now);
  }

  /**
   * Goes on with what is due; what is left is due still.
   *
   * @param ours the policies under which this node may author, as it is now
   */
  int sweep(Transaction transaction, long nowMillis, Predicate<Policy> ours) {
    List<byte[]> due = reviews.due(nowMillis, SWEEP_MAX);
    for (byte[] key : due) {
      transaction.delete(Table.DUE, key);
      String id = Keys.lastName(key);
      byte[] place = Arrays.copyOfRange(key, Long.BYTES, key.length - Keys.of(id).length);
      reviews
          .get(transaction, Keys.lastName(place), id)
          .filter(review -> review.status() == Review.Status.PENDING)
          .ifPresent(review -> goOn(transaction, review, nowMillis, ours));
    }
    return due.size();
  }

  private void goOn(Transaction transaction, Review due, long nowMillis, Predicate<Policy> ours) {
    Policy policy = policies.inForce(due.key().tenant(), due.key().type());
    Review review = reviews.escalate(transaction, due, policy.review(), nowMillis);
    long next = review.progress().nextAtMillis();
    if (next == 0 || next > nowMillis) {
      return;
    }
    // While something is frozen the policy's steps wait as everybody's writes do.
    if (ours.test(policy) && freezes.over(review.key()).isEmpty()) {
      proceed(transaction, review);
    } else {
      reviews.lookAgain(transaction, review, nowMillis + LOOK_AGAIN_MILLIS);
    }
  }

  private void proceed(Transaction transaction, Review review) {
    if (review.isContention()) {
      contentions.proceed(transaction, review);
    } else if (decider.find(transaction, review.key().tenant(), review.id())
        instanceof Decider.Found.Live(Review live, Snapshot now, Resolution resolution)) {
      Policy policy = policies.inForce(live.key().tenant(), live.key().type());
      Optional<StrategySpec> asked = asked(policy, resolution, live.progress().step());
      if (asked.isPresent() && asked.get().settings() instanceof Settings.Back(Moment to)) {
        goBack(transaction, live, now, resolution, to);
      } else {
        next(
            transaction,
            live,
            now,
            resolution,
            "nobody decided within "
                + asked
                    .flatMap(StrategySpec::patience)
                    .map(p -> p.timeOut().toString().substring(2).toLowerCase(Locale.ROOT))
                    .orElse("the time given"));
      }
    }
  }

  /** Whether what is refused now may be done later, with nothing else changed. */
  private static boolean mayHoldLater(Rejected why) {
    return why.code() == Code.FROZEN || why.code() == Code.UNAVAILABLE;
  }

  private void goBack(
      Transaction transaction, Review review, Snapshot now, Resolution live, Moment to) {
    long began = Long.MAX_VALUE;
    for (var competing : live.conflict().competing()) {
      began = Math.min(began, competing.acceptedAt().millis());
    }
    long moment = to.beforeMillis(began);
    Policy policy = policies.inForce(review.key().tenant(), review.key().type());
    RecordState then =
        history
            .past(review.key(), history.last(now, transaction), transaction)
            .replay(version -> version.acceptedAt().millis() <= moment);
    Json document = Deriver.derive(review.key(), then, policy).data();
    Result result =
        decider.write(
            transaction,
            review,
            now,
            live.conflict(),
            valueOf(live.conflict(), policy, document),
            new Written(
                WriteOrigin.POLICY_STEP,
                POLICY,
                "back to what it was at " + Instant.ofEpochMilli(moment)));
    if (result instanceof Result.Invalid(String why)) {
      next(transaction, review, now, live, why);
    } else if (result instanceof Result.Refused(Rejected why)) {
      next(transaction, review, now, live, why.message());
    }
  }

  private static Json valueOf(Conflict conflict, Policy policy, Json document) {
    if (conflict.recordLevel() || document.isAbsent()) {
      return document;
    }
    if (!conflict.unit().isGroup()) {
      return conflict.unit().path().in(document);
    }
    Group group = policy.group(conflict.unit().path().last());
    JsonObject tuple = JsonObject.EMPTY;
    if (group != null) {
      for (String field : group.fields()) {
        tuple =
            tuple.with(field, document instanceof JsonObject o ? o.get(field) : JsonAbsent.ABSENT);
      }
    }
    return tuple;
  }

  /** Another round where the policy grants one, else the next step. */
  private Result next(
      Transaction transaction, Review review, Snapshot now, Resolution live, String because) {
    Policy policy = policies.inForce(review.key().tenant(), review.key().type());
    long nowMillis = transaction.clock().next().millis();
    Progress progress = review.progress();
    Optional<StrategySpec> asked = asked(policy, live, progress.step());
    Optional<Patience> patience = asked.flatMap(StrategySpec::patience);
    if (progress.poll().isPresent()
        && patience.isPresent()
        && progress.poll().get().question().round() <= patience.get().retries()) {
      Review again =
          review.with(
              new Progress(
                  progress.step(),
                  nowMillis + patience.get().timeOut().toMillis(),
                  Optional.of(progress.poll().get().nextRound()),
                  Optional.empty()));
      reviews.write(transaction, again);
      audit(transaction, again, POLICY, "vote", Json.of(Map.of("nextRound", because)));
      return new Result.Voted(again, now);
    }
    Optional<StrategySpec> otherwise = asked.flatMap(StrategySpec::otherwise);
    Optional<Resolution> settled =
        otherwise.map(step -> Deriver.settle(policy, live.conflict(), step));
    if (settled.isPresent()
        && settled.get().status() == Status.RESOLVED
        && decider.write(
                transaction,
                review,
                now,
                live.conflict(),
                settled.get().value(),
                new Written(
                    WriteOrigin.POLICY_STEP,
                    POLICY,
                    because + "; " + settled.get().strategy() + ": " + settled.get().explanation()))
            instanceof Result.Decided decided) {
      return decided;
    }
    Review later =
        review.with(
            settled
                .flatMap(Resolution::asked)
                .map(spec -> begin(progress.step() + 1, settled.get(), spec, policy, nowMillis))
                .orElse(new Progress(progress.step() + 1, 0, Optional.empty(), Optional.empty())));
    reviews.write(transaction, later);
    audit(transaction, later, POLICY, "review", Json.of(Map.of("nextStep", because)));
    return new Result.Voted(later, now);
  }

  private static void audit(
      Transaction transaction, Review review, String actor, String action, Json what) {
    HybridTime time = transaction.clock().next();
    Map<String, Json> detail = new TreeMap<>();
    detail.put("review", Json.of(review.id()));
    detail.put("unit", Json.of(review.unit()));
    detail.put("what", what);
    transaction.audit(
        time, review.key().tenant(), actor, action, review.key().toString(), JsonObject.of(detail));
  }
}
