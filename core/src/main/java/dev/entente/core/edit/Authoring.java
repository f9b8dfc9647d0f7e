// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.crdt.Splice;
import dev.entente.core.crdt.SumHistory;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.merge.SequenceDiff;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Group;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.CellId;
import dev.entente.core.record.CellId.CellClass;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Works out the changes that lead from what an author had read to what they want: assign the units
 * that differ, and only those.
 *
 * <p>{@code seen} is the state as the author saw it; {@code base} the document that they read
 * there.
 */
public final class Authoring {
  private final RecordState seen;
  private final RecordState current;
  private final Policy policy;
  private final String author;
  private final Json read;
  private final CellRemovals removals;

  /** The cells that operations write, none of which is in the document. */
  private final Set<Path> written = new TreeSet<>();

  private final List<Change> changes = new ArrayList<>();

  private Authoring(
      RecordState seen, RecordState current, Policy policy, String author, Json read) {
    this.seen = seen;
    this.current = current;
    this.policy = policy;
    this.author = author;
    this.read = read;
    this.removals = new CellRemovals(seen);
  }

  /**
   * The changes of an edit, parents before members; empty where it changes nothing.
   *
   * @throws EditProblem where the edit is malformed or not possible on the declared cells
   */
  public static List<Change> changes(
      RecordState seen, Policy policy, String author, Json base, Edit edit) throws EditProblem {
    return changes(seen, seen, policy, author, base, base, edit);
  }

  /**
   * The same where the author read another document than the cells make: the policy had settled a
   * conflict of the whole record. The changes make the cells what the author's document says.
   *
   * @param current the state that the changes will join
   * @param held what the cells make, without what was settled for the whole record
   */
  public static List<Change> changes(
      RecordState seen,
      RecordState current,
      Policy policy,
      String author,
      Json base,
      Json held,
      Edit edit)
      throws EditProblem {
    Authoring authoring = new Authoring(seen, current, policy, author, base);
    switch (edit) {
      case Edit.Put(JsonObject document) -> authoring.document(held, document);
      case Edit.MergePatch(Json patch) ->
          authoring.document(held, object(Patches.mergePatch(orEmpty(base), patch)));
      case Edit.JsonPatch(List<Json> operations) ->
          authoring.document(held, object(Patches.jsonPatch(orEmpty(base), operations)));
      case Edit.Operations(List<Edit.Operation> operations) ->
          authoring.operations(base, operations);
      case Edit.Delete() -> {
        if (!base.isAbsent()) {
          authoring.assign(Unit.ALIVE, JsonAbsent.ABSENT);
        }
      }
      case Edit.Erase() -> authoring.erase();
    }
    return authoring.removals.before(authoring.changes);
  }

  /**
   * Assigns one unit, whatever it held; how decisions are written.
   *
   * @param read the document as its author read it
   */
  public static List<Change> assignment(
      RecordState seen, Policy policy, String author, Json read, Unit unit, Json value)
      throws EditProblem {
    Authoring authoring = new Authoring(seen, seen, policy, author, read);
    if (!unit.isGroup() && value instanceof JsonObject object && !policy.isWhole(unit.path())) {
      authoring.revive(unit.path(), object);
    } else {
      authoring.assign(unit, value);
    }
    return authoring.removals.before(authoring.changes);
  }

  private void erase() {
    if (seen.isEmpty()) {
      return;
    }
    changes.add(new Change.Assign(Unit.ALIVE, JsonAbsent.ABSENT, List.of()));
    changes.add(new Change.Clear());
    for (CellId id : seen.sequences()) {
      if (seen.cells().get(id) instanceof Sequence sequence) {
        Json nothing = Sequence.empty(sequence.isText()).value();
        Splice all = new Splice(0, Sequence.length(sequence.value()), nothing);
        // Also where nothing is left in it: so that no earlier edit stays open.
        changes.add(new Change.EditSequence(id.unit().path(), List.of(all), Optional.empty()));
      }
    }
  }

