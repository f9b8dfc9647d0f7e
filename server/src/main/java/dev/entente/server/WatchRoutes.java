// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.watch.Alert;
import dev.entente.server.watch.Alerts;
import dev.entente.server.watch.Delivery;
import dev.entente.server.watch.Figures;
import dev.entente.server.watch.Webhook;
import dev.entente.server.watch.Webhooks;
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** What is wrong, and who is told of it. */
final class WatchRoutes {
  private static final String HOOKS = "/v1/cluster/webhooks";
  private static final String HOOK = HOOKS + "/{webhook}";
  private static final int URL_MAX = 2_000;

  private final Alerts alerts;
  private final Webhooks webhooks;

  /** Whether e-mail can be sent. */
  private final boolean mails;

  private final Figures figures;

  WatchRoutes(Alerts alerts, Webhooks webhooks, Figures figures, boolean mails) {
    this.figures = figures;
    this.alerts = alerts;
    this.webhooks = webhooks;
    this.mails = mails;
  }

  void addTo(Route.Table routes) {
    routes
        .get(Permission.OPERATE, "/v1/cluster/alerts", call -> alerts(call, _ -> true))
        .get(Permission.READ, "/v1/{tenant}/alerts", this::alertsOf)
        .get(
            Permission.READ,
            "/v1/{tenant}/figures",
            call ->
                Reply.json(
                    200,
                    figures.of(call.tenant(), call.caller().may(Permission.OPERATE, Grant.ALL))))
        .get(Permission.ADMINISTER, HOOKS, this::list)
        .get(Permission.ADMINISTER, HOOK, this::one)
        .put(Permission.ADMINISTER, HOOK, this::put)
        .delete(Permission.ADMINISTER, HOOK, this::remove)
        .post(Permission.ADMINISTER, HOOK + "/test", this::test)
        .post(Permission.ADMINISTER, HOOK + "/redeliveries", this::again);
  }

  /** Those of a tenant; and those of the node to whoever may look at it. */
  private Reply alertsOf(Call call) {
    boolean operates = call.caller().may(Permission.OPERATE, Grant.ALL);
    return alerts(
        call,
        alert -> {
          String tenant = alert.finding().tenant();
          return tenant.equals(call.tenant()) || (tenant.isEmpty() && operates);
        });
  }

  private Reply alerts(Call call, Predicate<Alert> seen) {
    List<Json> active = alerts.active().stream().filter(seen).<Json>map(Alert::toJson).toList();
    List<Json> over =
        alerts.over(Limits.PAGE_MAX).stream()
            .filter(seen)
            .limit(call.limit())
            .<Json>map(Alert::toJson)
            .toList();
    return Reply.json(
        200,
        JsonObject.of(
            Map.of(
                "alerts", new JsonArray(active),
                "cleared", new JsonArray(over),
                "notKept", Json.of(alerts.unheard()))));
  }

  private static JsonObject described(Webhook hook) {
    return JsonObject.of(
        Map.of(
            "name", Json.of(hook.name()),
            "url", Json.of(hook.url().toString()),
            "events", Json.of(hook.events().stream().map(Json::of).toList()),
            "tenant", Json.of(hook.tenant())));
  }

  private Reply list(Call call) {
    return Reply.json(
        200,
        JsonObject.of(
            Map.of(
                "webhooks",
                Json.of(webhooks.list().stream().map(WatchRoutes::described).toList()),
                "dropped",
                Json.of(webhooks.dropped()))));
  }

  private Webhook find(Call call) {
    return webhooks
        .get(call.name("webhook"))
        .orElseThrow(() -> new Problem(Code.NOT_FOUND, "there is no such webhook"));
  }

  private Reply one(Call call) {
    Webhook hook = find(call);
    return Reply.json(
        200,
        described(hook)
            .with("waiting", deliveries(webhooks.waiting(hook.name())))
            .with("dead", deliveries(webhooks.dead(hook.name()))));
  }

  private static Json deliveries(List<Delivery> deliveries) {
    return Json.of(deliveries.stream().limit(Limits.PAGE_MAX).map(Delivery::toJson).toList());
  }

  private Reply put(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a webhook", Set.of("url", "events", "tenant"));
    URI url =
        url(
            Call.text(body, "url")
                .orElseThrow(() -> new Problem(Code.INVALID, "a webhook has a \"url\"")));
    Set<String> events = new HashSet<>();
    if (body.get("events") instanceof JsonArray(List<Json> items)) {
      items.forEach(item -> events.add(event(item)));
    } else if (!body.get("events").isAbsent()) {
      throw new Problem(Code.INVALID, "\"events\" is a list; leave it out for all");
    }
    String tenant = Call.text(body, "tenant").orElse(Webhook.ALL);
    Webhook hook;
    try {
      hook =
          webhooks.put(
              call.name("webhook"),
              url,
              events,
              tenant.equals(Webhook.ALL) ? tenant : Call.checkedName("tenant", tenant),
              call.caller().name());
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.TOO_FAST, String.valueOf(e.getMessage()));
    }
    return Reply.json(200, described(hook).with("secret", Json.of(hook.secret())))
        .with("Cache-Control", "no-store");
  }

  private static String event(Json item) {
    if (item instanceof JsonString(String text) && Webhook.EVENTS.contains(text)) {
      return text;
    }
    throw new Problem(Code.INVALID, "events are " + String.join(", ", Webhook.EVENTS));
  }

  private URI url(String text) {
    try {
      URI url = URI.create(text);
      boolean web = "https".equals(url.getScheme()) || "http".equals(url.getScheme());
      boolean mail = "mailto".equals(url.getScheme()) && text.contains("@");
      if (mail && !mails) {
        throw new Problem(
            Code.INVALID, "this node sends no e-mail; serve it with --smtp-host and --smtp-from");
      }
      if (text.length() <= URL_MAX
          && (mail || (web && url.getHost() != null && url.getUserInfo() == null))) {
        return url;
      }
    } catch (IllegalArgumentException e) {
      throw notAUrl();
    }
    throw notAUrl();
  }

  private static Problem notAUrl() {
    return new Problem(
        Code.INVALID,
        "\"url\" is an https or http address without a user, or mailto: and an e-mail address");
  }

  private Reply remove(Call call) {
    Webhook hook = find(call);
    webhooks.remove(hook.name(), call.caller().name());
    return Reply.json(200, JsonObject.of("removed", Json.of(hook.name())));
  }

  private Reply test(Call call) {
    Webhook hook = find(call);
    webhooks.tell(
        hook,
        "test",
        JsonObject.of("summary", Json.of("a test that " + call.caller().name() + " asked for")));
    return Reply.json(202, JsonObject.of("queued", Json.of(hook.name())));
  }

  private Reply again(Call call) {
    return Reply.json(202, JsonObject.of("queued", Json.of(webhooks.again(find(call).name()))));
  }
}
