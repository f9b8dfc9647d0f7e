// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.SortedChunkMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.CausalJson;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.Counter.Tally;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.crdt.ObservedSet.Presence;
import dev.entente.core.crdt.Register;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Members;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * A replica's state, or what of it somebody lacks, as JSON. Members: {@code kind}; {@code seen} and
 * {@code since}, the vectors of the sender and of whom it is for; {@code cell}, what is beyond
 * {@code since}; {@code kept}, the dots within {@code since} that are still there.
 *
 * @param cell without what is in {@code kept}
 */
record StateForm(VersionVector seen, VersionVector since, Set<Dot> kept, Cell cell) {
  static final int FORMAT = 1;

  /** The end of the year 9999: a clock that has observed more could not go on. */
  private static final long MILLIS_MAX = 253_402_300_799_999L;

  static Json write(String kind, VersionVector seen, VersionVector since, Cell cell) {
    List<Json> kept = new ArrayList<>();
    Json content =
        switch (cell) {
          case Counter counter -> write(counter, seen, since);
          case ObservedSet set -> write(set, since, kept);
          case Register register -> write(register, since, kept);
          default -> throw new IllegalArgumentException("no cell of a replica");
        };
    return JsonObject.of(
        Map.of(
            "format", Json.of(FORMAT),
            "kind", Json.of(kind),
            "seen", CausalJson.of(seen),
            "since", CausalJson.of(since),
            "kept", new JsonArray(kept.stream().sorted().toList()),
            "cell", content));
  }

  private static Json write(Counter counter, VersionVector seen, VersionVector since) {
    TreeMap<String, Json> tallies = new TreeMap<>();
    counter
        .tallies()
        .forEach((node, tally) -> {
          if (seen.get(node) > since.get(node)) {
            tallies.put(
                node.value(),
                new JsonArray(List.of(JsonNumber.of(tally.ups()), JsonNumber.of(tally.downs()))));
          }
        });
    return JsonObject.of(tallies);
  }

  private static Json write(ObservedSet set, VersionVector since, List<Json> kept) {
    List<Json> elements = new ArrayList<>();
    set.elements()
        .forEach((element, presence) -> {
          Json added = beyond(presence.added(), since, kept);
          Json removed = beyond(presence.removed(), since, kept);
          if (!added.equals(JsonArray.EMPTY) || !removed.equals(JsonArray.EMPTY)) {
            elements.add(new JsonArray(List.of(element, added, removed)));
          }
        });
    return new JsonArray(elements);
  }

  private static Json write(Register register, VersionVector since, List<Json> kept) {
    List<Json> assignments = new ArrayList<>();
    for (Assignment assignment : register.values()) {
      if (since.contains(assignment.dot())) {
        kept.add(CausalJson.of(assignment.dot()));
        continue;
      }
      JsonObject one =
          JsonObject.of(
              Map.of(
                  "dot", CausalJson.of(assignment.dot()),
                  "context", CausalJson.of(assignment.context().vector()),
                  "time", JsonNumber.of(assignment.time().packed())));
      assignments.add(assignment.value().isAbsent() ? one : one.with("value", assignment.value()));
    }
    return new JsonArray(assignments);
  }

  private static Json beyond(List<Dot> dots, VersionVector since, List<Json> kept) {
    List<Json> beyond = new ArrayList<>();
    dots.forEach(dot -> (since.contains(dot) ? kept : beyond).add(CausalJson.of(dot)));
    return new JsonArray(beyond);
  }

  /**
   * Reads a state of a kind.
   *
   * @throws IllegalArgumentException where it is none, or says what cannot be
   */
  static StateForm read(String kind, Cell empty, Json json) {
    Members state = Members.of(json);
    if (state.number("format") != FORMAT) {
      throw new IllegalArgumentException("a format that this release does not read");
    }
    if (!state.text("kind").equals(kind)) {
      throw new IllegalArgumentException("not the state of a " + kind);
    }
    VersionVector seen = CausalJson.vector(state.value("seen"));
    VersionVector since = CausalJson.vector(state.value("since"));
    Set<Dot> kept = new HashSet<>(dots(state.value("kept"), since::contains));
    Json content = state.value("cell");
    state.end();
    Predicate<Dot> fresh = dot -> seen.contains(dot) && !since.contains(dot);
    Cell cell =
        switch (empty) {
          case Counter _ -> counter(content, seen, kind.equals("g-counter"));
          case ObservedSet _ -> set(content, fresh, kind.equals("rw-set"));
          default -> register(content, fresh);
        };
    return new StateForm(seen, since, kept, cell);
  }

