// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.PrunedException;
import dev.entente.engine.Registry;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Undoes what a node that is removed has granted. What no trusted administrator signed is undone in
 * any case; what one signed was granted through that node by somebody who may, and is undone where
 * the node is said to have been taken over, since then its key was not its administrator's alone.
 * What the node took away stays away. Undoing is an ordinary version: it is signed, travels to all
 * nodes and stands in the history.
 */
public final class PlantedAccess {
  private static final int PAGE = 1_000;

  /** So many records are listed of what was undone, and of what was left. */
  private static final int LISTED_MAX = 1_000;

  private static final Json DISABLED = Json.of("disabled");

  private final Node node;
  private final NodeId removed;
  private final boolean takenOver;
  private final String by;
  private final List<Json> undone = new ArrayList<>();
  private final List<Json> left = new ArrayList<>();
  private int undoneCount;
  private int leftCount;

  private PlantedAccess(Node node, NodeId removed, boolean takenOver, String by) {
    this.node = node;
    this.removed = removed;
    this.takenOver = takenOver;
    this.by = by;
  }

  /**
   * Undoes what a node granted, and reports.
   *
   * @param removed the node, by its name or with an incarnation
   * @param takenOver whether what it granted under a trusted signature is undone too
   * @param by who says so
   * @return what was undone, what was left and why; see {@code openapi.yaml}
   */
  public static JsonObject undo(Node node, NodeId removed, boolean takenOver, String by) {
    PlantedAccess planted = new PlantedAccess(node, removed, takenOver, by);
    for (String type : List.of(Registry.ACCOUNT, Registry.TOKEN, Registry.WEBHOOK)) {
      Optional<String> after = Optional.empty();
      List<RecordKey> page;
      do {
        page = node.records(Registry.TENANT, type, after, PAGE);
        page.forEach(planted::examine);
        after = page.isEmpty() ? after : Optional.of(page.getLast().id());
      } while (page.size() == PAGE);
    }
    return planted.report();
  }

  private JsonObject report() {
    return JsonObject.of(
        Map.of(
            "undone", Json.of(undone),
            "undoneCount", Json.of(undoneCount),
            "left", Json.of(left),
            "leftCount", Json.of(leftCount)));
  }

  private void examine(RecordKey key) {
    List<Version> all = node.versions(key).stream().map(VersionCodec::fromBytes).toList();
    List<Version> theirs = all.stream().filter(this::isTheirs).toList();
    if (theirs.isEmpty()) {
      return;
    }
    boolean isProven = theirs.stream().allMatch(node.accessKeys()::isProven);
    if (!(node.read(key).view().data() instanceof JsonObject data)) {
      leave(key, "it is deleted and has no effect");
    } else if (isProven && !takenOver) {
      leave(
          key,
          "an administrator who is trusted here signed it; if that node was taken over, undo it"
              + " with --undo-access");
    } else if (!key.type().equals(Registry.ACCOUNT)) {
      write(key, new Edit.Delete());
      undo(key, "deleted");
    } else {
      try {
        undoGrants(key, data, all);
      } catch (PrunedException e) {
        leave(key, "the history that tells who granted what is not kept; look at it");
      }
    }
  }

  private boolean isTheirs(Version version) {
    return version.dot().node().answersTo(removed);
  }

  /** Takes away what only the removed node granted. */
  private void undoGrants(RecordKey key, JsonObject data, List<Version> all) {
    Set<Json> granted = new LinkedHashSet<>(grants(data));
    Set<Json> byOthers = new LinkedHashSet<>();
    boolean disables = all.stream().allMatch(this::isTheirs);
    for (Version version : all) {
      VersionVector before = version.context().vector();
      JsonObject then = at(key, before);
      JsonObject since = at(key, before.with(version.dot()));
      if (isTheirs(version)) {
        disables |= isDisabled(then) && !isDisabled(since);
      } else {
        Set<Json> added = new LinkedHashSet<>(grants(since));
        added.removeAll(grants(then));
        byOthers.addAll(added);
      }
    }
    Set<Json> rest = new LinkedHashSet<>(granted);
    rest.retainAll(byOthers);
    disables &= !isDisabled(data);
    if (rest.size() == granted.size() && !disables) {
      leave(key, "it has no grant that only that node gave; what that node took away stays away");
      return;
    }
    JsonObject now = data.with("grants", Json.of(List.copyOf(rest)));
    write(key, new Edit.Put(disables ? now.with("status", DISABLED) : now));
    granted.removeAll(rest);
    undo(
        key,
        (disables ? "disabled; " : "") + "grants taken away: " + Json.of(List.copyOf(granted)));
  }

  private JsonObject at(RecordKey key, VersionVector context) {
    return node.readThrough(key, context).view().data() instanceof JsonObject data
        ? data
        : JsonObject.EMPTY;
  }

  private static List<Json> grants(JsonObject data) {
    return data.get("grants") instanceof JsonArray(List<Json> items) ? items : List.of();
  }

  private static boolean isDisabled(JsonObject data) {
    return data.get("status").equals(DISABLED);
  }

  private void write(RecordKey key, Edit edit) {
    Outcome outcome = node.write(WriteRequest.of(key, edit, new Seen.Everything(), by)).join();
    if (outcome instanceof Outcome.Rejected rejected) {
      throw new IllegalStateException(key + " was not changed: " + rejected.message());
    }
  }

  private void undo(RecordKey key, String what) {
    undoneCount++;
    add(undone, key, "what", what);
  }

  private void leave(RecordKey key, String why) {
    leftCount++;
    add(left, key, "why", why);
  }

  private static void add(List<Json> list, RecordKey key, String name, String text) {
    if (list.size() < LISTED_MAX) {
      list.add(
          JsonObject.of(
              Map.of("record", Json.of(key.type() + "/" + key.id()), name, Json.of(text))));
    }
  }
}
