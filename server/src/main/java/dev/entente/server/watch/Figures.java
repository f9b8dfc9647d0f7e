// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.Review;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a tenant fares, in the figures that people ask for; of the last hour, as this node saw it.
 */
public final class Figures {
  private static final long HOUR = 3_600_000;
  private static final int MINUTES = 60;
  private static final int NAMED_MAX = 12;
  private static final int CRITICAL_COSTS = 30;
  private static final int WARNING_COSTS = 10;

  private final Node node;
  private final Tally tally;
  private final Alerts alerts;

  public Figures(Node node, Tally tally, Alerts alerts) {
    this.node = node;
    this.tally = tally;
    this.alerts = alerts;
  }

  private static double part(long of, long all) {
    return all == 0 ? 1 : Math.round(1_000.0 * of / all) / 1_000.0;
  }

  /**
   * The figures of a tenant.
   *
   * @param withNode whether what concerns the node counts for its health
   */
  public JsonObject of(String tenant, boolean withNode) {
    long conflicts = tally.count(tenant, Tally.What.CONFLICTS, HOUR);
    long closed = tally.count(tenant, Tally.What.CLOSED, HOUR);
    Map<String, Json> members = new TreeMap<>();
    members.put("health", health(tenant, withNode));
    members.put("pending", Json.of(node.countReviews(tenant, Review.Status.PENDING)));
    members.put("writes", Json.of(tally.count(tenant, Tally.What.WRITES, HOUR)));
    members.put("conflicts", Json.of(conflicts));
    members.put("refused", Json.of(tally.count(tenant, Tally.What.REFUSED, HOUR)));
    members.put(
        "successRate", Json.of(part(tally.count(tenant, Tally.What.SETTLED, HOUR), conflicts)));
    members.put(
        "manualRate",
        Json.of(
            conflicts == 0 ? 0.0 : part(tally.count(tenant, Tally.What.PENDING, HOUR), conflicts)));
    members.put("closed", Json.of(closed));
    members.put(
        "slaCompliance",
        Json.of(part(tally.count(tenant, Tally.What.CLOSED_IN_TIME, HOUR), closed)));
    members.put(
        "averageResolutionSeconds",
        Json.of(closed == 0 ? 0 : tally.count(tenant, Tally.What.SECONDS_WAITED, HOUR) / closed));
    members.put(
        "dataLossEvents",
        Json.of(
            alerts.active().stream()
                .filter(alert -> alert.finding().rule().equals("data-loss"))
                .count()));
    members.put("perMinute", perMinute(tenant));
    members.put("by", by(tenant));
    members.put(
        "writeMillis",
        Json.of(
            Map.of(
                "median", rounded(tally.quantileMillis(tenant, 0.5, HOUR)),
                "p99", rounded(tally.quantileMillis(tenant, 0.99, HOUR)))));
    return JsonObject.of(members);
  }

  private static double rounded(double millis) {
    return Math.round(millis * 10) / 10.0;
  }

  private Json perMinute(String tenant) {
    Map<String, Json> series = new TreeMap<>();
    for (Tally.What what :
        List.of(Tally.What.WRITES, Tally.What.CONFLICTS, Tally.What.PENDING, Tally.What.CLOSED)) {
      series.put(
          what.name().toLowerCase(Locale.ROOT),
          Json.of(Arrays.stream(tally.perMinute(tenant, what, MINUTES)).boxed().toList()));
    }
    series.put(
        "p99Millis",
        Json.of(
            Arrays.stream(tally.quantilePerMinute(tenant, 0.99, MINUTES))
                .mapToObj(Figures::rounded)
                .toList()));
    return JsonObject.of(series);
  }

  /** The last hour of each type, unit, strategy, node and pattern. */
  private Json by(String tenant) {
    Map<String, Json> by = new TreeMap<>();
    for (Tally.By each : Tally.By.values()) {
      List<Json> rows = new ArrayList<>();
      tally
          .courses(tenant, each, NAMED_MAX, MINUTES)
          .forEach((name, course) -> rows.add(row(name, course)));
      by.put(each.name().toLowerCase(Locale.ROOT), Json.of(rows));
    }
    return JsonObject.of(by);
  }

  private static Json row(String name, Tally.Course course) {
    Json perMinute =
        Json.of(
            Map.of(
                "conflicts", course.conflicts(),
                "writes", course.writes(),
                "p99Millis", course.p99Millis().stream().map(Figures::rounded).toList()));
    return Json.of(
        Map.of(
            "name",
            name,
            "conflicts",
            course.allConflicts(),
            "writes",
            course.allWrites(),
            "perMinute",
            perMinute));
  }

  /** A hundred where nothing is wrong; less for each alert, with the reasons. */
  private Json health(String tenant, boolean withNode) {
    List<Alert> mine =
        alerts.active().stream()
            .filter(alert ->
                alert.finding().tenant().equals(tenant)
                    || (withNode && alert.finding().tenant().isEmpty()))
            .toList();
    int score = 100;
    for (Alert alert : mine) {
      score -= alert.finding().critical() ? CRITICAL_COSTS : WARNING_COSTS;
    }
    return Json.of(
        Map.of(
            "score", Math.max(0, score),
            "reasons", mine.stream().map(alert -> Json.of(alert.finding().summary())).toList()));
  }
}