  private static Json orEmpty(Json base) {
    return base.isAbsent() ? JsonObject.EMPTY : base;
  }

  private static JsonObject object(Json document) throws EditProblem {
    if (document instanceof JsonObject object) {
      return object;
    }
    throw new EditProblem("a record is an object; this would make it something else");
  }

  private void document(Json base, JsonObject target) throws EditProblem {
    if (policy.recordUnit()) {
      if (!target.equals(base)) {
        assign(Unit.ALIVE, target);
      }
    } else {
      difference(Path.ROOT, base, target);
    }
  }

  private void difference(Path path, Json base, Json target) throws EditProblem {
    FieldRule rule = policy.field(path);
    CellKind kind = rule == null ? CellKind.MAP : rule.cell();
    if (target.isAbsent()
        && (kind.cellClass() != CellClass.REGISTER || removals.holdsCells(path))) {
      if (!base.isAbsent()) {
        remove(path, kind);
      }
    } else if (kind.isCounter()) {
      count(path, kind, base, target);
    } else if (kind.isSet()) {
      elements(path, kind, base, target);
    } else if (kind.isSequence()) {
      sequence(path, kind, base, target);
    } else if (base.equals(target)) {
      return;
    } else if (kind == CellKind.REGISTER || !(target instanceof JsonObject wanted)) {
      assign(Unit.field(path), target);
    } else if (base instanceof JsonObject before) {
      members(path, before, wanted);
    } else {
      revive(path, wanted);
    }
  }

  private void members(Path path, JsonObject base, JsonObject target) throws EditProblem {
    Set<String> names = new TreeSet<>(base.members().keys());
    names.addAll(target.members().keys());
    Set<Group> groups = new LinkedHashSet<>();
    for (String name : names) {
      Group group = path.isRoot() ? policy.groupOf(name) : null;
      if (group == null) {
        difference(path.child(name), base.get(name), target.get(name));
      } else if (!base.get(name).equals(target.get(name))) {
        groups.add(group);
      }
    }
    for (Group group : groups) {
      assign(Unit.group(group.name()), tuple(group, target));
    }
  }

  private static JsonObject tuple(Group group, JsonObject document) {
    JsonObject tuple = JsonObject.EMPTY;
    for (String field : group.fields()) {
      tuple = tuple.with(field, document.get(field));
    }
    return tuple;
  }

  /**
   * Makes an object where the author saw none; members that an earlier one left behind, hidden, go.
   */
  private void revive(Path path, JsonObject target) throws EditProblem {
    assign(Unit.field(path), JsonObject.EMPTY);
    Set<String> names = new TreeSet<>(target.members().keys());
    for (CellId id : seen.cells().keys()) {
      Unit unit = id.unit();
      if (!unit.isGroup() && unit.path().depth() > path.depth() && path.contains(unit.path())) {
        names.add(unit.path().names().get(path.depth()));
      }
    }
    Set<Group> groups = new LinkedHashSet<>();
    for (String name : names) {
      Group group = path.isRoot() ? policy.groupOf(name) : null;
      Path child = path.child(name);
      if (group != null) {
        groups.add(group);
        continue;
      }
      FieldRule rule = policy.field(child);
      CellClass declared = rule == null ? CellClass.REGISTER : rule.cell().cellClass();
      boolean remains = written.contains(child) || !target.get(name).isAbsent();
      boolean holdsContent = removals.holdsContent(child);
      if (holdsContent && remains) {
        removals.renew(child, declared);
      } else if (holdsContent) {
        removals.remove(child);
      }
      if (!target.get(name).isAbsent()) {
        difference(child, removals.items(child, declared), target.get(name));
      } else if (!remains
          && !holdsContent
          && !seen.register(Unit.field(child)).values().stream()
              .allMatch(a -> a.value().isAbsent())) {
        assign(Unit.field(child), JsonAbsent.ABSENT);
      }
    }
    for (Group group : policy.groups()) {
      if (path.isRoot()
          && (groups.contains(group)
              || !seen.register(Unit.group(group.name())).values().isEmpty())) {
        assign(Unit.group(group.name()), tuple(group, target));
      }
    }
  }

