// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.PercentText;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.ScopedCheckpoints;
import dev.entente.engine.ScopedCheckpoints.Checkpoint;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.recovery.Job;
import dev.entente.server.recovery.Jobs;
import dev.entente.server.recovery.Restorer;
import dev.entente.server.recovery.Scrubber;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;

/** Safety nets: backups, bringing back what was; and the long work of a node. */
final class RecoveryRoutes {
  private static final String JOB = "/v1/{tenant}/jobs/{job}";
  private static final int BACKUPS_MAX = 2;

  private final Node node;
  private final Jobs jobs;
  private final Restorer restorer;
  private final ScopedCheckpoints checkpoints;
  private final Scrubber scrubber;
  private final Semaphore backups = new Semaphore(BACKUPS_MAX);

  RecoveryRoutes(
      Node node, Authority authority, Jobs jobs, ScopedCheckpoints checkpoints, Scrubber scrubber) {
    this.scrubber = scrubber;
    this.node = node;
    this.jobs = jobs;
    this.restorer = new Restorer(node, authority);
    this.checkpoints = checkpoints;
  }

  void addTo(Route.Table routes) {
    routes
        .get(Permission.OPERATE, "/v1/cluster/scrub", _ -> Reply.json(200, scrubber.toJson()))
        .post(Permission.OPERATE, "/v1/cluster/scrub", this::scrub)
        .get(Permission.ADMINISTER, "/v1/cluster/backup", this::backup)
        .post(Permission.OPERATE, RecordRoutes.RECORD + "/rebuild", this::rebuild)
        .some(Permission.OPERATE, "POST", "/v1/{tenant}/restores", this::restore)
        .some(Permission.READ, "GET", "/v1/{tenant}/jobs", this::jobs)
        .some(Permission.READ, "GET", JOB, this::job)
        .some(Permission.READ, "DELETE", JOB, this::stop);
  }

  private Reply scrub(Call call) {
    scrubber.ask();
    return Reply.json(202, scrubber.toJson());
  }

  /** Works a record out again from the log of this node; writes wait meanwhile. */
  private Reply rebuild(Call call) {
    RecordKey key = call.key();
    var _ = call.acting(Permission.OPERATE);
    boolean rebuilt = Writes.await(() -> node.rebuild(key));
    if (!rebuilt && node.read(key).state().isEmpty()) {
      throw new Problem(Code.NOT_FOUND, "there is no record " + key.type() + "/" + key.id());
    }
    return Reply.json(200, JsonObject.of("rebuilt", Json.of(rebuilt)));
  }

  /** All that the node has at this moment, as docs/formats says. */
  private Reply backup(Call call) {
    if (!backups.tryAcquire()) {
      throw new Problem(Code.TOO_FAST, BACKUPS_MAX + " backups are being made already");
    }
    JsonObject by = JsonObject.of("by", Json.of(call.caller().name()));
    try {
      Writes.await(() -> node.account("backup", node.id().value(), by));
    } catch (RuntimeException e) {
      backups.release();
      throw e;
    }
    return Reply.stream(
        "application/vnd.entente.copy",
        out -> {
          try {
            node.copyTo(out);
          } finally {
            backups.release();
          }
        });
  }

  private Reply restore(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a restore", Set.of("type", "to", "checkpoint", "reason", "dryRun"));
    Optional<String> checkpoint = Call.text(body, "checkpoint");
    if (checkpoint.isPresent()) {
      if (!body.get("to").isAbsent() || !body.get("type").isAbsent()) {
        throw new Problem(
            Code.INVALID, "a checkpoint says what goes back and to when; leave out the others");
      }
      return restore(call, body, CheckpointRoutes.find(call, checkpoints, checkpoint.get()));
    }
    Optional<String> type = Call.text(body, "type").map(name -> Call.checkedName("type", name));
    String by = call.acting(Permission.OPERATE, type.orElse(Grant.ALL));
    Instant moment =
        RecordRoutes.instant(
            Call.text(body, "to")
                .orElseThrow(() ->
                    new Problem(
                        Code.INVALID,
                        "\"to\" is the moment to go to, or \"checkpoint\" the name of one")));
    if (moment.toEpochMilli() > node.nowMillis()) {
      throw new Problem(Code.INVALID, "that moment has not come yet");
    }
    List<String> types = type.map(List::of).orElseGet(() -> node.types(call.tenant()));
    boolean dryRun = Call.flag(body, "dryRun");
    return begun(
        jobs,
        new Job.Order("restore", call.tenant(), type.orElse(Grant.ALL), by, dryRun),
        call,
        restorer.to(moment, types, Call.text(body, "reason").orElse("restored to " + moment)));
  }

  private Reply restore(Call call, JsonObject body, Checkpoint checkpoint) {
    String by = call.acting(Permission.OPERATE, CheckpointRoutes.scope(checkpoint));
    if (!checkpoints.isComplete(checkpoint)) {
      throw new Problem(
          Code.CONFLICT,
          "this node does not have all that the checkpoint holds yet; wait, or ask another node");
    }
    String subject = checkpoint.type().orElse(Grant.ALL);
    String reason = Call.text(body, "reason").orElse("restored to checkpoint " + checkpoint.name());
    return begun(
        jobs,
        new Job.Order("restore", call.tenant(), subject, by, Call.flag(body, "dryRun")),
        call,
        restorer.to(checkpoint, checkpoints, reason));
  }

  /** Begins long work, and says where to look at it. */
  static Reply begun(Jobs jobs, Job.Order order, Call call, Jobs.Work work) {
    try {
      Job job = jobs.begin(order, call::holds, work);
      return Reply.json(202, job.toJson())
          .with("Location", "/v1/" + PercentText.encode(call.tenant()) + "/jobs/" + job.id());
    } catch (IllegalStateException e) {
      throw new Problem(Code.TOO_FAST, String.valueOf(e.getMessage()));
    }
  }

  private Reply jobs(Call call) {
    return Reply.json(
        200,
        JsonObject.of(
            "jobs",
            Json.of(
                jobs.list(call.tenant()).stream()
                    .filter(job -> call.may(Permission.READ, job.subject()))
                    .limit(call.limit())
                    .map(Job::toJson)
                    .toList())));
  }

  private Job find(Call call) {
    return jobs.get(call.tenant(), call.name("job"))
        .filter(job -> call.may(Permission.READ, job.subject()))
        .orElseThrow(() -> new Problem(Code.NOT_FOUND, "there is no such job"));
  }

  private Reply job(Call call) {
    return Reply.json(200, find(call).toJson());
  }

  private Reply stop(Call call) {
    Job job = find(call);
    boolean own = job.by().equals(call.caller().name());
    var _ = call.acting(own ? Permission.READ : Permission.OPERATE, job.subject());
    job.stop();
    return Reply.json(202, job.toJson());
  }
}
