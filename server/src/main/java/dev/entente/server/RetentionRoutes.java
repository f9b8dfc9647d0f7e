// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Retention;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.recovery.Job;
import dev.entente.server.recovery.Jobs;
import dev.entente.server.recovery.Pruner;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** For how long the versions of a tenant are kept, and letting go of those that are older. */
final class RetentionRoutes {
  private static final String PATH = "/v1/{tenant}/retention";

  private final Retention retention;
  private final Pruner pruner;
  private final Jobs jobs;

  RetentionRoutes(Retention retention, Pruner pruner, Jobs jobs) {
    this.retention = retention;
    this.pruner = pruner;
    this.jobs = jobs;
  }

  void addTo(Route.Table routes) {
    routes
        .get(Permission.READ, PATH, this::show)
        .put(Permission.ADMINISTER, PATH, this::set)
        .delete(Permission.ADMINISTER, PATH, this::reset)
        .post(Permission.ADMINISTER, PATH + "/runs", this::run);
  }

  private Reply show(Call call) {
    String tenant = call.tenant();
    Map<String, Json> said = new TreeMap<>();
    said.put("days", Json.of(retention.days(tenant)));
    said.put("versions", Json.of(retention.versions(tenant)));
    said.put("own", Json.of(retention.isOwn(tenant)));
    said.put(
        "waitingFor",
        Json.of(pruner.waitsFor().stream().map(one -> Json.of(one.value())).toList()));
    return Reply.json(200, JsonObject.of(said));
  }

  private Reply set(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a retention", Set.of("days", "versions"));
    if (body.members().isEmpty()) {
      throw new Problem(Code.INVALID, "a retention says \"days\", \"versions\" or both");
    }
    String tenant = call.tenant();
    int days = number(body, "days", Retention.DAYS_MAX).orElseGet(() -> retention.days(tenant));
    int versions =
        number(body, "versions", Retention.VERSIONS_MAX)
            .orElseGet(() -> retention.versions(tenant));
    String by = call.acting(Permission.ADMINISTER);
    Writes.await(() -> retention.set(tenant, days, versions, by));
    return show(call);
  }

  private static Optional<Integer> number(JsonObject body, String name, int max) {
    if (body.get(name).isAbsent()) {
      return Optional.empty();
    }
    if (!(body.get(name) instanceof JsonNumber(BigDecimal number))
        || number.stripTrailingZeros().scale() > 0
        || number.signum() < 0
        || number.compareTo(BigDecimal.valueOf(max)) > 0) {
      throw new Problem(
          Code.INVALID, "\"" + name + "\" is a whole number from 0, for all, to " + max);
    }
    return Optional.of(number.intValue());
  }

  private Reply reset(Call call) {
    if (retention.isOwn(call.tenant())) {
      Writes.await(() -> retention.reset(call.tenant(), call.acting(Permission.ADMINISTER)));
    }
    return show(call);
  }

  private Reply run(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a run", Set.of("dryRun", "before"));
    boolean dryRun = Call.flag(body, "dryRun");
    Optional<Instant> said = Call.text(body, "before").map(RecordRoutes::instant);
    Retention.Limits limits =
        said.map(Retention.Limits::before)
            .or(() -> retention.limits(call.tenant()))
            .orElseThrow(() ->
                new Problem(
                    Code.CONFLICT,
                    "all versions of this tenant are kept; set days or versions, or say \"before\""
                        + " when"));
    return RecoveryRoutes.begun(
        jobs,
        new Job.Order(
            "retention", call.tenant(), Grant.ALL, call.acting(Permission.ADMINISTER), dryRun),
        call,
        job -> pruner.run(job, limits));
  }
}
