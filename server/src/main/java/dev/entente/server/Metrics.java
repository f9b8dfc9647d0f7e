// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Cluster;
import dev.entente.cluster.LinkStatus;
import dev.entente.cluster.VersionPatrol;
import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.CausalViolation;
import dev.entente.engine.Node;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.OpenReviews;
import dev.entente.engine.Outcome;
import dev.entente.server.recovery.Scrubber;
import dev.entente.server.watch.Alerts;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Counts what was accepted, merged, pending and rejected, per tenant, type, unit and strategy.
 * Names that users choose freely are bounded: a unit that no policy declares counts as {@code
 * (undeclared)}, and beyond the bound on series everything counts as {@code (other)}. Thread-safe.
 */
final class Metrics {
  /** How often records that have cooled down are looked for while too many are counted. */
  private static final long SWEEP_MILLIS = 1_000;

  private static final int SERIES_MAX = 5_000;
  private static final int OPEN_MAX = 1_000;
  private static final int HOT_RECORDS_MAX = 10_000;
  private static final long HOT_WINDOW_MILLIS = 5 * 60_000;

  private record Series(String name, List<String> tags) {}

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Map<Series, Counter> counters = new ConcurrentHashMap<>();
  private final Map<RecordKey, long[]> hot = new ConcurrentHashMap<>();
  private final Timer writes;
  private final Timer commits;
  private final Timer reviews;
  private final DistributionSummary complexity;
  private final Node node;
  private volatile Runnable beforeScrape = () -> {};

  private volatile long sweptMillis;

  Metrics(Node node) {
    this.node = node;
    this.writes =
        Timer.builder("entente.write")
            .description("From being queued to being durable")
            .publishPercentileHistogram()
            .register(registry);
    this.commits =
        Timer.builder("entente.commit")
            .description("Writing and syncing one batch")
            .publishPercentileHistogram()
            .register(registry);
    this.reviews =
        Timer.builder("entente.review")
            .description("From being left for a person to being closed")
            .publishPercentileHistogram()
            .minimumExpectedValue(Duration.ofSeconds(1))
            .maximumExpectedValue(Duration.ofDays(7))
            .register(registry);
    this.complexity =
        DistributionSummary.builder("entente.conflict.complexity")
            .description("How hard conflicts were to see through, 0 to 1")
            .serviceLevelObjectives(0.1, 0.25, 0.5, 0.75, 1)
            .register(registry);
    Gauge.builder("entente.queue.waiting", node, Node::waiting)
        .description("Writes that wait to be decided")
        .register(registry);
    Gauge.builder("entente.log.position", node, Node::position)
        .description("Where this node's log ends")
        .register(registry);
    Gauge.builder("entente.versions.held", node, Node::held)
        .description("Versions that came and wait for what they build on, or for the clock")
        .register(registry);
  }

  /** Shows how many spans were told to a collector, and how many it has not taken. */
  void count(Spans spans) {
    FunctionCounter.builder("entente.spans", spans, Spans::sent)
        .description("Spans of requests, told to a collector or lost")
        .tag("state", "sent")
        .register(registry);
    FunctionCounter.builder("entente.spans", spans, Spans::lost)
        .description("Spans of requests, told to a collector or lost")
        .tag("state", "lost")
        .register(registry);
  }

