// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.cluster.Authority.Place;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * Clients of records of a quorum and of a primary type. A read that is promised to be fresh has all
 * that was acknowledged, and all that a fresh read has shown, before it began; and no two nodes are
 * the primary at one time.
 */
final class QuorumClients {
  private static final int REGISTERS = 2;

  private final World world;
  private final Random chance;
  private final List<SimulatedNode> machines;
  private final Oracle oracle;

  /** What every later read must have, by record. */
  private final Map<RecordKey, VersionVector> settled = new TreeMap<>();

  /** How often a disk had gone back when that was noted; then it may be lost. */
  private int disksBack;

  private long made;

  QuorumClients(World world, List<SimulatedNode> machines, Oracle oracle) {
    this.world = world;
    this.chance = world.chance();
    this.machines = List.copyOf(machines);
    this.oracle = oracle;
  }

  /** One client does one thing, and somebody looks who is the primary. */
  void step() {
    onePrimary();
    SimulatedNode at = machines.get(chance.nextInt(machines.size()));
    SimulatedNode.Running process = at.process();
    if (process == null || !at.isAwake() || at.hasDied()) {
      return;
    }
    RecordKey key =
        new RecordKey(
            "main", chance.nextInt(4) == 0 ? "office" : "share", "s" + chance.nextInt(REGISTERS));
    if (chance.nextBoolean()) {
      write(process, key);
      if (!at.hasDied()) {
        oracle.look(at.name(), process.node());
      }
    } else {
      read(at, process, key);
    }
  }

  private void onePrimary() {
    List<String> primaries = new ArrayList<>();
    for (SimulatedNode machine : machines) {
      SimulatedNode.Running process = machine.process();
      if (process != null && machine.isAwake() && !machine.hasDied()) {
        Policy policy = process.node().policy("main", "office");
        if (process.authority().place(policy) instanceof Place.Here) {
          primaries.add(machine.name());
        }
      }
    }
    if (primaries.size() > 1) {
      throw new Oracle.Broken("20: " + primaries + " are primaries at one time");
    }
  }

  private void write(SimulatedNode.Running process, RecordKey key) {
    String id = "quorum-" + made++ + ".";
    WriteRequest request =
        new WriteRequest(
            key,
            new Edit.Put(JsonObject.of("v", Json.of(id))),
            new Seen.Everything(),
            "quorum",
            Optional.empty(),
            Optional.of("i" + id),
            WriteRequest.Sender.NONE,
            Optional.empty(),
            Optional.empty(),
            "");
    if (!(process.authority().place(request) instanceof Place.Here)) {
      return;
    }
    int before = oracle.disksBack();
    var _ =
        process
            .authority()
            .write(request)
            .thenAccept(outcome -> {
              if (outcome instanceof Outcome.Accepted accepted && key.type().equals("share")) {
                settle(key, accepted.after().state().context(), before);
              }
            });
  }

  private void read(SimulatedNode at, SimulatedNode.Running process, RecordKey key) {
    int before = oracle.disksBack();
    VersionVector wanted =
        before == disksBack ? settled.getOrDefault(key, VersionVector.EMPTY) : VersionVector.EMPTY;
    var _ =
        process
            .authority()
            .awaitFresh(key)
            .thenAccept(fresh -> {
              if (!fresh
                  || key.type().equals("office")
                  || at.process() != process
                  || at.hasDied()
                  || oracle.disksBack() != before) {
                return;
              }
              VersionVector has = process.node().read(key).state().context();
              if (!has.dominates(wanted)) {
                oracle.breaks(
                    "14: a fresh read at " + at.name() + " has " + has + ", not " + wanted);
              }
              settle(key, has, before);
            });
  }

  private void settle(RecordKey key, VersionVector context, int noted) {
    if (noted != oracle.disksBack()) {
      return;
    }
    if (noted != disksBack) {
      settled.clear();
      disksBack = noted;
    }
    settled.merge(key, context, VersionVector::join);
    world.tell(key + " is settled up to " + context);
  }
}
