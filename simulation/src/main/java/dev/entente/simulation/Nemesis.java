// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.util.List;
import java.util.Map;
import java.util.Random;

/** Does harm. Each seed draws which kinds, and how much of each. */
final class Nemesis {
  private final World world;
  private final SimulatedNetwork network;
  private final Map<String, SimulatedNode> machines;
  private final Oracle oracle;
  private final Operator operator;
  private final Mutant mutant;
  private final Random chance;
  private final boolean cuts;
  private final boolean kills;
  private final boolean ioCrashes;
  private final boolean pauses;
  private static final long YEAR_MILLIS = 366L * 24 * 60 * 60_000;

  private final boolean clocks;
  private final boolean backups;

  Nemesis(
      World world,
      SimulatedNetwork network,
      Map<String, SimulatedNode> machines,
      Oracle oracle,
      Operator operator,
      Mutant mutant) {
    this.world = world;
    this.network = network;
    this.machines = machines;
    this.oracle = oracle;
    this.operator = operator;
    this.mutant = mutant;
    this.chance = world.chance();
    this.cuts = chance.nextBoolean();
    this.kills = chance.nextBoolean();
    this.ioCrashes = chance.nextBoolean();
    this.pauses = chance.nextInt(3) == 0;
    this.clocks = chance.nextBoolean();
    this.backups = chance.nextInt(3) == 0;
    if (chance.nextBoolean()) {
      network.become(
          chance.nextDouble() * 0.3, chance.nextDouble() * 0.3, 1 + chance.nextLong(400));
    }
  }

  void begin(long untilMillis) {
    for (long at = 50; at < untilMillis; at += 20 + chance.nextInt(200)) {
      world.at(at, this::strike);
    }
  }

  private void strike() {
    SimulatedNode victim = List.copyOf(machines.values()).get(chance.nextInt(machines.size()));
    switch (chance.nextInt(8)) {
      case 0, 1 -> {
        if (cuts) {
          cut(victim);
        }
      }
      case 2 -> {
        network.healAll();
        world.tell("lines healed");
      }
      case 3 -> {
        if (kills) {
          victim.kill();
          restartLater(victim);
        }
      }
      case 4 -> {
        if (ioCrashes) {
          victim.disk().crashIn(chance.nextInt(6), chance.nextBoolean());
          restartLater(victim);
        }
      }
      case 5 -> {
        if (pauses) {
          victim.pause(1 + chance.nextInt(800));
          world.tell(victim.name() + " stands still");
        }
      }
      case 6 -> {
        if (clocks) {
          long by = (chance.nextBoolean() ? 1 : -1) * (1L << chance.nextInt(20));
          boolean isByYears = chance.nextInt(4) == 0;
          if (isByYears) {
            by = Long.signum(by) * (2L + chance.nextInt(8)) * YEAR_MILLIS;
            victim.skewTo(by);
          } else {
            victim.skew(by);
          }
          world.tell(victim.name() + "'s clock moves by " + by);
        }
      }
      default -> {
        if (backups && chance.nextInt(4) == 0) {
          world.tell(victim.name() + " has lost its disk");
          operator.beginAnew(victim);
        } else if (backups) {
          goBack(victim);
        }
      }
    }
  }

  /** One of the ways in which a network comes apart. */
  private void cut(SimulatedNode victim) {
    int how = chance.nextInt(4);
    world.tell("cut " + how + " at " + victim.name());
    for (String other : machines.keySet()) {
      boolean beyond =
          how == 3
              ? (other.charAt(0) - victim.name().charAt(0)) % 2 != 0
              : !other.equals(victim.name());
      if (beyond && how != 2) {
        network.block(victim.name(), other);
      }
      if (beyond && how != 1) {
        network.block(other, victim.name());
      }
    }
  }

  private void restartLater(SimulatedNode victim) {
    world.in(
        50 + chance.nextInt(400),
        () -> {
          if (victim.process() == null || victim.hasDied()) {
            victim.start(false);
          }
        });
  }

  /** The machine's directory is replaced by an earlier one of itself. */
  private void goBack(SimulatedNode victim) {
    SimulatedNode.Running before = victim.process();
    if (before == null || victim.hasDied()) {
      return;
    }
    oracle.look(victim.name(), before.node());
    victim.kill();
    int commits = victim.disk().commits();
    oracle.goesBack(victim.name());
    victim.goBackTo(Math.max(2, commits - chance.nextInt(40)));
    world.tell(victim.name() + " is restored from a backup");
    victim.start(mutant != Mutant.REUSED_COUNTER);
    SimulatedNode.Running after = victim.process();
    if (after != null) {
      oracle.wentBack(victim.name(), after.node());
    }
  }
}
