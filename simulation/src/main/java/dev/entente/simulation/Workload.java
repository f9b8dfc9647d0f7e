// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.core.causality.Causality;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Decision;
import dev.entente.engine.Node;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;

/**
 * Clients that read and write all kinds of cells at nodes of their choice. A client remembers what
 * it has seen and does not read where less is known; it sends again, under the same key and to the
 * same machine, what it was not answered.
 */
final class Workload {
  static final RecordKey COUNTED = new RecordKey("main", "doc", "counted");
  static final RecordKey COLLECTED = new RecordKey("main", "doc", "collected");

  /** What the records of the workload are. */
  static final List<String> POLICIES =
      List.of(
          """
          type: doc
          default: last-writer-wins
          fields:
            n: {cell: counter}
            tags: {cell: set}
            body: {cell: text}
            status: manual-review
            high: highest-value
          deletes: edit-wins
          """,
          """
          type: seat
          consistency: strong
          """,
          """
          type: share
          consistency: quorum
          """,
          """
          type: office
          consistency: primary
          """);

  /** A client. */
  private static final class Client {
    private VersionVector seen = VersionVector.EMPTY;
    private final Map<RecordKey, VersionVector> contexts = new TreeMap<>();
  }

  /** One of so many requests is sent again to some node. */
  private static final int REPEATED = 6;

  private static final int REPEATED_WITHIN_MILLIS = 5_000;

  private final World world;
  private final Random chance;
  private final List<SimulatedNode> machines;
  private final Oracle oracle;
  private final Mutant mutant;
  private final List<Client> clients = new ArrayList<>();
  private long made;

  Workload(
      World world, List<SimulatedNode> machines, Oracle oracle, Mutant mutant, int clientCount) {
    this.world = world;
    this.chance = world.chance();
    this.machines = machines;
    this.oracle = oracle;
    this.mutant = mutant;
    for (int i = 0; i < clientCount; i++) {
      clients.add(new Client());
    }
  }

  /** One of the records that hold a bit of everything. */
  static RecordKey note(Random chance) {
    return new RecordKey("main", "doc", "r" + chance.nextInt(4));
  }

  /** One client does one thing. */
  void step() {
    int who = chance.nextInt(clients.size());
    Client client = clients.get(who);
    SimulatedNode machine =
        chance.nextInt(4) == 0
            ? machines.get(chance.nextInt(machines.size()))
            : machines.get(who % machines.size());
    int kind = chance.nextInt(20);
    RecordKey key = kind < 3 ? COUNTED : kind < 6 ? COLLECTED : note(chance);
    SimulatedNode.Running process = machine.process();
    if (process == null || machine.hasDied()) {
      return;
    }
    Node node = process.node();
    if (kind == 19) {
      decide(machine, node);
      return;
    }
    if (chance.nextInt(60) == 0 && mutant != Mutant.WRONG_TIE_BREAK) {
      change(machine, node);
      return;
    }
    if (!node.known().dominates(client.seen) && mutant != Mutant.STALE_SESSION) {
      return;
    }
    read(client, machine.name(), node, key);
    // No request's name is the beginning of another's.
    String request = "client-" + who + "-" + made++ + ".";
    Edit edit = edit(kind, key, node, request);
    Seen seen =
        kind < 6
            ? new Seen.Everything()
            : new Seen.Context(client.contexts.getOrDefault(key, VersionVector.EMPTY));
    WriteRequest write =
        new WriteRequest(
            key,
            edit,
            seen,
            "client-" + who,
            Optional.empty(),
            Optional.of("i" + request),
            sender(who, machine),
            Optional.empty(),
            Optional.empty(),
            "");
    write(client, machine, write, 0);
    if (chance.nextInt(REPEATED) == 0) {
      repeat(who, write);
    }
  }

  private WriteRequest.Sender sender(int who, SimulatedNode machine) {
    return WriteRequest.Sender.of(
        mutant == Mutant.LOCAL_REQUEST_IDS ? machine.name() : "client-" + who);
  }

  /** Sends a request again, to any node at any time, whatever became of it. */
  private void repeat(int who, WriteRequest request) {
    SimulatedNode machine = machines.get(chance.nextInt(machines.size()));
    WriteRequest again =
        new WriteRequest(
            request.key(),
            request.edit(),
            request.seen(),
            request.author(),
            request.device(),
            request.requestId(),
            sender(who, machine),
            request.at(),
            request.base(),
            request.note());
    Client nobody = new Client();
    world.in(chance.nextInt(REPEATED_WITHIN_MILLIS), () -> write(nobody, machine, again, 0));
  }

  private void read(Client client, String machine, Node node, RecordKey key) {
    Snapshot now = node.read(key);
    VersionVector before = client.contexts.getOrDefault(key, VersionVector.EMPTY);
    Causality order = now.state().context().compare(before);
    if (order == Causality.BEFORE || order == Causality.CONCURRENT) {
      throw new Oracle.Broken(
          "14: at " + machine + " a client sees less of " + key + " than before");
    }
    client.contexts.put(key, now.state().context());
    client.seen = client.seen.join(now.state().context());
  }