  private static Cell counter(Json json, VersionVector seen, boolean growsOnly) {
    if (!(json instanceof JsonObject object)) {
      throw new IllegalArgumentException("the cell of a counter is an object");
    }
    TreeMap<NodeId, Tally> tallies = new TreeMap<>();
    object
        .members()
        .forEach((name, tally) -> {
          List<Json> sums = Members.items(tally, 2, "a tally");
          NodeId node = new NodeId(name);
          Tally read =
              new Tally(Members.number(sums.get(0), "a sum"), Members.number(sums.get(1), "a sum"));
          if (seen.get(node) == 0) {
            throw new IllegalArgumentException("a tally of " + name + ", which was not seen");
          }
          if (growsOnly && read.downs() > 0) {
            throw new IllegalArgumentException("a grow-only counter never falls");
          }
          tallies.put(node, read);
        });
    return new Counter(SortedArrayMap.copyOf(tallies));
  }

  private static Cell set(Json json, Predicate<Dot> fresh, boolean removals) {
    TreeMap<Json, Presence> elements = new TreeMap<>();
    Set<Dot> used = new HashSet<>();
    for (Json one : Members.items(json, "the cell of a set")) {
      List<Json> parts = Members.items(one, 3, "an element of a set");
      Presence presence = new Presence(dots(parts.get(1), fresh), dots(parts.get(2), fresh));
      if (isEmpty(presence) || (!removals && !presence.removed().isEmpty())) {
        throw new IllegalArgumentException("no element of a set");
      }
      if (elements.put(parts.get(0), presence) != null
          || !presence.added().stream().allMatch(used::add)
          || !presence.removed().stream().allMatch(used::add)) {
        throw new IllegalArgumentException("an element or a change twice");
      }
    }
    return set(elements);
  }

  private static Cell set(TreeMap<Json, Presence> elements) {
    return new ObservedSet(
        SortedChunkMap.ofSorted(
            new ArrayList<>(elements.keySet()), new ArrayList<>(elements.values())));
  }

  private static Cell register(Json json, Predicate<Dot> fresh) {
    TreeMap<Dot, Assignment> assignments = new TreeMap<>();
    for (Json one : Members.items(json, "the cell of a register")) {
      Members parts = Members.of(one);
      Dot dot = CausalJson.dot(parts.value("dot"));
      requireAllowed(dot, fresh);
      CausalContext context = CausalContext.of(CausalJson.vector(parts.value("context")));
      HybridTime time = new HybridTime(parts.number("time"));
      Json value = parts.valueOrAbsent("value");
      parts.end();
      if (context.contains(dot) || time.millis() > MILLIS_MAX) {
        throw new IllegalArgumentException("no assignment");
      }
      Assignment assignment =
          new Assignment(dot, context, time, time, dot.node().value(), value, List.of());
      if (assignments.put(dot, assignment) != null) {
        throw new IllegalArgumentException("an assignment twice");
      }
    }
    return new Register(SortedArrayMap.copyOf(assignments));
  }

  private static List<Dot> dots(Json json, Predicate<Dot> allowed) {
    List<Dot> dots = CausalJson.dots(json);
    for (Dot dot : dots) {
      requireAllowed(dot, allowed);
    }
    dots.sort(null);
    return dots;
  }

  private static void requireAllowed(Dot dot, Predicate<Dot> allowed) {
    if (!allowed.test(dot)) {
      throw new IllegalArgumentException(dot + " is not within what was seen");
    }
  }

  /** The sender's whole cell, of what came and of what the receiver has of {@link #kept}. */
  Cell completed(Cell mine) {
    return switch (mine) {
      case ObservedSet set -> {
        TreeMap<Json, Presence> elements = new TreeMap<>();
        set.elements().forEach((element, presence) -> put(elements, element, kept(presence)));
        ((ObservedSet) cell).elements().forEach((element, fresh) -> put(elements, element, fresh));
        yield set(elements);
      }
      case Register register -> {
        TreeMap<Dot, Assignment> all = new TreeMap<>();
        register
            .values()
            .forEach(assignment -> {
              if (kept.contains(assignment.dot())) {
                all.put(assignment.dot(), assignment);
              }
            });
        ((Register) cell).values().forEach(assignment -> all.put(assignment.dot(), assignment));
        yield new Register(SortedArrayMap.copyOf(all));
      }
      default -> cell;
    };
  }

  private Presence kept(Presence presence) {
    return new Presence(
        presence.added().stream().filter(kept::contains).toList(),
        presence.removed().stream().filter(kept::contains).toList());
  }

  private static boolean isEmpty(Presence presence) {
    return presence.added().isEmpty() && presence.removed().isEmpty();
  }

  private static void put(TreeMap<Json, Presence> elements, Json element, Presence more) {
    if (!isEmpty(more)) {
      elements.merge(
          element,
          more,
          (a, b) -> new Presence(sum(a.added(), b.added()), sum(a.removed(), b.removed())));
    }
  }

  private static List<Dot> sum(List<Dot> a, List<Dot> b) {
    Set<Dot> all = new HashSet<>(a);
    all.addAll(b);
    return all.stream().sorted().toList();
  }
}
