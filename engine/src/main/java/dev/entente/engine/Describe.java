// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.vote.Poll;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Snapshots, conflicts and resolutions as the JSON of the API. */
public final class Describe {
  /** Competing values that are listed; all are counted. */
  private static final int COMPETING_SHOWN = 100;

  private Describe() {}

  /** A whole read. */
  public static JsonObject read(Snapshot snapshot) {
    Map<String, Json> members = new TreeMap<>();
    members.put("tenant", Json.of(snapshot.key().tenant()));
    members.put("type", Json.of(snapshot.key().type()));
    members.put("id", Json.of(snapshot.key().id()));
    members.put("data", snapshot.view().exists() ? snapshot.view().data() : JsonNull.NULL);
    members.put("context", Json.of(snapshot.token()));
    members.put("updatedAt", time(snapshot.view().updatedAt()));
    members.put("conflicts", conflicts(snapshot.key(), snapshot.view().resolutions()));
    return JsonObject.of(members);
  }

  /** A whole read, with the conflicts that the record has with others. */
  public static JsonObject read(Snapshot snapshot, List<Json> contentions) {
    JsonObject read = read(snapshot);
    if (contentions.isEmpty()) {
      return read;
    }
    List<Json> all = new ArrayList<>(((JsonArray) read.get("conflicts")).items());
    all.addAll(contentions);
    return read.with("conflicts", new JsonArray(all));
  }

  public static Json conflicts(RecordKey key, List<Resolution> resolutions) {
    return Json.of(resolutions.stream().map(resolution -> conflict(key, resolution)).toList());
  }

  /** A conflict, what became of it, and what competes. */
  public static JsonObject conflict(RecordKey key, Resolution resolution) {
    Conflict conflict = resolution.conflict();
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(conflict.id()));
    members.put("unit", Json.of(conflict.label()));
    members.put("status", Json.of(resolution.status().label()));
    members.put("type", Json.of(conflict.type().label()));
    members.put("row", Json.of(conflict.row().label()));
    members.put("severity", Json.of(conflict.severity().label()));
    members.put(
        "complexity", Json.of((Object) (Math.round(conflict.complexity() * 1000) / 1000.0)));
    members.put("strategy", Json.of(resolution.strategy()));
    members.put("explanation", Json.of(resolution.explanation()));
    members.put("uncertain", Json.of(resolution.uncertain()));
    members.put("value", orNull(resolution.value()));
    conflict.lastAgreed().ifPresent(value -> members.put("lastAgreed", orNull(value)));
    members.put(
        "competing",
        Json.of(
            conflict.competing().stream()
                .limit(COMPETING_SHOWN)
                .map(assignment -> competitor(key, assignment))
                .toList()));
    if (conflict.competing().size() > COMPETING_SHOWN) {
      members.put("competingInAll", Json.of(conflict.competing().size()));
    }
    return JsonObject.of(members);
  }

  private static Json competitor(RecordKey key, Assignment assignment) {
    Map<String, Json> members = new TreeMap<>();
    members.put("value", orNull(assignment.value()));
    members.put("removed", Json.of(assignment.value().isAbsent()));
    members.put("author", Json.of(assignment.author()));
    if (Alphabets.mixedIn(assignment.author())) {
      members.put("authorMixesAlphabets", Json.of(true));
    }
    members.put("node", Json.of(assignment.dot().node().value()));
    members.put("time", time(assignment.time()));
    members.put(
        "context",
        Json.of(ContextToken.of(key, assignment.context().vector().with(assignment.dot()))));
    return JsonObject.of(members);
  }

  /** A resolution as a write's answer names it. */
  public static Json resolution(Resolution resolution) {
    Map<String, Json> members = new TreeMap<>();
    members.put("unit", Json.of(resolution.conflict().label()));
    members.put("status", Json.of(resolution.status().label()));
    members.put("strategy", Json.of(resolution.strategy()));
    members.put("value", orNull(resolution.value()));
    members.put("explanation", Json.of(resolution.explanation()));
    members.put("uncertain", Json.of(resolution.uncertain()));
    return JsonObject.of(members);
  }

  /** What the policy's own steps have come to: a vote as it stands, a certificate, what is next. */
  public static Map<String, Json> progress(Review review) {
    Map<String, Json> members = new TreeMap<>();
    Progress progress = review.progress();
    progress.poll().ifPresent(poll -> members.put("vote", vote(poll)));
    progress.certificate().ifPresent(proof -> members.put("certificate", VoteJson.of(proof)));
    if (review.status() == Review.Status.PENDING) {
      if (progress.nextAtMillis() > 0) {
        Instant next = Instant.ofEpochMilli(progress.nextAtMillis());
        members.put("policyGoesOnAt", Json.of(next.toString()));
      }
      if (progress.step() > 0) {
        members.put("stepsWithoutDecision", Json.of(progress.step()));
      }
    }
    return members;
  }

  private static Json vote(Poll poll) {
    Map<String, Json> members = new TreeMap<>();
    members.put("conflict", Json.of(poll.question().conflict()));
    members.put("policy", Json.of(poll.question().policy()));
    members.put("round", Json.of(poll.question().round()));
    members.put("quorum", Json.of(poll.electorate().quorum()));
    members.put("of", Json.of(poll.electorate().weight()));
    members.put("voted", Json.of(poll.ballots().keys().stream().map(Json::of).toList()));
    members.put(
        "outstanding",
        Json.of(
            poll.electorate().voters().keys().stream()
                .filter(name -> !poll.ballots().containsKey(name))
                .map(Json::of)
                .toList()));
    members.put(
        "tally",
        Json.of(
            poll.tally().entrySet().stream()
                .map(e -> Json.of(Map.of("value", orNull(e.getKey()), "weight", e.getValue())))
                .toList()));
    members.put(
        "equivocated",
        Json.of(
            poll.equivocations().stream()
                .map(Poll.Equivocation::voter)
                .distinct()
                .map(Json::of)
                .toList()));
    return JsonObject.of(members);
  }

  public static Json time(HybridTime time) {
    return Json.of(time.instant().toString());
  }

  public static Json orNull(Json value) {
    return value.isAbsent() ? JsonNull.NULL : value;
  }
}