  void accept(NodeEvent event) {
    switch (event) {
      case NodeEvent.Answered(RecordKey key, Outcome outcome, long nanos) ->
          answered(key, outcome, nanos);
      case NodeEvent.ReviewClosed(var review) -> {
        reviews.record(
            Math.max(0, review.closing().atMillis() - review.createdAtMillis()),
            TimeUnit.MILLISECONDS);
        count(
            "entente.reviews.closed",
            "tenant",
            review.key().tenant(),
            "type",
            review.key().type(),
            "status",
            review.status().label());
      }
      case NodeEvent.Violated(RecordKey key, CausalViolation how) ->
          count(
              "entente.causal.violations",
              "tenant",
              key.tenant(),
              "type",
              key.type(),
              "violation",
              how.label(),
              "severity",
              how.severity().label());
      case NodeEvent.Met(RecordKey key, List<Resolution> resolutions) -> {
        warm(key);
        resolutions.forEach(resolution -> settled(key, resolution));
      }
      case NodeEvent.ReviewOpened(var review) ->
          count(
              "entente.reviews.opened",
              "tenant",
              review.key().tenant(),
              "type",
              review.key().type());
      case NodeEvent.ReviewEscalated(var review) ->
          count(
              "entente.reviews.escalated",
              "tenant",
              review.key().tenant(),
              "type",
              review.key().type());
      case NodeEvent.ReviewAssigned _, NodeEvent.ReviewApproved _ -> {}
      case NodeEvent.Contended(RecordKey key, Resolution resolution) -> {
        warm(key);
        settled(key, resolution);
      }
      case NodeEvent.Equivocated(RecordKey key, _) ->
          count("entente.votes.equivocated", "tenant", key.tenant(), "type", key.type());
      case NodeEvent.Committed(_, _, long nanos) -> commits.record(nanos, TimeUnit.NANOSECONDS);
    }
  }

  /** Something went wrong, and people were told. */
  void raised(String rule) {
    count("entente.alerts.raised", "rule", rule);
  }

  /** A client was told that it goes too fast. */
  void throttled(String what) {
    count("entente.throttled", "what", what);
  }

  /** Something came that is no request in a form that is taken. */
  void malformed() {
    count("entente.requests.malformed");
  }

  private void answered(RecordKey key, Outcome outcome, long nanos) {
    writes.record(nanos, TimeUnit.NANOSECONDS);
    String result =
        switch (outcome) {
          case Outcome.Accepted accepted -> accepted.kind().label();
          case Outcome.Duplicate _ -> "duplicate";
          case Outcome.Rejected rejected -> "rejected-" + rejected.code().label();
        };
    count("entente.writes", "tenant", key.tenant(), "type", key.type(), "outcome", result);
    if (outcome instanceof Outcome.Accepted accepted && !accepted.resolutions().isEmpty()) {
      warm(key);
      accepted.resolutions().forEach(resolution -> settled(key, resolution));
    }
  }

  private void settled(RecordKey key, Resolution resolution) {
    Conflict conflict = resolution.conflict();
    count(
        "entente.resolutions",
        "tenant",
        key.tenant(),
        "type",
        key.type(),
        "unit",
        unit(key, conflict),
        "strategy",
        resolution.strategy(),
        "status",
        resolution.status().label(),
        "conflict",
        conflict.type().label(),
        "severity",
        conflict.severity().label());
    complexity.record(conflict.complexity());
    if (resolution.uncertain()) {
      count("entente.uncertain", "tenant", key.tenant(), "type", key.type());
    }
  }

  private String unit(RecordKey key, Conflict conflict) {
    Policy policy = node.policy(key.tenant(), key.type());
    boolean declared =
        conflict.recordLevel()
            || conflict.unit().isGroup()
            || conflict.unit().path().isRoot()
            || policy.field(conflict.unit().path()) != null;
    return declared ? conflict.label() : "(undeclared)";
  }

  private void count(String name, String... tags) {
    Series series = new Series(name, List.of(tags));
    Counter counter = counters.get(series);
    if (counter == null) {
      String[] bounded = tags.clone();
      if (counters.size() >= SERIES_MAX) {
        for (int i = 1; i < bounded.length; i += 2) {
          bounded[i] = "(other)";
        }
        series = new Series(name, List.of(bounded));
      }
      counter = counters.computeIfAbsent(series, _ -> registry.counter(name, bounded));
    }
    counter.increment();
  }

