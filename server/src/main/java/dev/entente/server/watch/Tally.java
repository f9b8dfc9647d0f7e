// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

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
    /** Versions that contradict causality. */
    VIOLATIONS,
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

  /** What writes and conflicts are told apart by. */
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

  /**
   * What there was of one name in each of the last minutes, the oldest first.
   *
   * @param conflicts how many conflicts
   * @param writes how many writes this node answered: of a type all, else those that met a conflict
   * @param p99Millis the time in milliseconds that 99 in 100 of these stayed below
   */
  public record Course(List<Long> conflicts, List<Long> writes, List<Double> p99Millis) {
    private static long sum(List<Long> counts) {
      return counts.stream().mapToLong(Long::longValue).sum();
    }

    long allConflicts() {
      return sum(conflicts);
    }

    long allWrites() {
      return sum(writes);
    }
  }

  private record Label(By by, String name) {}

  private record Name(String tenant, String name) {}

  /** What was seen of one name. */
  private static final class Seen {
    private long conflicts;
    private final Latencies writes = new Latencies();

    void addAll(Seen others) {
      conflicts += others.conflicts;
      writes.addAll(others.writes);
    }
  }

  private final LongSupplier nowMillis;
  private final Slot[] slots = new Slot[SLOTS];
  private final long sinceMillis;

  private static final class Slot {
    private long number = -1;
    private final Map<String, Map<What, Long>> counts = new TreeMap<>();
    private final Map<By, Map<Name, Seen>> names = new EnumMap<>(By.class);

    void begin(long slot) {
      number = slot;
      counts.clear();
      names.clear();
    }

    void add(String tenant, What what, long more) {
      counts
          .computeIfAbsent(known(tenant), _ -> new EnumMap<>(What.class))
          .merge(what, more, Long::sum);
    }

    private String known(String tenant) {
      return counts.size() < TENANTS_MAX || counts.containsKey(tenant) ? tenant : OTHER;
    }

    Seen seen(String tenant, Label label) {
      Map<Name, Seen> of = names.computeIfAbsent(label.by(), _ -> new HashMap<>());
      Name exact = new Name(known(tenant), label.name());
      boolean room = of.size() < NAMES_MAX || of.containsKey(exact);
      return of.computeIfAbsent(room ? exact : new Name(exact.tenant(), OTHER), _ -> new Seen());
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
        List<Resolution> resolutions =
            outcome instanceof Outcome.Accepted accepted ? accepted.resolutions() : List.of();
        met(key, resolutions);
        took(key, resolutions, nanos);
        if (outcome instanceof Outcome.Rejected rejected
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
      count(tenant, What.CONFLICTS);
      count(tenant, resolution.isPending() ? What.PENDING : What.SETTLED);
      labels(key, resolution).forEach(label -> now().seen(tenant, label).conflicts++);
    }
  }

  /** A write counts once for each name, however many of its conflicts have that name. */
  private void took(RecordKey key, List<Resolution> resolutions, long nanos) {
    Set<Label> labels = new HashSet<>();
    labels.add(new Label(By.TYPE, key.type()));
    resolutions.forEach(resolution -> labels.addAll(labels(key, resolution)));
    labels.forEach(label -> now().seen(key.tenant(), label).writes.add(nanos));
  }

  private static Set<Label> labels(RecordKey key, Resolution resolution) {
    String unit = key.type() + " · " + resolution.conflict().label();
    String strategy = resolution.isPending() ? "left for people" : resolution.strategy();
    Set<Label> labels = new HashSet<>();
    labels.add(new Label(By.TYPE, key.type()));
    labels.add(new Label(By.UNIT, unit));
    labels.add(new Label(By.STRATEGY, strategy));
    labels.add(new Label(By.PATTERN, unit + " · " + strategy));
    resolution
        .conflict()
        .competing()
        .forEach(version -> labels.add(new Label(By.NODE, version.dot().node().value())));
    return labels;
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
    now().add(tenant, what, more);
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

  private long between(String tenant, What what, long from, long to) {
    return slots(from, to)
        .mapToLong(slot -> slot.counts.getOrDefault(tenant, Map.of()).getOrDefault(what, 0L))
        .sum();
  }

  /** The slots so far back from the present one, the first included and the second not. */
  private Stream<Slot> slots(long from, long to) {
    long last = nowMillis.getAsLong() / SLOT_MILLIS;
    return Arrays.stream(slots)
        .filter(slot -> slot.number >= 0)
        .filter(slot -> last - slot.number >= from && last - slot.number < to);
  }

  /** What is usual, a minute: the mean of the hour before the last minute; 0 at the beginning. */
  public synchronized double baselinePerMinute(String tenant, What what) {
    long known = (nowMillis.getAsLong() - sinceMillis) / SLOT_MILLIS;
    long before = Math.min(360, known - 6);
    return before < 6 ? 0 : between(tenant, what, 6, 6 + before) * 6.0 / before;
  }

  /** The time in milliseconds that so great a part of a tenant's writes stayed below. */
  public synchronized double quantileMillis(String tenant, double part, long windowMillis) {
    return writes(tenant::equals, 0, windowMillis / SLOT_MILLIS).quantileMillis(part);
  }

  /** The same of the writes of all tenants. */
  public synchronized double quantileMillis(double part, long windowMillis) {
    return writes(_ -> true, 0, windowMillis / SLOT_MILLIS).quantileMillis(part);
  }

  /** Every write is of one type, so those of all types are all writes. */
  private Latencies writes(Predicate<String> tenant, long from, long to) {
    Latencies all = new Latencies();
    slots(from, to)
        .flatMap(slot -> slot.names.getOrDefault(By.TYPE, Map.of()).entrySet().stream())
        .filter(of -> tenant.test(of.getKey().tenant()))
        .forEach(of -> all.addAll(of.getValue().writes));
    return all;
  }

  /** What there was of each name in the last minutes, those with the most conflicts first. */
  public synchronized Map<String, Course> courses(String tenant, By by, int max, int minutes) {
    Map<String, Course> courses = new LinkedHashMap<>();
    perMinute(tenant, by, minutes).entrySet().stream()
        .map(of -> Map.entry(of.getKey(), course(of.getValue())))
        .sorted(
            Comparator.comparingLong((Map.Entry<String, Course> of) -> of.getValue().allConflicts())
                .thenComparingLong(of -> of.getValue().allWrites())
                .reversed()
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(max)
        .forEach(of -> courses.put(of.getKey(), of.getValue()));
    return courses;
  }

  private static Course course(List<Seen> minutes) {
    return new Course(
        minutes.stream().map(seen -> seen.conflicts).toList(),
        minutes.stream().map(seen -> seen.writes.count()).toList(),
        minutes.stream().map(seen -> seen.writes.quantileMillis(0.99)).toList());
  }

  private Map<String, List<Seen>> perMinute(String tenant, By by, int minutes) {
    Map<String, List<Seen>> perMinute = new HashMap<>();
    for (int minute = 0; minute < minutes; minute++) {
      int at = minutes - 1 - minute;
      slots(minute * 6L, minute * 6L + 6)
          .flatMap(slot -> slot.names.getOrDefault(by, Map.of()).entrySet().stream())
          .filter(of -> of.getKey().tenant().equals(tenant))
          .forEach(of ->
              perMinute
                  .computeIfAbsent(
                      of.getKey().name(), _ -> Stream.generate(Seen::new).limit(minutes).toList())
                  .get(at)
                  .addAll(of.getValue()));
    }
    return perMinute;
  }

  /**
   * The time in milliseconds that so great a part of a tenant's writes stayed below, in each of the
   * last minutes, the oldest first.
   */
  public synchronized double[] quantilePerMinute(String tenant, double part, int minutes) {
    double[] millis = new double[minutes];
    for (int i = 0; i < minutes; i++) {
      millis[minutes - 1 - i] = writes(tenant::equals, i * 6L, i * 6L + 6).quantileMillis(part);
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