  private void remove(Path path, CellKind kind) throws EditProblem {
    if (kind == CellKind.GROW_ONLY_COUNTER || kind == CellKind.GROW_ONLY_SET) {
      throw new EditProblem(path + " is a " + kind.label() + "; nothing is removed from it");
    }
    removals.remove(path);
  }

  private void count(Path path, CellKind kind, Json base, Json target) throws EditProblem {
    if (!(target instanceof JsonNumber(BigDecimal wanted))) {
      throw new EditProblem(path + " is a counter; it takes a number");
    }
    BigDecimal before = base instanceof JsonNumber(BigDecimal number) ? number : BigDecimal.ZERO;
    BigDecimal difference = wanted.subtract(before);
    if (difference.signum() != 0 || base.isAbsent()) {
      increment(path, kind, exact(path, difference));
    }
  }

  private static long exact(Path path, BigDecimal difference) throws EditProblem {
    try {
      return difference.longValueExact();
    } catch (ArithmeticException e) {
      throw new EditProblem(path + " is a counter; it changes by whole numbers of at most 64 bits");
    }
  }

  private void increment(Path path, CellKind kind, long by) throws EditProblem {
    if (kind == CellKind.GROW_ONLY_COUNTER && by < 0) {
      throw new EditProblem(path + " is a grow-only counter; it never falls");
    }
    if (by == Long.MIN_VALUE) {
      throw new EditProblem(path + " would change by more than 64 bits");
    }
    changes.add(new Change.Count(path, by));
  }

  private void elements(Path path, CellKind kind, Json base, Json target) throws EditProblem {
    if (!(target instanceof JsonArray(List<Json> items))) {
      throw new EditProblem(path + " is a set; it takes an array");
    }
    Set<Json> before = new TreeSet<>(base instanceof JsonArray array ? array.items() : List.of());
    Set<Json> after = new TreeSet<>(items);
    Set<Json> added = new TreeSet<>(after);
    added.removeAll(before);
    Set<Json> removed = new TreeSet<>(before);
    removed.removeAll(after);
    if (base.isAbsent() && added.isEmpty()) {
      changes.add(new Change.EditSet(path, List.of(), List.of(), kind == CellKind.REMOVE_WINS_SET));
    }
    editSet(path, kind, base, List.copyOf(added), List.copyOf(removed));
  }

  private void editSet(Path path, CellKind kind, Json held, List<Json> added, List<Json> remove)
      throws EditProblem {
    if (added.isEmpty() && remove.isEmpty()) {
      return;
    }
    List<Json> add = added;
    CellId id = new CellId(Unit.field(path), CellClass.SET);
    if (held instanceof JsonArray list && seen.cells().get(id) == null) {
      // A list before the policy declared a set: its elements go into the set first.
      Set<Json> all = new TreeSet<>(list.items());
      all.removeAll(remove);
      all.addAll(added);
      add = List.copyOf(all);
    }
    if (kind == CellKind.GROW_ONLY_SET && !remove.isEmpty()) {
      throw new EditProblem(path + " is a grow-only set; nothing is removed from it");
    }
    changes.add(new Change.EditSet(path, add, remove, kind == CellKind.REMOVE_WINS_SET));
  }

  private void sequence(Path path, CellKind kind, Json base, Json target) throws EditProblem {
    boolean text = kind == CellKind.TEXT;
    Json nothing = Sequence.empty(text).value();
    Json before = base.getClass() == nothing.getClass() ? base : nothing;
    if (target.getClass() != nothing.getClass()) {
      throw new EditProblem(
          path + (text ? " is a text; it takes a string" : " is a list; it takes an array"));
    }
    List<Splice> splices = SequenceDiff.between(before, target);
    if (!splices.isEmpty()) {
      editSequence(path, kind, base, splices);
    } else if (base.isAbsent()) {
      editSequence(path, kind, base, List.of(new Splice(0, 0, nothing)));
    }
  }

