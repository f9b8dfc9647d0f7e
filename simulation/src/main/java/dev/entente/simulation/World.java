// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * Time, chance and the order in which things happen. Events at one moment happen in the order in
 * which they were planned. What happened is kept as a hash, and the latest of it as text.
 */
final class World {
  private static final int TRACE_KEPT = 400;

  /** Something that is to happen. */
  private record Event(long atMillis, long order, Runnable action) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(
          Comparator.comparingLong(Event::atMillis).thenComparingLong(Event::order));
  private final Deque<String> trace = new ArrayDeque<>();
  private final Random root;
  private long nowMillis;
  private long planned;
  private long traceHash = 0xcbf29ce484222325L;
  private long happened;

  World(long seed) {
    this.root = new Random(seed);
  }

  /** Chance of its own for one part, so that one part's draws do not move another's. */
  Random chance() {
    return new Random(root.nextLong());
  }

  /** Milliseconds since the world began. */
  long nowMillis() {
    return nowMillis;
  }

  void at(long millis, Runnable action) {
    events.add(new Event(Math.max(millis, nowMillis), planned++, action));
  }

  void in(long millis, Runnable action) {
    at(nowMillis + millis, action);
  }

  /** Lets everything happen that is due up to a moment. */
  void runUntil(long millis) {
    while (!events.isEmpty() && events.peek().atMillis() <= millis) {
      Event event = events.poll();
      nowMillis = event.atMillis();
      event.action().run();
    }
    nowMillis = millis;
  }

  /** Notes what happened. */
  void tell(String what) {
    String line = nowMillis + " " + what;
    for (int i = 0; i < line.length(); i++) {
      traceHash = (traceHash ^ line.charAt(i)) * 0x100000001b3L;
    }
    happened++;
    trace.addLast(line);
    if (trace.size() > TRACE_KEPT) {
      trace.removeFirst();
    }
  }

  /** The latest of what happened. */
  List<String> trace() {
    return List.copyOf(trace);
  }

  /** A hash of all that happened. */
  long traceHash() {
    return traceHash;
  }

  /** How many things happened. */
  long happened() {
    return happened;
  }
}
