// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Describe;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.Outcome;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/** The last conflicts that writes met, for the live stream; bounded, in memory. Thread-safe. */
final class RecentConflicts {
  private static final int KEPT = 1_000;

  /** One conflict that a write met; {@code number} counts up. */
  record Entry(long number, RecordKey key, Json body) {
    String type() {
      return key.type();
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition grown = lock.newCondition();
  private final Deque<Entry> entries = new ArrayDeque<>();
  private final LongSupplier nowMillis;
  private long last;

  RecentConflicts(LongSupplier nowMillis) {
    this.nowMillis = nowMillis;
  }

  void accept(NodeEvent event) {
    if (event instanceof NodeEvent.Answered(var key, Outcome.Accepted accepted, long nanos)
        && (!accepted.resolutions().isEmpty() || accepted.kind() != Outcome.Kind.APPLIED)) {
      Map<String, Json> members = new TreeMap<>();
      members.put("at", Describe.time(accepted.after().view().updatedAt()));
      members.put("type", Json.of(key.type()));
      members.put("id", Json.of(key.id()));
      members.put("outcome", Json.of(accepted.kind().label()));
      members.put("micros", Json.of(nanos / 1000));
      members.put("resolutions", Json.of(described(accepted.resolutions())));
      accepted.conflictId().ifPresent(id -> members.put("conflictId", Json.of(id)));
      add(key, JsonObject.of(members));
    }
    if (event instanceof NodeEvent.Met(var key, List<Resolution> resolutions)) {
      Map<String, Json> members = new TreeMap<>();
      members.put("at", Json.of(Instant.ofEpochMilli(nowMillis.getAsLong()).toString()));
      members.put("type", Json.of(key.type()));
      members.put("id", Json.of(key.id()));
      members.put("outcome", Json.of("replicated"));
      members.put("resolutions", Json.of(described(resolutions)));
      add(key, JsonObject.of(members));
    }
  }

  private static List<Json> described(List<Resolution> resolutions) {
    return resolutions.stream().<Json>map(Describe::resolution).toList();
  }

  private void add(RecordKey key, Json body) {
    lock.lock();
    try {
      entries.addLast(new Entry(++last, key, body));
      if (entries.size() > KEPT) {
        entries.removeFirst();
      }
      grown.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A tenant's entries after a number; waits for the first where there is none. */
  List<Entry> after(String tenant, long number, long waitMillis) throws InterruptedException {
    long rest = TimeUnit.MILLISECONDS.toNanos(waitMillis);
    lock.lock();
    try {
      while (true) {
        List<Entry> found = new ArrayList<>();
        for (Entry entry : entries) {
          if (entry.number() > number && entry.key().tenant().equals(tenant)) {
            found.add(entry);
          }
        }
        if (!found.isEmpty() || rest <= 0) {
          return found;
        }
        rest = grown.awaitNanos(rest);
      }
    } finally {
      lock.unlock();
    }
  }
}