  /** What a plain field or set held before it was declared as a text or list comes along. */
  private void editSequence(Path path, CellKind kind, Json base, List<Splice> splices) {
    List<Assignment> plain = seen.register(Unit.field(path)).values();
    boolean fits = base.getClass() == splices.getFirst().inserted().getClass();
    boolean first = !seen.cells().containsKey(new CellId(Unit.field(path), kind.cellClass()));
    boolean wasSet = seen.cells().containsKey(new CellId(Unit.field(path), CellClass.SET));
    List<Splice> all = new ArrayList<>(splices);
    if (first && fits && plain.isEmpty() && wasSet) {
      all.addFirst(new Splice(0, 0, base));
    }
    changes.add(
        new Change.EditSequence(
            path,
            all,
            first && fits && !plain.isEmpty()
                ? Optional.of(new Change.EditSequence.Seed(plain.getLast().dot(), base))
                : Optional.empty()));
  }

  /** The splices of one operations document, path by path, with the text as it was before them. */
  private final class Spliced {
    private final Map<Path, List<Splice>> splices = new TreeMap<>();
    private final Map<Path, Json> before = new TreeMap<>();

    Json carriedOut(Json document, Path path, CellKind kind, Splice splice) throws EditProblem {
      Json nothing = Sequence.empty(kind == CellKind.TEXT).value();
      Json held = path.in(document);
      if (splice.inserted().getClass() != nothing.getClass()) {
        throw new EditProblem(
            path
                + (kind == CellKind.TEXT ? " is a text" : " is a list")
                + "; splice in what it holds");
      }
      Json now = held.getClass() == nothing.getClass() ? held : nothing;
      int length = Sequence.length(now);
      if (splice.position() > length - splice.deleted()) {
        throw new EditProblem(
            path
                + " has "
                + length
                + " items; a splice at "
                + splice.position()
                + " of "
                + splice.deleted()
                + " lies outside");
      }
      before.putIfAbsent(path, held);
      splices.computeIfAbsent(path, _ -> new ArrayList<>()).add(splice);
      return path.set(document, SequenceDiff.applied(now, splice));
    }

    /**
     * @param isNew whether the record was not there, so that texts and lists start from nothing
     */
    void add(boolean isNew) {
      splices.forEach((path, list) -> {
        FieldRule rule = policy.field(path);
        if (rule != null) {
          List<Splice> all = new ArrayList<>(list);
          if (isNew) {
            removals.deletion(path, rule.cell().cellClass()).ifPresent(all::addFirst);
          }
          editSequence(path, rule.cell(), before.getOrDefault(path, JsonAbsent.ABSENT), all);
        }
      });
    }

    /** A document in which what was spliced is as it is in another. */
    Json level(Json document, Json with) {
      Json result = document;
      for (Path path : splices.keySet()) {
        result = path.set(result, path.in(with));
      }
      return result;
    }
  }