  private Edit edit(int kind, RecordKey key, Node node, String request) {
    if (kind < 3) {
      long by = 1L + chance.nextInt(5);
      oracle.attempts(request, by);
      return ops(new Operation.Increment(Path.of("n"), by));
    }
    if (kind < 6) {
      oracle.attempts(request, request);
      return ops(new Operation.EditSet(Path.of("tags"), List.of(Json.of(request)), List.of()));
    }
    Json data = node.read(key).view().data();
    return switch (kind) {
      case 6, 7, 8 -> ops(new Operation.Set(Path.of("a"), Json.of(request)));
      case 9, 10 -> ops(new Operation.Set(Path.of("status"), Json.of(request)));
      case 11 -> ops(new Operation.Set(Path.of("high"), Json.of(chance.nextInt(1_000_000))));
      case 12, 13, 14 ->
          ops(
              new Operation.Splice(
                  Path.of("body"),
                  new Splice(0, 0, Json.of(request.substring(request.length() - 2)))));
      case 15 -> new Edit.Delete();
      case 16 -> removal(data, request);
      default ->
          new Edit.Put(
              (data instanceof JsonObject object ? object : JsonObject.EMPTY)
                  .with("a", Json.of(request))
                  .with("nested", JsonObject.of("x", Json.of(made))));
    };
  }

  private static Edit removal(Json data, String request) {
    List<Json> there =
        data instanceof JsonObject object && object.get("tags") instanceof JsonArray array
            ? array.items()
            : List.of();
    return ops(
        new Operation.EditSet(
            Path.of("tags"),
            List.of(Json.of(request)),
            there.isEmpty() ? List.of() : List.of(there.getFirst())));
  }

  private static Edit ops(Operation operation) {
    return new Edit.Operations(List.of(operation));
  }

  private void write(Client client, SimulatedNode machine, WriteRequest request, int tries) {
    String id = request.requestId().orElseThrow().substring(1);
    SimulatedNode.Running process = machine.process();
    if (process == null || machine.hasDied()) {
      later(client, machine, request, tries);
      return;
    }
    Node node = process.node();
    try {
      Outcome outcome = node.write(request).join();
      oracle.look(machine.name(), node);
      switch (outcome) {
        case Outcome.Accepted accepted -> {
          world.tell(machine.name() + " " + id + " " + accepted.kind() + " " + request.key());
          oracle.acknowledged(id);
          remember(client, request.key(), accepted.after());
        }
        case Outcome.Duplicate duplicate -> {
          world.tell(machine.name() + " " + id + " again");
          oracle.acknowledged(id);
          remember(client, request.key(), duplicate.now());
        }
        case Outcome.Rejected rejected ->
            world.tell(machine.name() + " " + id + " rejected: " + rejected.code());
      }
    } catch (NodeStoppedException e) {
      later(client, machine, request, tries);
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof NodeStoppedException)) {
        throw new Oracle.Broken("42: " + id + " failed: " + e.getCause());
      }
      world.tell(machine.name() + " " + id + " unknown");
      machine.hasDied();
      if (mutant == Mutant.EARLY_ACKNOWLEDGEMENT) {
        oracle.acknowledged(id);
      } else {
        later(client, machine, request, tries);
      }
    }
  }

  private static void remember(Client client, RecordKey key, Snapshot after) {
    client.contexts.put(key, after.state().context());
    client.seen = client.seen.join(after.state().context());
  }

  /** Sends again what was not answered. */
  private void later(Client client, SimulatedNode machine, WriteRequest request, int tries) {
    if (tries < 5) {
      WriteRequest again =
          mutant == Mutant.LOST_IDEMPOTENCY
              ? new WriteRequest(
                  request.key(),
                  request.edit(),
                  request.seen(),
                  request.author(),
                  request.device(),
                  Optional.of(request.requestId().orElseThrow() + "'"),
                  request.sender(),
                  request.at(),
                  request.base(),
                  request.note())
              : request;
      world.in(150, () -> write(client, machine, again, tries + 1));
    }
  }

  /** Somebody changes the policy. */
  private void change(SimulatedNode machine, Node node) {
    String policy =
        POLICIES
            .getFirst()
            .replace("highest-value", chance.nextBoolean() ? "lowest-value" : "highest-value");
    try {
      node.putPolicy("main", policy, "operator").join();
      world.tell(machine.name() + " has another policy");
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    } catch (NodeStoppedException | CompletionException e) {
      world.tell(machine.name() + " gets another policy, and dies");
      machine.hasDied();
    }
  }

  private void decide(SimulatedNode machine, Node node) {
    List<Review> pending = node.reviews("main", Review.Status.PENDING, Optional.empty(), 10);
    if (!pending.isEmpty()) {
      Review review = pending.get(chance.nextInt(pending.size()));
      try {
        Decision.Result result =
            node.decide("main", review.id(), new Decision.Choose(0), "eve", "").join();
        world.tell(machine.name() + " decides: " + result.getClass().getSimpleName());
        oracle.look(machine.name(), node);
      } catch (NodeStoppedException | CompletionException e) {
        world.tell(machine.name() + " decides, and dies");
        machine.hasDied();
      }
    }
  }
}
