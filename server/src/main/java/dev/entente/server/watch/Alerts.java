// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Raises an alert once something has been wrong for long enough, and clears it once it has been
 * right for as long as it takes not to flap. Thread-safe.
 */
public final class Alerts {
  /** How long it must be right before an alert is cleared. */
  static final long CALM_MILLIS = 30_000;

  private static final int CLEARED_MAX = 1_000;
  private static final int ACTIVE_MAX = 1_000;

  private final List<Supplier<List<Finding>>> sensors = new ArrayList<>();
  private final List<Consumer<Alert>> listeners = new ArrayList<>();
  private final LongSupplier nowMillis;
  private final Map<Finding.Key, Watched> watched =
      new TreeMap<>(
          Comparator.comparing(Finding.Key::rule)
              .thenComparing(Finding.Key::tenant)
              .thenComparing(Finding.Key::subject));
  private final Deque<Alert> cleared = new ArrayDeque<>();
  private long unheard;

  /** Something that is, or was a moment ago, not as it should be. */
  private static final class Watched {
    private Finding finding;
    private final long firstMillis;
    private long lastMillis;
    private long raisedMillis;

    Watched(Finding finding, long nowMillis) {
      this.finding = finding;
      this.firstMillis = nowMillis;
    }

    Alert alert(long clearedMillis) {
      return new Alert(finding, raisedMillis, clearedMillis);
    }
  }

  public Alerts(LongSupplier nowMillis) {
    this.nowMillis = nowMillis;
  }

  /** Looks at something more from here on. */
  public synchronized void watch(Supplier<List<Finding>> sensor) {
    sensors.add(sensor);
  }

  /** Tells somebody of alerts that are raised or cleared from here on. Must be quick. */
  public synchronized void tell(Consumer<Alert> listener) {
    listeners.add(listener);
  }

  /** Looks at everything. */
  public void look() {
    List<Supplier<List<Finding>>> all;
    synchronized (this) {
      all = List.copyOf(sensors);
    }
    List<Finding> found = new ArrayList<>();
    all.forEach(sensor -> found.addAll(sensor.get()));
    List<Alert> news = new ArrayList<>();
    List<Consumer<Alert>> hear;
    synchronized (this) {
      found.forEach(finding -> note(finding, news));
      forget(news);
      hear = List.copyOf(listeners);
    }
    news.forEach(alert -> hear.forEach(listener -> listener.accept(alert)));
  }

  private void note(Finding finding, List<Alert> news) {
    long now = nowMillis.getAsLong();
    Watched known = watched.get(finding.key());
    if (known == null) {
      if (watched.size() >= ACTIVE_MAX) {
        unheard++;
        return;
      }
      known = new Watched(finding, now);
      watched.put(finding.key(), known);
    }
    known.finding = finding;
    known.lastMillis = now;
    if (known.raisedMillis == 0 && now - known.firstMillis >= finding.patienceMillis()) {
      known.raisedMillis = now;
      news.add(known.alert(0));
    }
  }

  private void forget(List<Alert> news) {
    long now = nowMillis.getAsLong();
    watched
        .values()
        .removeIf(known -> {
          boolean raised = known.raisedMillis > 0;
          boolean over = now - known.lastMillis >= (raised ? CALM_MILLIS : 1);
          if (over && raised) {
            Alert alert = known.alert(now);
            news.add(alert);
            cleared.addFirst(alert);
            if (cleared.size() > CLEARED_MAX) {
              cleared.removeLast();
            }
          }
          return over;
        });
  }

  /** What is wrong now. */
  public synchronized List<Alert> active() {
    return watched.values().stream()
        .filter(known -> known.raisedMillis > 0)
        .map(known -> known.alert(0))
        .toList();
  }

  /** What was wrong and is not any more, the latest first. */
  public synchronized List<Alert> over(int limit) {
    return cleared.stream().limit(limit).toList();
  }

  /** How many findings there was no room for; more than a thousand at once are not kept. */
  public synchronized long unheard() {
    return unheard;
  }
}
