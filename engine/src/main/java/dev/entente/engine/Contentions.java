// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.Limit;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Contention;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.Review.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Ends contentions: whoever has to give way is written what the policy says, as an ordinary version
 * with the reason, and the review is closed. Used by the sequencer's thread only.
 */
final class Contentions {
  private final Claims claims;
  private final ReviewBook reviews;
  private final Acceptor acceptor;

  Contentions(Claims claims, ReviewBook reviews, Acceptor acceptor) {
    this.claims = claims;
    this.reviews = reviews;
    this.acceptor = acceptor;
  }

  /** Does what the policy says by itself. */
  void proceed(Transaction transaction, Review review) {
    claims
        .contention(transaction, review)
        .filter(found -> !found.resolution().isPending())
        .ifPresent(found ->
            end(
                transaction,
                review,
                found.losers(),
                Proceedings.POLICY,
                found.resolution().explanation()));
  }

  /** Whether records still exceed the limit that a review is about. */
  boolean isContended(Transaction transaction, Review review) {
    return claims.contention(transaction, review).isPresent();
  }

  /**
   * Does what a person decided: for a unique claim they choose who keeps it, for another limit who
   * gives way.
   */
  Result decide(
      Transaction transaction, Review review, Decision decision, String actor, String reason) {
    Snapshot now = transaction.snapshot(review.key());
    Optional<Contention> found = claims.contention(transaction, review);
    Optional<Limit> limit = claims.limit(review);
    if (found.isEmpty() || limit.isEmpty()) {
      return new Result.Moved("the records have changed; nothing is contended in this way", now);
    }
    if (decision instanceof Decision.Ignore) {
      HybridTime time = transaction.clock().next();
      Json ignored = JsonObject.of("ignore", Json.of(true));
      Review closed =
          reviews.close(transaction, review, Status.IGNORED, actor, time.millis(), reason, ignored);
      audit(transaction, time, closed, List.of());
      return new Result.Decided(closed, now);
    }
    List<RecordKey> parties = parties(found.get());
    Optional<RecordKey> chosen =
        switch (decision) {
          case Decision.Choose(int index) when index >= 0 && index < parties.size() ->
              Optional.of(parties.get(index));
          case Decision.Value(JsonString(String id)) ->
              parties.stream().filter(key -> key.id().equals(id)).findFirst();
          default -> Optional.empty();
        };
    if (chosen.isEmpty()) {
      return new Result.Invalid(
          "choose one of the records by its index, from 0, or by its id as the value");
    }
    List<RecordKey> losers = new ArrayList<>(parties);
    if (limit.get().isUnique()) {
      losers.remove(chosen.get());
    } else {
      losers.removeIf(key -> !key.equals(chosen.get()));
    }
    for (RecordKey loser : losers) {
      Json payload = JsonObject.of("givesWay", Json.of(loser.id()));
      Optional<Rejected> refused =
          acceptor.closed(transaction, WriteOrigin.CONTENTION, loser, actor, payload);
      if (refused.isPresent()) {
        return new Result.Refused(refused.get());
      }
    }
    // Whoever has to give way does so all together, or the decision does not hold.
    transaction.beginUnit();
    Ended ended = end(transaction, review, losers, actor, reason);
    if (!ended.refused().isEmpty()) {
      transaction.takeBackUnit();
      return new Result.Refused(ended.refused().getFirst());
    }
    transaction.endUnit();
    return new Result.Decided(ended.closed(), transaction.snapshot(review.key()));
  }

  /** A contention that was ended, and what could not be written for that. */
  private record Ended(Review closed, List<Rejected> refused) {}

  private static List<RecordKey> parties(Contention contention) {
    RecordKey any = contention.resolution().conflict().key();
    return contention.resolution().conflict().competing().stream()
        .map(claim -> ((JsonString) claim.value()).value())
        .map(id -> new RecordKey(any.tenant(), any.type(), id))
        .toList();
  }

  private Ended end(
      Transaction transaction, Review review, List<RecordKey> losers, String actor, String reason) {
    Limit limit = claims.limit(review).orElseThrow();
    HybridTime time = transaction.clock().next();
    Json decided =
        JsonObject.of("givesWay", Json.of(losers.stream().map(key -> Json.of(key.id())).toList()));
    Review closed =
        reviews.close(transaction, review, Status.RESOLVED, actor, time.millis(), reason, decided);
    claims.forget(transaction, closed);
    List<Json> refused = new ArrayList<>();
    List<Rejected> rejected = new ArrayList<>();
    for (RecordKey loser : losers) {
      Outcome outcome =
          acceptor.accept(
              transaction,
              new WriteRequest(
                  loser,
                  new Edit.MergePatch(limit.patch()),
                  new WriteRequest.Seen.Rollback(),
                  actor,
                  Optional.empty(),
                  Optional.empty(),
                  WriteRequest.Sender.NONE,
                  Optional.empty(),
                  Optional.empty(),
                  "gave way: " + reason),
              WriteOrigin.CONTENTION);
      if (outcome instanceof Rejected why) {
        refused.add(Json.of(loser.id() + ": " + why.message()));
        rejected.add(why);
      }
    }
    audit(transaction, time, closed, refused);
    claims.judge(transaction, closed, time.millis());
    reviews
        .get(transaction, review.key().tenant(), review.id())
        .filter(again -> again.status() == Status.PENDING)
        .ifPresent(again -> leaveToAPerson(transaction, again, refused));
    return new Ended(closed, rejected);
  }

  /** What the policy could not do by itself is not tried again and again. */
  private void leaveToAPerson(Transaction transaction, Review again, List<Json> refused) {
    Json why = Json.of("could not be carried out: " + refused);
    reviews.write(
        transaction,
        again
            .with(Progress.NONE)
            .describing(((JsonObject) again.conflict()).with("explanation", why)));
  }

  private static void audit(
      Transaction transaction, HybridTime time, Review review, List<Json> refused) {
    Map<String, Json> detail = new TreeMap<>(Decider.detail(review));
    if (!refused.isEmpty()) {
      detail.put("refused", Json.of(refused));
    }
    transaction.audit(
        time,
        review.key().tenant(),
        review.closing().by().orElse(""),
        "decision",
        review.key().toString(),
        JsonObject.of(detail));
  }
}
