// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.policy.Severity;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.ConflictType;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * Counts of the last hour, per tenant, in slots of ten seconds; what rates and baselines are worked
 * out from. Bounded, in memory. Thread-safe.
 */
public final class Tally {
  /** What is counted. */
  public enum What {
    WRITES,
    /** Conflicts that writes met here, whether they were made here or came from other nodes. */
    CONFLICTS,
    /** Conflicts settled by a rule at once. */
    SETTLED,
    /** Conflicts left for a person. */
    PENDING,
    /** Writes refused because of a conflict. */
    REFUSED,
    /** Merged records that broke an invariant. */
    INVARIANTS,
    /** Versions that contradict causality. */
    VIOLATIONS,
    /** Conflicts of the highest severity. */
    CRITICAL,
    /** Reviews that were closed. */
    CLOSED,
    /** Of these, how many before they were due. */
    CLOSED_IN_TIME,
    /** For how many seconds they had waited, all together. */
    SECONDS_WAITED
  }

  static final long SLOT_MILLIS = 10_000;
  private static final int SLOTS = 390;
  private static final int TENANTS_MAX = 1_000;
  private static final String OTHER = "(other)";
  private static final int NAMES_MAX = 200;

  /** What conflicts are told apart by. */
  public enum By {
    TYPE,
    /** The type and the unit. */
    UNIT,
    STRATEGY,
    /** The nodes that took what competes. */
    NODE,
    /** Type, unit and strategy together. */
    PATTERN
  }

  private record Name(String tenant, By by, String name) {}

  /** Latencies by powers of the fourth root of two, in microseconds. */
  private static final int STEPS = 120;

  private final LongSupplier nowMillis;
  private final Slot[] slots = new Slot[SLOTS];
  private final long sinceMillis;

  private static final class Slot {
    private long number = -1;
    private final Map<String, Map<What, Long>> counts = new TreeMap<>();
    private final Map<Name, Long> names = new HashMap<>();
    private final long[] latencies = new long[STEPS];

    void begin(long slot) {
      number = slot;
      counts.clear();
      names.clear();
      Arrays.fill(latencies, 0);
    }
  }

  public Tally(LongSupplier nowMillis) {
    this.nowMillis = nowMillis;
    this.sinceMillis = nowMillis.getAsLong();
    Arrays.setAll(slots, _ -> new Slot());
  }

  /** Counts what a node tells. */
  public synchronized void accept(NodeEvent event) {
    switch (event) {
      case NodeEvent.Answered(var key, Outcome outcome, long nanos) -> {
        count(key.tenant(), What.WRITES);
        now().latencies[step(nanos / 1_000)]++;
        if (outcome instanceof Outcome.Accepted accepted) {
          met(key, accepted.resolutions());
        } else if (outcome instanceof Outcome.Rejected rejected
            && rejected.code() == Outcome.Code.CONFLICT) {
          count(key.tenant(), What.CONFLICTS);
          count(key.tenant(), What.REFUSED);
        }
      }
      case NodeEvent.Met(var key, List<Resolution> resolutions) -> met(key, resolutions);
      case NodeEvent.Contended(var key, Resolution resolution) -> met(key, List.of(resolution));
      case NodeEvent.Violated(var key, _) -> count(key.tenant(), What.VIOLATIONS);
      case NodeEvent.ReviewClosed(var review) -> closed(review);
      case NodeEvent.ReviewOpened _,
          NodeEvent.ReviewAssigned _,
          NodeEvent.ReviewApproved _,
          NodeEvent.ReviewEscalated _,
          NodeEvent.Equivocated _,
          NodeEvent.Committed _ -> {}
    }
  }

  private void closed(Review review) {
    String tenant = review.key().tenant();
    long at = review.closing().atMillis();
    count(tenant, What.CLOSED);
    add(tenant, What.SECONDS_WAITED, Math.max(0, at - review.createdAtMillis()) / 1_000);
    if (at <= review.times().dueAtMillis()) {
      count(tenant, What.CLOSED_IN_TIME);
    }
  }

  private void met(RecordKey key, List<Resolution> resolutions) {
    String tenant = key.tenant();
    for (Resolution resolution : resolutions) {
      name(key, resolution);
      count(tenant, What.CONFLICTS);
      count(tenant, resolution.isPending() ? What.PENDING : What.SETTLED);
      if (resolution.conflict().type() == ConflictType.INVARIANT_VIOLATION) {
        count(tenant, What.INVARIANTS);
      }
      if (resolution.conflict().severity() == Severity.CRITICAL) {
        count(tenant, What.CRITICAL);
      }
    }
  }

  private void name(RecordKey key, Resolution resolution) {
    String unit = key.type() + " · " + resolution.conflict().label();
    String strategy = resolution.isPending() ? "left for people" : resolution.strategy();
    name(key.tenant(), By.TYPE, key.type());
    name(key.tenant(), By.UNIT, unit);
    name(key.tenant(), By.STRATEGY, strategy);
    name(key.tenant(), By.PATTERN, unit + " · " + strategy);
    Set<String> nodes = new TreeSet<>();
    resolution.conflict().competing().forEach(a -> nodes.add(a.dot().node().value()));
    nodes.forEach(node -> name(key.tenant(), By.NODE, node));
  }