  /** Counts a conflict on a record: [since, count, last]. */
  private void warm(RecordKey key) {
    long now = node.nowMillis();
    // Looking through all of them takes milliseconds, and nodes under load have many conflicts.
    if (hot.size() >= HOT_RECORDS_MAX && Math.abs(now - sweptMillis) >= SWEEP_MILLIS) {
      sweptMillis = now;
      hot.values().removeIf(window -> now - window[2] > HOT_WINDOW_MILLIS);
    }
    if (hot.size() < HOT_RECORDS_MAX || hot.containsKey(key)) {
      hot.compute(
          key,
          (_, window) ->
              window == null || now - window[0] > HOT_WINDOW_MILLIS
                  ? new long[] {now, 1, now}
                  : new long[] {window[0], window[1] + 1, now});
    }
  }

  /** The records with the most conflicts in the last five minutes. */
  Json hotspots(String tenant, int limit) {
    long now = node.nowMillis();
    List<Map.Entry<RecordKey, long[]>> mine = new ArrayList<>();
    hot.entrySet().stream()
        .filter(
            e -> e.getKey().tenant().equals(tenant) && now - e.getValue()[2] <= HOT_WINDOW_MILLIS)
        .sorted((a, b) -> Long.compare(b.getValue()[1], a.getValue()[1]))
        .limit(limit)
        .forEach(mine::add);
    List<Json> rows = new ArrayList<>();
    for (Map.Entry<RecordKey, long[]> entry : mine) {
      Map<String, Json> row = new TreeMap<>();
      row.put("type", Json.of(entry.getKey().type()));
      row.put("id", Json.of(entry.getKey().id()));
      row.put("conflicts", Json.of(entry.getValue()[1]));
      String first = Instant.ofEpochMilli(entry.getValue()[0]).toString();
      row.put("since", Json.of(first));
      row.put("firstAt", Json.of(first));
      row.put("lastAt", Json.of(Instant.ofEpochMilli(entry.getValue()[2]).toString()));
      row.put("windowMillis", Json.of(entry.getValue()[2] - entry.getValue()[0]));
      rows.add(JsonObject.of(row));
    }
    return new JsonArray(rows);
  }

  /** Shows what is wrong now. */
  void follow(Alerts alerts) {
    MultiGauge active =
        MultiGauge.builder("entente.alerts")
            .description("Alerts that are raised now")
            .register(registry);
    scraped(() -> {
      Map<Tags, Long> counts = new HashMap<>();
      alerts
          .active()
          .forEach(alert ->
              counts.merge(
                  Tags.of(
                      "rule",
                      alert.finding().rule(),
                      "severity",
                      alert.finding().critical() ? "critical" : "warning"),
                  1L,
                  Long::sum));
      active.register(rows(counts), true);
    });
  }

  /** Shows how many reviews wait: per tenant, and by what they are about. */
  void followReviews(Supplier<Map<OpenReviews.Subject, Long>> open) {
    MultiGauge waiting =
        MultiGauge.builder("entente.reviews.pending")
            .description("Conflicts that wait for a person")
            .register(registry);
    MultiGauge kinds =
        MultiGauge.builder("entente.reviews.open")
            .description("Conflicts that wait for a person, by what they are about")
            .register(registry);
    scraped(() -> {
      Map<Tags, Long> byTenant = new HashMap<>();
      node.tenants().forEach(tenant -> byTenant.put(Tags.of("tenant", tenant), 0L));
      Map<Tags, Long> byKind = new HashMap<>();
      open.get()
          .forEach((subject, count) -> {
            byTenant.merge(Tags.of("tenant", subject.tenant()), count, Long::sum);
            String type = byKind.size() < OPEN_MAX ? subject.type() : "(other)";
            byKind.merge(kind(subject, type), count, Long::sum);
          });
      waiting.register(rows(byTenant), true);
      kinds.register(rows(byKind), true);
    });
  }

  private Tags kind(OpenReviews.Subject subject, String type) {
    Policy policy = node.policy(subject.tenant(), subject.type());
    return Tags.of(
        "tenant",
        subject.tenant(),
        "type",
        type,
        "conflict",
        subject.conflict(),
        "severity",
        subject.severity(),
        "alert",
        policy.alertOf(subject.unit()).orElse(""));
  }

