// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** What carries messages between nodes: late, twice, in any order, or not at all. */
final class SimulatedNetwork {
  private final World world;
  private final Random chance;
  private final Set<String> blocked = new TreeSet<>();
  private double dropped;
  private double doubled;
  private long delayMaxMillis = 5;

  SimulatedNetwork(World world) {
    this.world = world;
    this.chance = world.chance();
  }

  /**
   * How bad it is from here on.
   *
   * @param drop the share of messages that are lost
   * @param twice the share of messages that come a second time, up to seconds later
   */
  void become(double drop, double twice, long delayMaxOfMillis) {
    dropped = drop;
    doubled = twice;
    delayMaxMillis = delayMaxOfMillis;
  }

  /** Lets nothing through from one node to another. */
  void block(String from, String to) {
    blocked.add(from + ">" + to);
  }

  /** Whether anything comes through from one node to another. */
  boolean isOpen(String from, String to) {
    return !blocked.contains(from + ">" + to);
  }

  void healAll() {
    blocked.clear();
  }

  /** Sends something that has its effect where it arrives. */
  void send(String from, String to, Runnable arrival) {
    boolean lost = chance.nextDouble() < dropped;
    boolean twice = chance.nextDouble() < doubled;
    long delay = 1 + chance.nextLong(delayMaxMillis);
    if (blocked.contains(from + ">" + to) || lost) {
      return;
    }
    // A message that is on its way when the line is cut does not arrive.
    Runnable unlessCut =
        () -> {
          if (!blocked.contains(from + ">" + to)) {
            arrival.run();
          }
        };
    world.in(delay, unlessCut);
    if (twice) {
      world.in(delay + chance.nextLong(2_000), unlessCut);
    }
  }
}
