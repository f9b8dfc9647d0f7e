// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.cluster.Authority;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Outcome;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.simulation.History.Act;
import dev.entente.simulation.History.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Clients of records that must agree: they read at any voter, write and swap at whoever says that
 * it leads, and note what they did and were told, for the check at the end. What was not answered
 * is asked again elsewhere under the same key.
 */
final class StrictClients {
  private static final int CLIENTS = 4;
  private static final int REGISTERS = 2;
  private static final int TRIES_MAX = 3;

  /** What a client has read last of a register. */
  private record Last(String value, VersionVector context) {}

  /** Something that a client has asked and was not told of yet. */
  private static final class Pending {
    private final Operation asked;
    private boolean told;

    Pending(Operation asked) {
      this.asked = asked;
    }
  }

  private final World world;
  private final Random chance;
  private final List<SimulatedNode> voters;
  private final Oracle oracle;
  private final List<Pending> pending = new ArrayList<>();
  private final History history = new History();
  private final Map<String, Last> last = new TreeMap<>();
  private long made;

  StrictClients(World world, List<SimulatedNode> voters, Oracle oracle) {
    this.world = world;
    this.chance = world.chance();
    this.voters = List.copyOf(voters);
    this.oracle = oracle;
  }

  /** All that was done; what was never answered may have happened. */
  History history() {
    for (Pending each : pending) {
      if (!each.told) {
        history.add(each.asked);
      }
    }
    pending.clear();
    return history;
  }

  /** One client does one thing. */
  void step() {
    String client = "strict-" + chance.nextInt(CLIENTS);
    RecordKey key = new RecordKey("main", "seat", "s" + chance.nextInt(REGISTERS));
    SimulatedNode at = voters.get(chance.nextInt(voters.size()));
    if (chance.nextInt(5) < 2) {
      read(client, key, at);
    } else {
      write(client, key);
    }
  }

  private static String value(Snapshot snapshot) {
    return snapshot.view().data() instanceof JsonObject object
            && object.get("v") instanceof JsonString(String text)
        ? text
        : "";
  }

  private void read(String client, RecordKey key, SimulatedNode at) {
    SimulatedNode.Running process = at.process();
    if (process == null || !at.isAwake() || at.hasDied()) {
      return;
    }
    long called = world.nowMillis();
    var _ =
        process
            .authority()
            .awaitFresh(key)
            .thenAccept(fresh -> {
              if (fresh && at.process() == process && !at.hasDied()) {
                Snapshot now = process.node().read(key);
                last.put(client + key.id(), new Last(value(now), now.state().context()));
                did(client, key, called, new Act.Read(value(now)));
              }
            });
  }

  private void did(String client, RecordKey key, long called, Act act) {
    history.add(new Operation(key.id(), client, called, world.nowMillis(), act));
    world.tell(client + " " + key.id() + " since " + called + ": " + act);
  }

  private void write(String client, RecordKey key) {
    String value = client + "." + made++;
    Last seen = last.get(client + key.id());
    boolean swap = chance.nextInt(3) > 0;
    Act act = swap && seen != null ? new Act.Swap(seen.value(), value, true) : new Act.Write(value);
    WriteRequest request =
        new WriteRequest(
            key,
            new Edit.Put(JsonObject.of("v", Json.of(value))),
            swap && seen != null ? new Seen.Exactly(seen.context()) : new Seen.Everything(),
            client,
            Optional.empty(),
            Optional.of("k" + value),
            WriteRequest.Sender.NONE,
            Optional.empty(),
            Optional.empty(),
            "");
    Pending asked =
        new Pending(new Operation(key.id(), client, world.nowMillis(), History.NEVER, act));
    write(asked, request, 0);
  }

  /** Writes where one of the voters says that such records are accepted now. */
  private void write(Pending asked, WriteRequest request, int tries) {
    SimulatedNode.Running process = accepting(voters.get(chance.nextInt(voters.size())), request);
    if (process == null) {
      if (tries > 0) {
        later(asked, request, tries);
      }
      return;
    }
    if (tries == 0) {
      pending.add(asked);
    }
    var _ =
        process
            .authority()
            .write(request)
            .whenComplete((outcome, problem) -> answered(asked, request, tries, outcome, problem));
  }

  /** The process that accepts a write, as one voter sees it: itself, or another that it names. */
  private SimulatedNode.@Nullable Running accepting(SimulatedNode at, WriteRequest request) {
    SimulatedNode.Running process = at.process();
    if (process == null || !at.isAwake() || at.hasDied()) {
      return null;
    }
    return switch (process.authority().place(request)) {
      case Authority.Place.Here _, Authority.Place.Together _ -> process;
      case Authority.Place.Nowhere _ -> null;
      case Authority.Place.There(String name, _) ->
          voters.stream()
              .filter(voter -> voter.name().equals(name) && voter.isAwake() && !voter.hasDied())
              .findFirst()
              .map(SimulatedNode::process)
              .orElse(null);
    };
  }

  private void answered(
      Pending asked,
      WriteRequest request,
      int tries,
      @Nullable Outcome outcome,
      @Nullable Throwable problem) {
    Throwable cause = problem instanceof CompletionException ? problem.getCause() : problem;
    Operation operation = asked.asked;
    if (cause instanceof NotLeadingException && tries == 0) {
      asked.told = true;
      return;
    }
    if (cause != null) {
      later(asked, request, tries);
      return;
    }
    String id = request.requestId().orElseThrow().substring(1);
    switch (outcome) {
      case Outcome.Accepted _, Outcome.Duplicate _ -> {
        asked.told = true;
        oracle.acknowledged(id);
        did(operation.client(), request.key(), operation.called(), operation.act());
      }
      case Outcome.Rejected rejected when rejected.code() == Outcome.Code.STALE && tries == 0 -> {
        asked.told = true;
        if (operation.act() instanceof Act.Swap(String expected, String value, _)) {
          Act failed = new Act.Swap(expected, value, false);
          did(operation.client(), request.key(), operation.called(), failed);
        }
      }
      // Whether an earlier try went through stays open.
      case Outcome.Rejected _ -> world.tell(id + " stays unknown");
      case null -> throw new IllegalStateException("neither an answer nor a problem");
    }
  }

  private void later(Pending asked, WriteRequest request, int tries) {
    if (tries < TRIES_MAX) {
      world.in(200, () -> write(asked, request, tries + 1));
    }
  }
}
