// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * Long work on many things, one after another. It can be looked at and stopped; what it has done by
 * then stays done. Thread-safe.
 */
public final class Job {
  /** How many of what failed or was left alone are named; all are counted. */
  private static final int NAMED_MAX = 200;

  /** Where it stands. */
  public enum State {
    RUNNING,
    DONE,
    STOPPED,
    FAILED;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What is to be done.
   *
   * @param subject what it is about within its tenant
   * @param by who wants it
   * @param dryRun whether nothing is to be changed
   */
  public record Order(String kind, String tenant, String subject, String by, boolean dryRun) {}

  private final String id;
  private final Order order;
  private final BooleanSupplier allowed;
  private final long startedMillis;
  private final Deque<Json> named = new ArrayDeque<>();
  private State state = State.RUNNING;
  private boolean stopping;
  private long total = -1;
  private long seen;
  private long changed;
  private long failed;
  private long endedMillis;
  private String problem = "";

  Job(String id, Order order, BooleanSupplier allowed, long startedMillis) {
    this.id = id;
    this.order = order;
    this.allowed = allowed;
    this.startedMillis = startedMillis;
  }

  public String id() {
    return id;
  }

  public String tenant() {
    return order.tenant();
  }

  /** What it is about within its tenant. */
  public String subject() {
    return order.subject();
  }

  public String by() {
    return order.by();
  }

  /** Whether nothing is to be changed. */
  public boolean dryRun() {
    return order.dryRun();
  }

  public synchronized State state() {
    return state;
  }

  /** How much there is to do, once that is known. */
  public synchronized void total(long count) {
    total = count;
  }

  /** One more was looked at and needed no change. */
  public synchronized void unchanged() {
    seen++;
  }

  /** One more was changed, or would be. */
  public synchronized void changed(String what) {
    seen++;
    changed++;
    if (order.dryRun()) {
      name(what, "would change");
    }
  }

  /** So many more were changed, or would be. */
  public synchronized void changed(long more) {
    seen += more;
    changed += more;
  }

  /** One more could not be changed. */
  public synchronized void failed(String what, String why) {
    seen++;
    failed++;
    name(what, why);
  }

  private void name(String what, String why) {
    if (named.size() < NAMED_MAX) {
      named.addLast(Json.of(Map.of("what", what, "why", why)));
    }
  }

  public synchronized long changes() {
    return changed;
  }

  /** Asks it to end. */
  public void stop() {
    stop("");
  }

  /** The same, and says why. */
  synchronized void stop(String why) {
    stopping = true;
    problem = why;
  }

  boolean isAllowed() {
    return allowed.getAsBoolean();
  }

  /** Whether somebody wants it to end. */
  public synchronized boolean isStopping() {
    return stopping;
  }

  synchronized void end(State as, long nowMillis) {
    state = as;
    endedMillis = nowMillis;
  }

  /** The job as the API shows it. */
  public synchronized JsonObject toJson() {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("kind", Json.of(order.kind()));
    members.put("subject", Json.of(order.subject()));
    members.put("by", Json.of(order.by()));
    members.put("state", Json.of(state.label()));
    members.put("dryRun", Json.of(order.dryRun()));
    members.put("startedAt", Json.of(Instant.ofEpochMilli(startedMillis).toString()));
    if (endedMillis > 0) {
      members.put("endedAt", Json.of(Instant.ofEpochMilli(endedMillis).toString()));
    }
    if (total >= 0) {
      members.put("total", Json.of(total));
    }
    members.put("seen", Json.of(seen));
    members.put("changed", Json.of(changed));
    members.put("failed", Json.of(failed));
    members.put("named", Json.of(named.stream().toList()));
    if (!problem.isEmpty()) {
      members.put("problem", Json.of(problem));
    }
    return JsonObject.of(members);
  }
}