  private void name(String tenant, By by, String name) {
    Map<Name, Long> names = now().names;
    Name exact = new Name(tenant, by, name);
    boolean room = names.size() < NAMES_MAX || names.containsKey(exact);
    names.merge(room ? exact : new Name(tenant, by, OTHER), 1L, Long::sum);
  }

  private Slot now() {
    long number = nowMillis.getAsLong() / SLOT_MILLIS;
    Slot slot = slots[(int) (number % SLOTS)];
    if (slot.number != number) {
      slot.begin(number);
    }
    return slot;
  }

  private void count(String tenant, What what) {
    add(tenant, what, 1);
  }

  private void add(String tenant, What what, long more) {
    Map<String, Map<What, Long>> counts = now().counts;
    String name = counts.size() < TENANTS_MAX || counts.containsKey(tenant) ? tenant : OTHER;
    counts.computeIfAbsent(name, _ -> new EnumMap<>(What.class)).merge(what, more, Long::sum);
  }

  private static int step(long micros) {
    return (int)
        Math.min(STEPS - 1, Math.round(4 * Math.log((double) Math.max(1, micros)) / Math.log(2)));
  }

  /** The tenants of which something was counted in the last hour. */
  public synchronized Set<String> tenants() {
    Set<String> tenants = new TreeSet<>();
    for (Slot slot : slots) {
      tenants.addAll(slot.counts.keySet());
    }
    return tenants;
  }

  /** How often something happened in a window that ends now; at most an hour. */
  public synchronized long count(String tenant, What what, long windowMillis) {
    return between(tenant, what, 0, windowMillis / SLOT_MILLIS);
  }

  /** Counts slots back from the present one, the first included and the second not. */
  private long between(String tenant, What what, long from, long to) {
    long last = nowMillis.getAsLong() / SLOT_MILLIS;
    long sum = 0;
    for (Slot slot : slots) {
      long back = last - slot.number;
      if (slot.number >= 0 && back >= from && back < to) {
        sum += slot.counts.getOrDefault(tenant, Map.of()).getOrDefault(what, 0L);
      }
    }
    return sum;
  }

  /** What is usual, a minute: the mean of the hour before the last minute; 0 at the beginning. */
  public synchronized double baselinePerMinute(String tenant, What what) {
    long known = (nowMillis.getAsLong() - sinceMillis) / SLOT_MILLIS;
    long before = Math.min(360, known - 6);
    return before < 6 ? 0 : between(tenant, what, 6, 6 + before) * 6.0 / before;
  }

  /** The time in milliseconds that so great a part of the writes of a window stayed below. */
  public synchronized double quantileMillis(double part, long windowMillis) {
    return quantileMillis(part, 0, windowMillis / SLOT_MILLIS);
  }

  private double quantileMillis(double part, long from, long to) {
    long last = nowMillis.getAsLong() / SLOT_MILLIS;
    long[] sum = new long[STEPS];
    long all = 0;
    for (Slot slot : slots) {
      long back = last - slot.number;
      if (slot.number >= 0 && back >= from && back < to) {
        for (int i = 0; i < STEPS; i++) {
          sum[i] += slot.latencies[i];
          all += slot.latencies[i];
        }
      }
    }
    long below = 0;
    for (int i = 0; i < STEPS; i++) {
      below += sum[i];
      if (all > 0 && below >= Math.ceil(part * all)) {
        return Math.pow(2, i / 4.0) / 1_000;
      }
    }
    return 0;
  }

  /**
   * How many conflicts there were of each name in each of the last minutes, the oldest first; the
   * most frequent names first.
   */
  public synchronized Map<String, long[]> conflicts(String tenant, By by, int max, int minutes) {
    long last = nowMillis.getAsLong() / SLOT_MILLIS;
    Map<String, long[]> perMinute = new HashMap<>();
    for (Slot slot : slots) {
      long back = (last - slot.number) / 6;
      if (slot.number >= 0 && back < minutes) {
        int minute = (int) (minutes - 1 - back);
        slot.names.forEach((name, count) -> {
          if (name.by() == by && name.tenant().equals(tenant)) {
            perMinute.computeIfAbsent(name.name(), _ -> new long[minutes])[minute] += count;
          }
        });
      }
    }
    Map<String, long[]> most = new LinkedHashMap<>();
    perMinute.entrySet().stream()
        .sorted(
            Comparator.comparingLong((Map.Entry<String, long[]> each) -> -sum(each.getValue()))
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(max)
        .forEach(entry -> most.put(entry.getKey(), entry.getValue()));
    return most;
  }

  private static long sum(long[] counts) {
    return Arrays.stream(counts).sum();
  }

  /**
   * The time in milliseconds that so great a part of the writes stayed below, of all tenants, in
   * each of the last minutes, the oldest first.
   */
  public synchronized double[] quantilePerMinute(double part, int minutes) {
    double[] millis = new double[minutes];
    for (int i = 0; i < minutes; i++) {
      millis[minutes - 1 - i] = quantileMillis(part, i * 6L, i * 6L + 6);
    }
    return millis;
  }

  /** One thing a minute for each of the last minutes, the oldest first. */
  public synchronized long[] perMinute(String tenant, What what, int minutes) {
    long[] counts = new long[minutes];
    for (int i = 0; i < minutes; i++) {
      counts[minutes - 1 - i] = between(tenant, what, i * 6L, i * 6L + 6);
    }
    return counts;
  }
}
