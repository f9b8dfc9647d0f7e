// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.Healings;
import dev.entente.cluster.NodeTls;
import dev.entente.cluster.Seats;
import dev.entente.cluster.VersionPatrol;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.Review;
import dev.entente.engine.store.DamagedFile;
import dev.entente.server.recovery.Scrubber;
import dev.entente.server.watch.Alert;
import dev.entente.server.watch.Alerts;
import dev.entente.server.watch.CertificateSensor;
import dev.entente.server.watch.ClusterSensors;
import dev.entente.server.watch.Figures;
import dev.entente.server.watch.Finding;
import dev.entente.server.watch.HttpSender;
import dev.entente.server.watch.MailSender;
import dev.entente.server.watch.NodeSensors;
import dev.entente.server.watch.Tally;
import dev.entente.server.watch.Watching;
import dev.entente.server.watch.Webhooks;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Puts together what watches a node: counts, alerts, and who is told. Thread-safe. */
final class Watch {
  private static final Duration LOOKS = Duration.ofSeconds(2);
  private static final Duration DELIVERS = Duration.ofMillis(500);
  private static final Duration VERIFIES = Duration.ofHours(24);

  private final Node node;
  private final Watching how;
  private final Tally tally;
  private static final Logger LOG = System.getLogger(Watch.class.getName());

  private final Alerts alerts;
  private final NodeSensors sensors;
  private final Webhooks webhooks;
  private final Metrics metrics;

  Watch(Node node, Watching how, Metrics metrics) {
    this.node = node;
    this.how = how;
    this.metrics = metrics;
    this.tally = new Tally(node::nowMillis);
    this.alerts = new Alerts(node::nowMillis);
    this.sensors = new NodeSensors(node, tally, how.thresholds(), how.directory());
    this.webhooks = new Webhooks(node, sender(how));
    alerts.watch(sensors::look);
    alerts.tell(this::told);
    alerts.tell(alert -> {
      if (alert.clearedMillis() == 0) {
        metrics.raised(alert.finding().rule());
      }
    });
    metrics.follow(alerts);
    metrics.followReviews(node::openReviews);
  }

  private static Webhooks.Sender sender(Watching how) {
    HttpSender http = new HttpSender(how.webhooksInside());
    Optional<MailSender> mail = how.mail().map(MailSender::new);
    return (url, headers, body) -> {
      if (!"mailto".equals(url.getScheme())) {
        http.send(url, headers, body);
      } else if (mail.isPresent()) {
        mail.get().send(url, headers, body);
      } else {
        throw new IOException("this node sends no e-mail; serve it with --smtp-host");
      }
    };
  }

  private void told(Alert alert) {
    boolean raised = alert.clearedMillis() == 0;
    Finding finding = alert.finding();
    LOG.log(
        raised ? Level.WARNING : Level.INFO,
        "{0} {1}: {2}",
        raised ? "ALERT" : "ALERT-CLEARED",
        finding.rule(),
        finding.summary());
    JsonObject what = alert.toJson();
    Writes.await(
        () -> node.account(raised ? "alert" : "alert-cleared", alert.finding().rule(), what));
    webhooks.tell(raised ? "alert-raised" : "alert-cleared", alert.finding().tenant(), what);
  }

  void addTo(Route.Table routes) {
    Figures figures = new Figures(node, tally, alerts);
    new WatchRoutes(alerts, webhooks, figures, how.mail().isPresent()).addTo(routes);
  }

  /** Hears what the node tells. */
  void accept(NodeEvent event) {
    tally.accept(event);
    switch (event) {
      case NodeEvent.ReviewOpened(Review review) -> tell("review-opened", review);
      case NodeEvent.ReviewAssigned(Review review) -> tell("review-assigned", review);
      case NodeEvent.ReviewApproved(Review review, _) -> tell("review-approved", review);
      case NodeEvent.ReviewEscalated(Review review) -> tell("review-escalated", review);
      case NodeEvent.ReviewClosed(Review review) -> tell("review-closed", review);
      default -> {}
    }
  }

  private void tell(String event, Review review) {
    Map<String, Json> members = new TreeMap<>();
    members.put("review", Json.of(review.id()));
    members.put("tenant", Json.of(review.key().tenant()));
    members.put("type", Json.of(review.key().type()));
    members.put("recordId", Json.of(review.key().id()));
    members.put("unit", Json.of(review.unit()));
    members.put("status", Json.of(review.status().label()));
    review.owner().ifPresent(owner -> members.put("owner", Json.of(owner)));
    review.handling().escalatedTo().ifPresent(to -> members.put("escalatedTo", Json.of(to)));
    members.put(
        "summary", Json.of(review.unit() + " of " + review.key() + ": " + review.status().label()));
    webhooks.tell(event, review.key().tenant(), JsonObject.of(members));
  }

  /** From here on it is told where other nodes hold other versions than this one. */
  void watch(VersionPatrol patrol) {
    alerts.watch(() ->
        patrol.found().stream()
            .map(mismatch ->
                new Finding(
                    "versions-differ",
                    true,
                    "",
                    mismatch.author() + " at " + mismatch.peer(),
                    0,
                    mismatch.describe(),
                    "docs/recovery.md; entente verify --cluster --mend"))
            .toList());
    metrics.follow(patrol);
  }

  /** From here on the dates of the node's certificate are watched. */
  void watch(NodeTls tls) {
    alerts.watch(() -> CertificateSensor.look(tls.chain(), Instant.ofEpochMilli(node.nowMillis())));
  }

  /** From here on it is told what a scrub finds. */
  void watch(Scrubber scrubber) {
    alerts.watch(() -> {
      List<Finding> found = new ArrayList<>();
      for (DamagedFile file : scrubber.damaged()) {
        found.add(
            new Finding(
                "data-damaged",
                true,
                "",
                file.file(),
                0,
                "A file of the store is damaged: " + file,
                "entente backup FILE before this node is stopped; then docs/runbook.md, damaged"
                    + " data"));
      }
      for (String name : scrubber.damagedCheckpoints()) {
        found.add(
            new Finding(
                "checkpoint-damaged",
                false,
                "",
                name,
                0,
                "The checkpoint " + name + " is damaged and was set aside",
                "entente checkpoint; then remove DIR/checkpoints/" + name));
      }
      return found;
    });
    metrics.follow(scrubber);
  }

  /** From here on there are other nodes. */
  void join(Cluster cluster, Authority authority, Seats seats, Healings healings) {
    ClusterSensors others =
        new ClusterSensors(cluster, authority, seats, healings::all, how.thresholds());
    alerts.watch(others::look);
  }

  /** Looks, tells, and checks the audit log once a day. */
  void begin(Chores chores) {
    chores.every(LOOKS, "alerts", alerts::look);
    chores.every(DELIVERS, "webhooks", webhooks::look);
    chores.every(VERIFIES, "audit log", () -> sensors.verified(node.verify(_ -> {}).broken()));
  }

  /** The rules whose alerts are critical and raised now. */
  Set<String> critical() {
    return alerts.active().stream()
        .filter(alert -> alert.finding().critical())
        .map(alert -> alert.finding().rule())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  NodeSensors sensors() {
    return sensors;
  }
}