  private static List<MultiGauge.Row<?>> rows(Map<Tags, Long> counts) {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    counts.forEach((tags, count) -> rows.add(MultiGauge.Row.of(tags, count)));
    return rows;
  }

  private synchronized void scraped(Runnable also) {
    Runnable before = beforeScrape;
    beforeScrape =
        () -> {
          before.run();
          also.run();
        };
  }

  /** Shows how the links of a cluster are. */
  void follow(Cluster cluster) {
    MultiGauge up =
        MultiGauge.builder("entente.link.up")
            .description("1 where the other node answers")
            .register(registry);
    MultiGauge behind =
        MultiGauge.builder("entente.link.behind")
            .description("For how long this node has not had all that the other has")
            .baseUnit("seconds")
            .register(registry);
    MultiGauge offset =
        MultiGauge.builder("entente.link.clock.offset")
            .description("How far the other's clock is ahead")
            .baseUnit("seconds")
            .register(registry);
    MultiGauge roundTrip =
        MultiGauge.builder("entente.link.round.trip")
            .description("The quickest exchange of late")
            .baseUnit("seconds")
            .register(registry);
    scraped(() -> {
      List<LinkStatus> links = cluster.status();
      up.register(rows(links, link -> link.isUp() ? 1 : 0), true);
      behind.register(rows(links, link -> link.behindMillis() / 1e3), true);
      offset.register(rows(links, link -> link.clockOffsetMillis() / 1e3), true);
      roundTrip.register(rows(links, link -> Math.max(0, link.roundTripMillis()) / 1e3), true);
    });
  }

  /** Shows what this voter could not apply of what was agreed on. */
  void agreement(LongSupplier quarantined, BooleanSupplier steppedBack) {
    Gauge.builder("entente.agreed.quarantined", quarantined, LongSupplier::getAsLong)
        .description("Agreed entries and versions that could not be applied and were set aside")
        .register(registry);
    Gauge.builder("entente.voter.stepped.back", steppedBack, back -> back.getAsBoolean() ? 1 : 0)
        .description("1 where this voter stopped to vote rather than apply an entry wrongly")
        .register(registry);
  }

  /** Shows how many versions this node holds otherwise than others do. */
  void follow(VersionPatrol patrol) {
    Gauge.builder(
            "entente.versions.differing",
            patrol,
            watched ->
                watched.found().stream()
                    .mapToInt(each -> each.differing() + each.missingHere() + each.missingThere())
                    .sum())
        .description("Versions that another node holds otherwise than this one, or not at all")
        .register(registry);
  }

  /** Shows how far the comparison of files with their checksums is, and what it found. */
  void follow(Scrubber scrubber) {
    Gauge.builder("entente.scrub.bytes", scrubber, Scrubber::bytes)
        .description("Bytes that the running or the last scrub has read")
        .register(registry);
    Gauge.builder("entente.scrub.ended.seconds", scrubber, each -> each.endedMillis() / 1_000.0)
        .description("When the last whole scrub ended, in seconds since 1970; 0 for never")
        .register(registry);
    Gauge.builder(
            "entente.scrub.damaged",
            scrubber,
            each -> each.damaged().size() + each.damagedCheckpoints().size())
        .description("Damaged files of the store, and damaged checkpoints")
        .register(registry);
  }

  private static List<MultiGauge.Row<?>> rows(
      List<LinkStatus> links, ToDoubleFunction<LinkStatus> value) {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    for (LinkStatus link : links) {
      String peer = link.peer().map(NodeId::name).orElse(link.url());
      rows.add(MultiGauge.Row.of(Tags.of("peer", peer), value.applyAsDouble(link)));
    }
    return rows;
  }

  String scrape() {
    beforeScrape.run();
    return registry.scrape();
  }
}
