// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Limit;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Identity;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Plays a scenario's events through a node, in their order. Not thread-safe. */
public final class Player {
  private final Node node;
  private final String tenant;
  private final String suffix;
  private final Map<String, Snapshot> after = new LinkedHashMap<>();
  private final Map<String, RecordKey> records = new LinkedHashMap<>();
  private final Map<String, String> outcomes = new LinkedHashMap<>();

  /**
   * @param suffix is put behind every record's id, so that a scenario can be played again beside
   *     itself
   */
  public Player(Node node, String tenant, String suffix) {
    this.node = node;
    this.tenant = tenant;
    this.suffix = suffix;
  }

  /** Puts the scenario's policies in force. */
  public void install(Scenario scenario) throws PolicyException {
    for (String policy : scenario.policies()) {
      node.putPolicy(tenant, policy, "scenario " + scenario.name()).join();
    }
  }

  /** Plays one event. */
  public Outcome play(JsonObject event) {
    String type = Scenario.text(event.get("type"));
    String id =
        event.get("record") instanceof JsonString(String given)
            ? given
            : Identity.derive(node.policy(tenant, type), identified(event));
    RecordKey key = new RecordKey(tenant, type, id + suffix);
    WriteRequest request =
        new WriteRequest(
            key,
            edit(event, node.policy(tenant, type)),
            seen(event),
            Scenario.text(event.get("author")),
            event.get("device") instanceof JsonString(String device)
                ? Optional.of(device)
                : Optional.empty(),
            event.get("event") instanceof JsonString(String eventId)
                ? Optional.of("e" + eventId + suffix)
                : Optional.empty(),
            WriteRequest.Sender.NONE,
            event.get("at") instanceof JsonString(String at)
                ? Optional.of(HybridTime.ofMillis(Instant.parse(at).toEpochMilli()))
                : Optional.empty(),
            Optional.empty(),
            "");
    Outcome outcome = node.write(request).join();
    String label = Scenario.text(event.get("as"));
    records.put(id, key);
    outcomes.put(
        label,
        switch (outcome) {
          case Outcome.Accepted accepted -> accepted.kind().label();
          case Outcome.Duplicate _ -> "duplicate";
          case Outcome.Rejected rejected -> "rejected: " + rejected.code().label();
        });
    after.put(label, node.read(key));
    return outcome;
  }

  private static JsonObject identified(JsonObject event) {
    return event.with("data", event.get("put"));
  }

  private Edit edit(JsonObject event, Policy policy) {
    if (event.get("put") instanceof JsonObject document) {
      return new Edit.Put((JsonObject) besideItself(document, policy));
    }
    if (!event.get("merge").isAbsent()) {
      return new Edit.MergePatch(event.get("merge"));
    }
    if (event.get("ops") instanceof JsonArray ops) {
      List<Edit.Operation> operations = new ArrayList<>();
      for (Json op : ops.items()) {
        operations.add(operation((JsonObject) op));
      }
      return new Edit.Operations(operations);
    }
    return new Edit.Delete();
  }

  /** What only one record may hold is told apart as the records are. */
  private Json besideItself(Json document, Policy policy) {
    Json result = document;
    for (Limit limit : policy.limits()) {
      for (Path path : limit.by()) {
        if (path.in(document) instanceof JsonString(String value)) {
          result = path.set(result, Json.of(value + suffix));
        }
      }
    }
    return result;
  }

  private static Edit.Operation operation(JsonObject op) {
    Path path = Path.parse(Scenario.text(op.get("path")));
    if (op.get("increment") instanceof JsonNumber by) {
      return new Edit.Operation.Increment(path, by.longValue());
    }
    if (!op.get("set").isAbsent()) {
      return new Edit.Operation.Set(path, op.get("set"));
    }
    return new Edit.Operation.EditSet(path, items(op.get("add")), items(op.get("remove")));
  }

  private static List<Json> items(Json json) {
    return json instanceof JsonArray array ? array.items() : List.of();
  }

  private Seen seen(JsonObject event) {
    if (event.get("exactly") instanceof JsonString(String label)) {
      return new Seen.Exactly(context(label));
    }
    return switch (event.get("seen")) {
      case JsonString(String label) when label.equals("nothing") -> new Seen.Nothing();
      case JsonString(String label) -> new Seen.Context(context(label));
      case JsonAbsent _ -> new Seen.Everything();
      default -> throw new IllegalArgumentException("seen names an event, or nothing");
    };
  }

  private dev.entente.core.causality.VersionVector context(String label) {
    Snapshot snapshot = after.get(label);
    if (snapshot == null) {
      throw new IllegalArgumentException("no event before is called " + label);
    }
    return snapshot.state().context();
  }

  /** What became of each event, by its label. */
  public Map<String, String> outcomes() {
    return outcomes;
  }

  /** The records as they are, by the ids that the scenario gives them. */
  public Map<String, Snapshot> records() {
    Map<String, Snapshot> snapshots = new LinkedHashMap<>();
    records.forEach((id, key) -> snapshots.put(id, node.read(key)));
    return snapshots;
  }
}
