// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * One cluster, from one seed: three to five machines under load and under the faults that the seed
 * draws, then healed, then checked. A tenth of the seeds have no faults.
 */
public final class Simulation {
  private static final long LOAD_MILLIS = 2_500;
  private static final long HEAL_MILLIS = 60_000;

  /** When the operator lets in what still waits for clocks. */
  private static final long ADMIT_AFTER_MILLIS = 20_000;

  private static final int VOTERS = 3;

  /** What came of a seed. */
  public record Result(
      long seed,
      Optional<String> broken,
      long traceHash,
      long happened,
      int versions,
      List<String> trace) {

    /** What to run to see this again. */
    public String command() {
      return "bin/entente simulate --seed " + seed + " --trace";
    }
  }

  private final Mutant mutant;
  private final World world;
  private final Random chance;
  private final SimulatedNetwork network;
  private final Map<String, SimulatedNode> machines = new TreeMap<>();
  private final Oracle oracle;
  private final Workload workload;
  private final StrictClients strict;
  private final QuorumClients quorum;
  private final Operator operator;
  private final boolean calm;

  private Simulation(long seed, Mutant mutant) {
    this.mutant = mutant;
    this.oracle = new Oracle(mutant);
    this.world = new World(seed);
    this.chance = world.chance();
    this.network = new SimulatedNetwork(world);
    int count = 3 + (chance.nextInt(4) == 0 ? 1 + chance.nextInt(2) : 0);
    for (int i = 0; i < count; i++) {
      String name = String.valueOf((char) ('a' + i));
      machines.put(
          name,
          new SimulatedNode(
              world, network, machines, name, mutant, Workload.POLICIES, oracle::look));
    }
    List<String> voters = List.copyOf(machines.keySet()).subList(0, VOTERS);
    SimulatedConsensus consensus =
        new SimulatedConsensus(world, network, voters, mutant, this::isAwake);
    voters.forEach(voter -> machine(voter).vote(consensus));
    this.strict =
        new StrictClients(world, List.copyOf(machines.values()).subList(0, VOTERS), oracle);
    this.quorum = new QuorumClients(world, List.copyOf(machines.values()), oracle);
    this.workload = new Workload(world, List.copyOf(machines.values()), oracle, mutant, count + 1);
    this.operator = new Operator(world, machines, oracle, mutant);
    this.calm = seed % 10 == 0;
  }

  /** Runs a seed. */
  public static Result run(long seed) {
    return run(seed, Mutant.NONE);
  }

