// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.SortedChunkMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
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
import dev.entente.core.json.JsonString;
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
            "seen", write(seen),
            "since", write(since),
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
        kept.add(write(assignment.dot()));
        continue;
      }
      JsonObject one =
          JsonObject.of(
              Map.of(
                  "dot", write(assignment.dot()),
                  "context", write(assignment.context().vector()),
                  "time", JsonNumber.of(assignment.time().packed())));
      assignments.add(assignment.value().isAbsent() ? one : one.with("value", assignment.value()));
    }
    return new JsonArray(assignments);
  }

  private static Json beyond(List<Dot> dots, VersionVector since, List<Json> kept) {
    List<Json> beyond = new ArrayList<>();
    dots.forEach(dot -> (since.contains(dot) ? kept : beyond).add(write(dot)));
    return new JsonArray(beyond);
  }

  private static Json write(Dot dot) {
    return new JsonArray(List.of(Json.of(dot.node().value()), JsonNumber.of(dot.number())));
  }

  private static Json write(VersionVector vector) {
    TreeMap<String, Json> entries = new TreeMap<>();
    vector.entries().forEach((node, number) -> entries.put(node.value(), JsonNumber.of(number)));
    return JsonObject.of(entries);
  }

  /**
   * Reads a state of a kind.
   *
   * @throws IllegalArgumentException where it is none, or says what cannot be
   */
  static StateForm read(String kind, Cell empty, Json json) {
    JsonObject state = object(json);
    if (!state.get("format").equals(Json.of(FORMAT))) {
      throw new IllegalArgumentException("a format that this release does not read");
    }
    if (!state.get("kind").equals(Json.of(kind))) {
      throw new IllegalArgumentException("not the state of a " + kind);
    }
    if (state.members().size() != 6) {
      throw new IllegalArgumentException("unknown members");
    }
    VersionVector seen = vector(state.get("seen"));
    VersionVector since = vector(state.get("since"));
    Set<Dot> kept = new HashSet<>(dots(state.get("kept"), since::contains));
    Predicate<Dot> fresh = dot -> seen.contains(dot) && !since.contains(dot);
    Cell cell =
        switch (empty) {
          case Counter _ -> counter(object(state.get("cell")), seen, kind.equals("g-counter"));
          case ObservedSet _ -> set(items(state.get("cell")), fresh, kind.equals("rw-set"));
          default -> register(items(state.get("cell")), fresh);
        };
    return new StateForm(seen, since, kept, cell);
  }

  private static Cell counter(JsonObject json, VersionVector seen, boolean growsOnly) {
    TreeMap<NodeId, Tally> tallies = new TreeMap<>();
    json.members()
        .forEach((name, tally) -> {
          List<Json> sums = items(tally);
          NodeId node = new NodeId(name);
          if (sums.size() != 2 || seen.get(node) == 0) {
            throw new IllegalArgumentException("no tally of " + name);
          }
          Tally read = new Tally(number(sums.get(0)), number(sums.get(1)));
          if (growsOnly && read.downs() > 0) {
            throw new IllegalArgumentException("a grow-only counter never falls");
          }
          tallies.put(node, read);
        });
    return new Counter(SortedArrayMap.copyOf(tallies));
  }

  private static Cell set(List<Json> json, Predicate<Dot> fresh, boolean removals) {
    TreeMap<Json, Presence> elements = new TreeMap<>();
    Set<Dot> used = new HashSet<>();
    for (Json one : json) {
      List<Json> parts = items(one);
      if (parts.size() != 3) {
        throw new IllegalArgumentException("no element of a set");
      }
      Presence presence = new Presence(dots(parts.get(1), fresh), dots(parts.get(2), fresh));
      if ((presence.added().isEmpty() && presence.removed().isEmpty())
          || (!removals && !presence.removed().isEmpty())) {
        throw new IllegalArgumentException("no element of a set");
      }
      if (elements.put(parts.get(0), presence) != null
          || !presence.added().stream().allMatch(used::add)
          || !presence.removed().stream().allMatch(used::add)) {
        throw new IllegalArgumentException("an element or a change twice");
      }
    }
    return new ObservedSet(
        SortedChunkMap.ofSorted(
            new ArrayList<>(elements.keySet()), new ArrayList<>(elements.values())));
  }

  private static Cell register(List<Json> json, Predicate<Dot> fresh) {
    TreeMap<Dot, Assignment> assignments = new TreeMap<>();
    for (Json one : json) {
      JsonObject parts = object(one);
      Dot dot = dots(new JsonArray(List.of(parts.get("dot"))), fresh).getFirst();
      CausalContext context = CausalContext.of(vector(parts.get("context")));
      HybridTime time = new HybridTime(number(parts.get("time")));
      Json value = parts.get("value");
      int members = value.isAbsent() ? 3 : 4;
      if (parts.members().size() != members
          || context.contains(dot)
          || time.millis() > MILLIS_MAX) {
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
    List<Dot> dots = new ArrayList<>();
    for (Json one : items(json)) {
      List<Json> parts = items(one);
      if (parts.size() != 2 || !(parts.get(0) instanceof JsonString(String node))) {
        throw new IllegalArgumentException("no change's name");
      }
      Dot dot = new Dot(new NodeId(node), number(parts.get(1)));
      if (!allowed.test(dot)) {
        throw new IllegalArgumentException(dot + " is not within what was seen");
      }
      dots.add(dot);
    }
    dots.sort(null);
    return dots;
  }

  private static VersionVector vector(Json json) {
    TreeMap<NodeId, Long> entries = new TreeMap<>();
    object(json).members().forEach((node, number) -> entries.put(new NodeId(node), number(number)));
    return VersionVector.of(entries);
  }

  private static JsonObject object(Json json) {
    if (json instanceof JsonObject object) {
      return object;
    }
    throw new IllegalArgumentException("an object is missing");
  }

  private static List<Json> items(Json json) {
    if (json instanceof JsonArray(List<Json> items)) {
      return items;
    }
    throw new IllegalArgumentException("a list is missing");
  }

  private static long number(Json json) {
    if (json instanceof JsonNumber number && number.isLong()) {
      return number.longValue();
    }
    throw new IllegalArgumentException("a whole number of 64 bits is missing");
  }

  /** The sender's whole cell, of what came and of what the receiver has of {@link #kept}. */
  Cell completed(Cell mine) {
    return switch (mine) {
      case ObservedSet set -> {
        TreeMap<Json, Presence> elements = new TreeMap<>();
        set.elements().forEach((element, presence) -> put(elements, element, kept(presence)));
        ((ObservedSet) cell).elements().forEach((element, fresh) -> put(elements, element, fresh));
        yield new ObservedSet(
            SortedChunkMap.ofSorted(
                new ArrayList<>(elements.keySet()), new ArrayList<>(elements.values())));
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

  private static void put(TreeMap<Json, Presence> elements, Json element, Presence more) {
    if (!more.added().isEmpty() || !more.removed().isEmpty()) {
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
