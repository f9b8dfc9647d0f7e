// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Erasure;
import dev.entente.engine.Erasures;
import dev.entente.engine.Node;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.Outcome;
import dev.entente.engine.Retention;
import dev.entente.engine.WriteRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletionException;

/**
 * Who runs the cluster: has nodes let go of what is old, far sooner than anybody would; erases
 * records and has that carried out; begins nodes anew that have lost their disk, or that lack what
 * the others no longer keep.
 */
final class Operator {
  /** Long enough for a client to have sent again what it was not answered. */
  private static final long KEPT_MILLIS = 1_200;

  private final World world;
  private final Random chance;
  private final Map<String, SimulatedNode> machines;
  private final Oracle oracle;
  private final Mutant mutant;

  Operator(World world, Map<String, SimulatedNode> machines, Oracle oracle, Mutant mutant) {
    this.world = world;
    this.chance = world.chance();
    this.machines = machines;
    this.oracle = oracle;
    this.mutant = mutant;
  }

  /** From here on, in half of the worlds. */
  void begin(long untilMillis) {
    if (chance.nextBoolean()) {
      return;
    }
    for (long at = 300; at < untilMillis; at += 20 + chance.nextInt(150)) {
      world.at(at, () -> tidy(any()));
    }
    for (long at = 300; at < untilMillis; at += 100 + chance.nextInt(1_500)) {
      world.at(at, () -> erase(any()));
    }
  }

  /** Lets in what waits at a node for its clock, as the alert about it says to. */
  void admit(Node node) {
    for (String writer : node.heldForClock().keySet()) {
      world.tell(node.id() + " admits " + node.admit(writer).join() + " of " + writer);
    }
  }

  /**
   * Admits again who runs and is still refused: the nodes that heard of the admission were put back
   * to before it.
   */
  void readmit() {
    for (SimulatedNode machine : machines.values()) {
      SimulatedNode.Running running = machine.process();
      if (running == null || machine.hasDied()) {
        continue;
      }
      for (SimulatedNode other : machines.values()) {
        NodeId name = new NodeId(other.name());
        if (other != machine
            && running.cluster().whyRemoved(name).isPresent()
            && running.cluster().readmit(name)) {
          world.tell(machine.name() + " admits " + other.name() + " again");
        }
      }
    }
  }

  private SimulatedNode any() {
    return List.copyOf(machines.values()).get(chance.nextInt(machines.size()));
  }

  /** A record that somebody asked to have erased. */
  private void erase(SimulatedNode machine) {
    SimulatedNode.Running running = machine.process();
    if (running == null || machine.hasDied()) {
      return;
    }
    Node node = running.node();
    RecordKey key = Workload.note(chance);
    if (!node.read(key).view().exists()) {
      return;
    }
    guarded(
        machine,
        () -> {
          for (WriteRequest request : node.erasures().requests(key, "officer", "asked for")) {
            if (node.write(request).join() instanceof Outcome.Accepted) {
              world.tell(machine.name() + " erases " + request.key());
            }
            oracle.look(machine.name(), node);
          }
        });
  }

  /** Has a node say what it has, and let go of what was erased and of what is old. */
  void tidy(SimulatedNode machine) {
    SimulatedNode.Running running = machine.process();
    if (running == null || machine.hasDied()) {
      return;
    }
    if (running.lacksWhatIsGone()) {
      beginAnew(machine);
      return;
    }
    Node node = running.node();
    Retention retention = new Retention(node, 0);
    List<NodeId> members = members(running);
    guarded(
        machine,
        () -> {
          retention.tell(members);
          SimulatedNode.running(machines).forEach(oracle::look);
          VersionVector stable =
              retention.stable(mutant == Mutant.UNSTABLE_PRUNING ? List.of(node.id()) : members);
          oracle.letsGo(node, stable, members);
          List<RecordKey> erased = node.erasures().carryOut(stable, members);
          if (!erased.isEmpty()) {
            world.tell(machine.name() + " has let go of what was in " + erased);
          }
          oracle.look(machine.name(), node);
          long before = node.nowMillis() - KEPT_MILLIS;
          for (String tenant : node.tenants()) {
            long gone =
                retention
                    .run(tenant, Instant.ofEpochMilli(before), stable, false, _ -> true)
                    .versions();
            if (gone > 0) {
              world.tell(machine.name() + " lets go of " + gone + " versions of " + tenant);
            }
          }
        });
  }

  private static void guarded(SimulatedNode machine, Runnable work) {
    try {
      work.run();
    } catch (NodeStoppedException e) {
      machine.hasDied();
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof NodeStoppedException)) {
        throw e;
      }
      machine.hasDied();
    }
  }

  /** Whether every node has carried out every erasure. */
  boolean hasErased() {
    return SimulatedNode.running(machines).values().stream()
        .map(Node::erasures)
        .map(Erasures::pending)
        .allMatch(List::isEmpty);
  }

  /** Which erasures are not carried out where, and whom they wait for. */
  List<String> unfinished() {
    List<String> unfinished = new ArrayList<>();
    machines.forEach((name, machine) -> {
      SimulatedNode.Running running = machine.process();
      if (running != null && !machine.hasDied()) {
        Node node = running.node();
        Retention retention = new Retention(node, 0);
        List<NodeId> members = members(running);
        node
            .erasures()
            .of("main", retention.stable(members), Optional.empty(), Integer.MAX_VALUE)
            .stream()
            .filter(erasure -> erasure.stage() != Erasure.Stage.DONE)
            .forEach(erasure ->
                unfinished.add(
                    name
                        + ": "
                        + erasure
                        + " without "
                        + retention.without(erasure.dot(), members)));
      }
    });
    return unfinished;
  }

  private static List<NodeId> members(SimulatedNode.Running running) {
    return running.cluster().acquainted();
  }

  /** The machine's disk is lost, or of no use; a new node takes its place. */
  void beginAnew(SimulatedNode machine) {
    SimulatedNode.Running before = machine.process();
    if (before == null || machine.hasDied()) {
      return;
    }
    oracle.look(machine.name(), before.node());
    machine.kill();
    oracle.goesBack(machine.name());
    machine.goBackTo(0);
    world.tell(machine.name() + " begins anew");
    machine.start(false);
    takeLeaveOf(before.node().id());
    SimulatedNode.Running after = machine.process();
    if (after != null) {
      oracle.wentBack(machine.name(), after.node());
    }
  }

  /** Somebody tells the cluster that a node will not come back, and lets in who takes its name. */
  private void takeLeaveOf(NodeId gone) {
    for (SimulatedNode machine : machines.values()) {
      SimulatedNode.Running running = machine.process();
      if (running != null && !machine.hasDied() && !running.node().id().equals(gone)) {
        if (running.cluster().depart(gone)) {
          running.cluster().readmit(new NodeId(gone.name()));
        }
        return;
      }
    }
  }
}