  /** Runs a seed with a bug planted. */
  public static Result run(long seed, Mutant mutant) {
    Simulation simulation = new Simulation(seed, mutant);
    Optional<String> broken = Optional.empty();
    try {
      simulation.play();
    } catch (Oracle.Broken e) {
      broken = Optional.of(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      broken = Optional.of("42: " + e + " at " + List.of(e.getStackTrace()).subList(0, 3));
    }
    World world = simulation.world;
    return new Result(
        seed,
        broken,
        world.traceHash(),
        world.happened(),
        simulation.oracle.versions(),
        world.trace());
  }

  private SimulatedNode machine(String name) {
    SimulatedNode found = machines.get(name);
    if (found == null) {
      throw new IllegalStateException("no machine " + name);
    }
    return found;
  }

  private boolean isAwake(String name) {
    return machine(name).isAwake();
  }

  private void play() {
    machines.values().forEach(this::join);
    if (!calm) {
      new Nemesis(world, network, machines, oracle, operator, mutant).begin(LOAD_MILLIS);
    }
    operator.begin(LOAD_MILLIS);
    for (long at = 20; at < LOAD_MILLIS; at += 1 + chance.nextInt(40)) {
      world.at(at, workload::step);
    }
    for (long at = 20; at < LOAD_MILLIS; at += 1 + chance.nextInt(120)) {
      world.at(at, strict::step);
    }
    for (long at = 20; at < LOAD_MILLIS; at += 1 + chance.nextInt(60)) {
      world.at(at, quorum::step);
    }
    for (long at = 100; at < LOAD_MILLIS; at += 100) {
      world.at(at, this::look);
    }
    world.runUntil(LOAD_MILLIS);
    heal();
    converge();
    erase();
    oracle.converged(nodes());
    machines.values().forEach(oracle::isErased);
    strict
        .history()
        .unexplained()
        .ifPresent(why -> {
          throw new Oracle.Broken("19: " + why);
        });
  }

  /** Starts a machine: at once, or, where it need not vote and there is harm, some time later. */
  private void join(SimulatedNode machine) {
    boolean votes = List.copyOf(machines.keySet()).subList(0, VOTERS).contains(machine.name());
    if (calm || votes || chance.nextBoolean()) {
      machine.start(false);
    } else {
      world.at(
          1 + chance.nextInt((int) LOAD_MILLIS / 2),
          () -> {
            if (machine.process() == null) {
              machine.start(false);
            }
          });
    }
  }

  private Map<String, Node> nodes() {
    return SimulatedNode.running(machines);
  }

  private void look() {
    nodes().forEach(oracle::look);
  }

  private void heal() {
    world.tell("healed");
    network.healAll();
    network.become(0, 0, 5);
    for (SimulatedNode machine : machines.values()) {
      machine.pause(0);
      machine.disk().crashIn(-1, false);
      if (machine.process() == null || machine.hasDied()) {
        machine.start(false);
      }
      // All clocks are right again, and what was stamped ahead so far is in the past. A node that
      // does not believe that yet may still stamp some versions ahead.
      machine.setRight(30 * 60_000);
    }
  }

  /** Runs until all have the same, or too long. */
  private void converge() {
    long began = world.nowMillis();
    while (world.nowMillis() < began + HEAL_MILLIS) {
      world.runUntil(world.nowMillis() + 200);
      if (world.nowMillis() > began + ADMIT_AFTER_MILLIS) {
        nodes().values().forEach(operator::admit);
        operator.readmit();
      }
      for (SimulatedNode machine : machines.values()) {
        SimulatedNode.Running process = machine.process();
        if (process == null || machine.hasDied()) {
          machine.start(false);
        } else if (process.lacksWhatIsGone()) {
          operator.beginAnew(machine);
        }
      }
      if (isQuiet()) {
        return;
      }
    }
    throw new Oracle.Broken(
        "39: a minute after all was healed the nodes do not have the same, or not the same"
            + " policies: "
            + known());
  }

  /** Runs until nothing is left anywhere of what was erased, and all have the same again. */
  private void erase() {
    long until = world.nowMillis() + HEAL_MILLIS;
    while (!operator.hasErased()) {
      if (world.nowMillis() >= until) {
        throw new Oracle.Broken(
            "S28: what was erased is not gone a minute after all was healed: "
                + operator.unfinished());
      }
      machines.values().forEach(operator::tidy);
      converge();
    }
  }

  private List<String> known() {
    List<String> known = new ArrayList<>();
    nodes()
        .forEach((name, node) ->
            known.add(name + " knows " + node.known() + " and holds " + written(node)));
    return known;
  }

  /** Whether everybody knows what everybody has, leaving aside positions that others filled. */
  private boolean isQuiet() {
    Map<String, Node> nodes = nodes();
    // Numbers of a node that was put back under which it had written nothing are known to those
    // alone that heard of them from itself.
    VersionVector written = VersionVector.EMPTY;
    for (Node node : nodes.values()) {
      written = written.join(written(node));
    }
    for (Node node : nodes.values()) {
      // What came in a part of a log whose author is no more is held and never known.
      if (!node.known().join(written(node)).dominates(written)
          || !node.policies().equals(nodes.values().iterator().next().policies())) {
        return false;
      }
    }
    return nodes.size() == machines.size();
  }

  /** The last version of each author that a node holds. */
  private static VersionVector written(Node node) {
    Map<NodeId, Long> last = new TreeMap<>();
    for (NodeId author : node.known().entries().keys()) {
      long number = node.versionIndex().last(author);
      if (number > 0) {
        last.put(author, number);
      }
    }
    return VersionVector.of(last);
  }
}