  private void operations(Json base, List<Edit.Operation> operations) throws EditProblem {
    Json target = orEmpty(base);
    Spliced spliced = new Spliced();
    for (Edit.Operation operation : operations) {
      FieldRule rule = policy.field(operation.path());
      CellKind kind = rule == null ? CellKind.MAP : rule.cell();
      switch (operation) {
        case Edit.Operation.Increment(Path path, long by) -> {
          if (!kind.isCounter()) {
            throw EditProblem.undeclared(path + " is not declared as a counter");
          }
          if (by != 0) {
            increment(path, kind, by);
          }
        }
        case Edit.Operation.Give(Path path, NodeId to, long amount) -> {
          if (kind != CellKind.BOUNDED_COUNTER) {
            throw EditProblem.undeclared(path + " is not declared as a bounded-counter");
          }
          if (amount < 1) {
            throw new EditProblem("at least one right is given");
          }
          changes.add(new Change.Give(path, to, amount));
        }
        case Edit.Operation.EditSet(Path path, List<Json> add, List<Json> remove) -> {
          if (!kind.isSet()) {
            throw EditProblem.undeclared(path + " is not declared as a set");
          }
          editSet(
              path,
              kind,
              path.in(base),
              add.stream().distinct().sorted().toList(),
              remove.stream().distinct().sorted().toList());
        }
        case Edit.Operation.Splice(Path path, Splice splice) -> {
          if (!kind.isSequence()) {
            throw EditProblem.undeclared(path + " is not declared as a text or list");
          }
          target = spliced.carriedOut(target, path, kind, splice);
        }
        case Edit.Operation.Set(Path path, Json value) when kind.isSequence() -> {
          Json held = path.in(target);
          if (held.getClass() != value.getClass()) {
            target = path.set(target, value);
          } else {
            for (Splice splice : SequenceDiff.between(held, value)) {
              target = spliced.carriedOut(target, path, kind, splice);
            }
          }
        }
        case Edit.Operation.Set(Path path, Json value) -> {
          if (path.isRoot() || ((kind.isCounter() || kind.isSet()) && !value.isAbsent())) {
            throw new EditProblem(
                (path.isRoot() ? "the record" : path)
                    + " is not a plain field; use increment, add and remove, or put the document");
          }
          target = path.set(target, value);
        }
      }
    }
    spliced.add(base.isAbsent());
    if (base.isAbsent()) {
      create(object(spliced.level(target, JsonObject.EMPTY)));
      return;
    }
    Json before = spliced.level(orEmpty(base), target);
    if (!target.equals(before)) {
      document(before, object(target));
    }
  }

  /** Makes the record that operations write to, with the plain fields that they set. */
  private void create(JsonObject plain) throws EditProblem {
    if (policy.recordUnit()) {
      assign(Unit.ALIVE, plain);
      return;
    }
    Json document = plain;
    for (Change change : changes) {
      Path path = change.unit().path();
      written.add(path);
      if (path.depth() > 1 && path.parent().in(document).isAbsent()) {
        document = path.parent().set(document, JsonObject.EMPTY);
      }
    }
    revive(Path.ROOT, object(document));
  }

  private void assign(Unit unit, Json value) {
    List<Assignment> replaced = seen.register(unit).values();
    Json before = read(unit);
    changes.add(
        new Change.Assign(
            unit,
            value,
            Replaced.ancestors(replaced, rivals(unit, replaced), before, author),
            policy.sums(unit) ? SumHistory.of(value, before, replaced) : Optional.empty()));
  }

  private List<Assignment> rivals(Unit unit, List<Assignment> replaced) {
    List<Assignment> rivals = List.of();
    for (Assignment present : current.register(unit).values()) {
      if (!holds(replaced, present.dot())) {
        rivals = rivals.isEmpty() ? new ArrayList<>() : rivals;
        rivals.add(present);
      }
    }
    return rivals;
  }

  private static boolean holds(List<Assignment> assignments, Dot dot) {
    for (Assignment assignment : assignments) {
      if (assignment.dot().equals(dot)) {
        return true;
      }
    }
    return false;
  }

  /** What the author read of a unit; the content of a record that is not one unit is left out. */
  private Json read(Unit unit) {
    if (unit.isGroup()) {
      Group group = policy.group(unit.path().last());
      return group == null || !(read instanceof JsonObject document)
          ? JsonAbsent.ABSENT
          : tuple(group, document);
    }
    return unit.path().isRoot() && !policy.recordUnit() && read instanceof JsonObject
        ? JsonObject.EMPTY
        : unit.path().in(read);
  }
}
