// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Review.Status;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Whoever wrote something that is not there any more asks for it back: one review for each part,
 * with what is there now and what they wrote, and one choice for the reviewer. Used by the
 * sequencer's thread only.
 */
final class Appeals {
  private final Policies policies;
  private final ReviewBook reviews;
  private final Acceptor acceptor;

  Appeals(Policies policies, ReviewBook reviews, Acceptor acceptor) {
    this.policies = policies;
    this.reviews = reviews;
    this.acceptor = acceptor;
  }

  /** Opens the reviews of what a version gave and is gone; those that are open already stay. */
  List<Review> open(
      Transaction transaction, Version version, List<Fate> fates, String actor, String reason) {
    RecordKey key = version.key();
    Policy policy = policies.inForce(key.tenant(), key.type());
    HybridTime time = transaction.clock().next();
    List<Review> opened = new ArrayList<>();
    for (Fate fate : fates) {
      if (fate.kind() != Fate.Kind.LOST && fate.kind() != Fate.Kind.REPLACED) {
        continue;
      }
      String id = id(key, version.dot(), fate.unit().toString());
      Json now = fate.unit().path().in(transaction.snapshot(key).view().data());
      Json described = describe(id, version, fate, now, actor, reason);
      if (reviews.get(transaction, key.tenant(), id).filter(Appeals::isPending).isEmpty()) {
        reviews.open(
            transaction,
            id,
            key,
            fate.unit().label(),
            policy,
            described,
            Progress.NONE,
            time.millis());
        transaction.audit(
            time,
            key.tenant(),
            actor,
            "appeal",
            key.toString(),
            JsonObject.of("appeal", described));
      }
      reviews.get(transaction, key.tenant(), id).ifPresent(opened::add);
    }
    return opened;
  }

  private static boolean isPending(Review review) {
    return review.status() == Status.PENDING;
  }

  private static String id(RecordKey key, Dot dot, String unit) {
    byte[] text = ("appeal|" + key + "|" + dot + "|" + unit).getBytes(StandardCharsets.UTF_8);
    return Hashes.hex(text).substring(0, 32);
  }

  private static Json describe(
      String id, Version version, Fate fate, Json now, String actor, String reason) {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("appeal", Json.of(true));
    members.put("unit", Json.of(fate.unit().label()));
    members.put("group", Json.of(fate.unit().isGroup()));
    members.put("status", Json.of("pending"));
    members.put("type", Json.of("concurrent-update"));
    members.put("severity", Json.of("medium"));
    members.put("complexity", Json.of(0));
    members.put("strategy", Json.of("manual-review"));
    members.put(
        "explanation",
        Json.of(
            actor
                + " asks for what "
                + version.author()
                + " wrote at "
                + version.acceptedAt().instant()
                + (reason.isEmpty() ? "" : ": " + reason)
                + ". What became of it: "
                + fate.why()));
    members.put(
        "competing",
        Json.of(
            List.of(
                competitor(now, fate.by().orElse("")),
                competitor(fate.value(), version.author()))));
    return JsonObject.of(members);
  }

  private static Json competitor(Json value, String author) {
    return Json.of(
        Map.of(
            "value",
            Describe.orNull(value),
            "removed",
            Json.of(value.isAbsent()),
            "author",
            Json.of(author)));
  }

  /** Leaves what is there (choose 0), or gives back what was asked for (choose 1). */
  Result decide(
      Transaction transaction, Review review, Decision decision, String actor, String reason) {
    return switch (decision) {
      case Decision.Choose(int index) when index == 0 ->
          end(transaction, review, Status.RESOLVED, actor, reason, "kept");
      case Decision.Ignore() -> end(transaction, review, Status.IGNORED, actor, reason, "ignored");
      case Decision.Choose(int index) when index == 1 -> give(transaction, review, actor, reason);
      default -> new Result.Invalid("choose 0 to leave what is there, or 1 to give back");
    };
  }

  private Result give(Transaction transaction, Review review, String actor, String reason) {
    JsonObject asked = (JsonObject) review.conflict();
    JsonObject theirs = (JsonObject) ((JsonArray) asked.get("competing")).items().get(1);
    boolean removed = theirs.get("removed").equals(JsonBool.TRUE);
    Json value = removed ? JsonAbsent.ABSENT : theirs.get("value");
    Outcome outcome =
        acceptor.accept(
            transaction,
            new WriteRequest(
                review.key(),
                edit(asked, value),
                new WriteRequest.Seen.Rollback(),
                actor,
                Optional.empty(),
                Optional.empty(),
                WriteRequest.Sender.NONE,
                Optional.empty(),
                Optional.empty(),
                "given back: " + reason),
            WriteOrigin.APPEAL);
    return outcome instanceof Outcome.Rejected rejected
        ? new Result.Refused(rejected)
        : end(transaction, review, Status.RESOLVED, actor, reason, "given back");
  }

  private static Edit edit(JsonObject asked, Json value) {
    String label = asked.get("unit") instanceof JsonString(String text) ? text : "";
    if (asked.get("group").equals(JsonBool.TRUE)) {
      List<Edit.Operation> fields = new ArrayList<>();
      if (value instanceof JsonObject group) {
        group
            .members()
            .forEach((name, field) -> fields.add(new Edit.Operation.Set(Path.of(name), field)));
      }
      return new Edit.Operations(fields);
    }
    Path path = Path.parse(label);
    return value.isAbsent()
        ? new Edit.JsonPatch(List.of(Json.of(Map.of("op", "remove", "path", "/" + path))))
        : new Edit.Operations(List.of(new Edit.Operation.Set(path, value)));
  }

  private Result end(
      Transaction transaction, Review review, Status as, String actor, String reason, String what) {
    HybridTime time = transaction.clock().next();
    Json decision = JsonObject.of("appeal", Json.of(what));
    Review closed = reviews.close(transaction, review, as, actor, time.millis(), reason, decision);
    transaction.audit(
        time,
        review.key().tenant(),
        actor,
        "decision",
        review.key().toString(),
        JsonObject.of(Decider.detail(closed)));
    return new Result.Decided(closed, transaction.snapshot(review.key()));
  }
}
