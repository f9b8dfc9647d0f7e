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

  private final String id;
  private final String kind;
  private final String tenant;
  private final String subject;
  private final String by;
  private final long startedMillis;
  private final boolean dryRun;
  private final Deque<Json> named = new ArrayDeque<>();
  private State state = State.RUNNING;
  private boolean stopping;
  private long total = -1;
  private long seen;
  private long changed;
  private long failed;
  private long endedMillis;
  private String problem = "";

  Job(
      String id,
      String kind,
      String tenant,
      String subject,
      String by,
      boolean dryRun,
      long startedMillis) {
    this.id = id;
    this.kind = kind;
    this.tenant = tenant;
    this.subject = subject;
    this.by = by;
    this.dryRun = dryRun;
    this.startedMillis = startedMillis;
  }

  public String id() {
    return id;
  }

  public String tenant() {
    return tenant;
  }

  /** What it is about within its tenant. */
  public String subject() {
    return subject;
  }

  public String by() {
    return by;
  }

  /** Whether nothing is to be changed. */
  public boolean dryRun() {
    return dryRun;
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
    if (dryRun) {
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
  public synchronized void stop() {
    stopping = true;
  }

  /** Whether somebody wants it to end. */
  public synchronized boolean isStopping() {
    return stopping;
  }

  synchronized void end(State as, String why, long nowMillis) {
    state = as;
    problem = why;
    endedMillis = nowMillis;
  }

  /** The job as the API shows it. */
  public synchronized JsonObject toJson() {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(id));
    members.put("kind", Json.of(kind));
    members.put("subject", Json.of(subject));
    members.put("by", Json.of(by));
    members.put("state", Json.of(state.label()));
    members.put("dryRun", Json.of(dryRun));
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
