// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.crdt.Register;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Group;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.record.CellId;
import dev.entente.core.record.CellId.CellClass;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Derives the view of a record: {@code view = reduce(state, policy)}, a pure function.
 *
 * <p>The cells are sorted by path, so one pass over them builds the document bottom up: a cell,
 * then its members. Where the assignments of a register differ the {@link Arbiter} settles them.
 * The surviving assignments of the root are the record's heads, because every version asserts the
 * root; with more than one head the merged record as such is checked by {@link RecordCheck}.
 */
public final class Deriver {
  private final RecordKey key;
  private final RecordState state;
  private final Policy policy;
  private final Arbiter arbiter;
  private final SortedArrayMap<CellId, Cell> cells;
  private final List<Resolution> resolutions = new ArrayList<>();
  private int next;

  private Deriver(RecordKey key, RecordState state, Policy policy) {
    this.key = key;
    this.state = state;
    this.policy = policy;
    this.cells = state.cells();
    this.arbiter = new Arbiter(key, policy);
  }

  /** The view of the state under the policy. */
  public static View derive(RecordKey key, RecordState state, Policy policy) {
    if (state.isEmpty()) {
      return new View(JsonAbsent.ABSENT, state.context(), HybridTime.ZERO, 0, List.of());
    }
    Deriver deriver = new Deriver(key, state, policy);
    View merged = deriver.view();
    return merged.heads() > 1 ? RecordCheck.check(key, state, policy, merged) : merged;
  }

  /**
   * The first invariant that a document breaks, named with its expression; empty where it keeps
   * all.
   */
  public static Optional<String> brokenInvariant(Policy policy, Json document) {
    return policy.invariants().isEmpty()
        ? Optional.empty()
        : RecordCheck.firstBroken(policy, document, () -> JsonAbsent.ABSENT, new ArrayList<>());
  }

  /**
   * As {@link #brokenInvariant(Policy, Json)} of what a view shows, by what changed in it: an
   * invariant that is about nothing that changed was broken before, and does not count. While units
   * of the view are pending, each record is looked at that the authors of their competing values
   * could have meant; empty where any of these keeps all invariants.
   *
   * @param before the document that was changed; absent where everything is new
   */
  public static Optional<String> brokenInvariant(Policy policy, View view, Supplier<Json> before) {
    return policy.invariants().isEmpty() || !view.exists()
        ? Optional.empty()
        : RecordCheck.firstBroken(policy, view, before, new ArrayList<>());
  }

  /** What a strategy, and what it hands on to, make of a conflict. */
  public static Resolution settle(Policy policy, Conflict conflict, StrategySpec by) {
    return new Arbiter(conflict.key(), policy).chain(by, conflict, "");
  }

  /** The view without the checks on the merged record as such: what merging alone makes of it. */
  public static View deriveUnchecked(RecordKey key, RecordState state, Policy policy) {
    return new Deriver(key, state, policy).view();
  }

  private View view() {
    List<Assignment> heads = state.register(Unit.ALIVE).values();
    Json data =
        cells.isEmpty() || cells.key(0).unit().isGroup() ? JsonObject.EMPTY : node(Path.ROOT);
    return new View(data, state.context(), updatedAt(heads), heads.size(), resolutions);
  }

  private static HybridTime updatedAt(List<Assignment> heads) {
    HybridTime latest = HybridTime.ZERO;
    for (Assignment head : heads) {
      latest = head.acceptedAt().compareTo(latest) > 0 ? head.acceptedAt() : latest;
    }
    return latest;
  }

  /** The value at the path; takes the cells at it and below it off the list. */
  private Json node(Path path) {
    Register register = Register.EMPTY;
    @Nullable Counter counter = null;
    @Nullable ObservedSet set = null;
    @Nullable Sequence sequence = null;
    while (isAt(path)) {
      switch (cells.value(next++)) {
        case Register r -> register = r;
        case Counter c -> counter = c;
        case ObservedSet s -> set = s;
        case Sequence s -> sequence = s;
      }
    }
    int mark = resolutions.size();
    JsonObject members = members(path);
    FieldRule rule = policy.field(path);
    CellKind kind = rule == null ? CellKind.REGISTER : rule.cell();
    List<Assignment> assigned = register.values();
    boolean removed = false;
    if (kind.cellClass() != CellClass.REGISTER && !assigned.isEmpty()) {
      // Beside a cell of another class an absent value says that the cell was removed.
      assigned = assigned.stream().filter(a -> !a.value().isAbsent()).toList();
      removed = assigned.isEmpty();
    }
    Json own =
        removed && !holdsAdditions(counter, set, sequence)
            ? JsonAbsent.ABSENT
            : sequence != null
                    && (kind.isSequence() || (assigned.isEmpty() && !(kind.isSet() && set != null)))
                ? sequence.value()
                : ownValue(kind, path, assigned, counter, set, members);
    if (!own.isAbsent() && !policy.isWhole(path) && resolutions.size() > mark) {
      own = replacedByObject(register, mark).orElse(own);
    }
    if (own.isAbsent()) {
      resolutions
          .subList(mark, resolutions.size())
          .removeIf(r -> !r.conflict().unit().path().equals(path));
    }
    return own;
  }

  /** Whether anything is left that whoever removed the field had not seen. */
  private static boolean holdsAdditions(
      @Nullable Counter counter, @Nullable ObservedSet set, @Nullable Sequence sequence) {
    return (counter != null && counter.isPresent())
        || (set != null && !set.members().isEmpty())
        || (sequence != null && Sequence.length(sequence.value()) > 0);
  }

  private boolean isAt(Path path) {
    return next < cells.size()
        && !cells.key(next).unit().isGroup()
        && cells.key(next).unit().path().equals(path);
  }

  private JsonObject members(Path path) {
    List<String> names = new ArrayList<>();
    List<Json> values = new ArrayList<>();
    int depth = path.depth();
    while (next < cells.size()
        && !cells.key(next).unit().isGroup()
        && cells.key(next).unit().path().depth() > depth
        && path.contains(cells.key(next).unit().path())) {
      String name = cells.key(next).unit().path().names().get(depth);
      Json value = node(path.child(name));
      if (!value.isAbsent()) {
        names.add(name);
        values.add(value);
      }
    }
    JsonObject members =
        names.isEmpty() ? JsonObject.EMPTY : new JsonObject(SortedArrayMap.ofSorted(names, values));
    return path.isRoot() ? withGroups(members) : members;
  }

  private JsonObject withGroups(JsonObject members) {
    JsonObject result = members;
    for (int i = cells.size() - 1; i >= 0 && cells.key(i).unit().isGroup(); i--) {
      Unit unit = cells.key(i).unit();
      Group group = policy.group(unit.path().last());
      if (!(cells.value(i) instanceof Register register) || register.assignments().isEmpty()) {
        continue;
      }
      Json value = settle(unit, register.values());
      List<String> fields =
          group != null
              ? group.fields()
              : value instanceof JsonObject object ? object.members().keys() : List.of();
      for (String field : fields) {
        Json member = value instanceof JsonObject object ? object.get(field) : JsonAbsent.ABSENT;
        if (group != null || result.get(field).isAbsent()) {
          result = result.with(field, member);
        }
      }
    }
    return result;
  }

  private Json ownValue(
      CellKind kind,
      Path path,
      List<Assignment> assignments,
      @Nullable Counter counter,
      @Nullable ObservedSet set,
      JsonObject members) {
    boolean assigned = !assignments.isEmpty();
    if (counter != null && (kind.isCounter() || !assigned)) {
      Json start = assigned ? settle(Unit.field(path), assignments) : JsonAbsent.ABSENT;
      // What was taken while the counter was removed may outweigh what was added since.
      BigDecimal total =
          new BigDecimal(
              kind == CellKind.BOUNDED_COUNTER
                  ? counter.total().max(BigInteger.ZERO)
                  : counter.total());
      return Json.of(start instanceof JsonNumber(BigDecimal number) ? total.add(number) : total);
    }
    if (set != null && (kind.isSet() || !assigned)) {
      return new JsonArray(set.members());
    }
    if (!assigned) {
      return members.isEmpty() ? JsonAbsent.ABSENT : members;
    }
    return settle(Unit.field(path), withMembers(assignments, members));
  }

  /**
   * An object's own register holds only a marker; what is compared and shown is the object with its
   * members.
   */
  private static List<Assignment> withMembers(List<Assignment> assignments, JsonObject members) {
    if (members.isEmpty()) {
      return assignments;
    }
    if (assignments.size() == 1
        && assignments.getFirst().value() instanceof JsonObject object
        && object.isEmpty()) {
      return List.of(assignments.getFirst().with(members));
    }
    List<Assignment> rendered = new ArrayList<>(assignments.size());
    for (Assignment assignment : assignments) {
      if (assignment.value() instanceof JsonObject whole) {
        rendered.add(assignment.with(whole.overlaid(members)));
      } else {
        rendered.add(assignment);
      }
    }
    return rendered;
  }

  private Json settle(Unit unit, List<Assignment> assignments) {
    Json first = assignments.getFirst().value();
    boolean differ = false;
    for (int i = 1; i < assignments.size(); i++) {
      differ |= !assignments.get(i).value().equals(first);
    }
    // Two equal sums are two changes, except of a number that nobody had set before.
    boolean counts =
        assignments.size() > 1
            && first instanceof JsonNumber
            && policy.sumsFirst(unit)
            && assignments.stream().noneMatch(a -> a.ancestors().equals(List.of(Ancestor.NOTHING)));
    if (!differ && !counts) {
      return first;
    }
    Resolution resolution = arbiter.settle(unit, assignments, lastAgreed(unit, assignments));
    resolutions.add(resolution);
    return resolution.value();
  }

  /**
   * What the authors of competing assignments last had in common: the one place where it is worked
   * out. It is the value that travels with them. Of an object whose content does not (a record, or
   * one written by an early release) it is what its members were to all of them.
   */
  private Optional<Json> lastAgreed(Unit unit, List<Assignment> assignments) {
    Optional<Json> told = Ancestry.lastAgreed(assignments);
    boolean untold = told.isEmpty() || JsonObject.EMPTY.equals(told.get());
    if (!untold
        || unit.isGroup()
        || policy.isWhole(unit.path())
        || assignments.size() > Arbiter.COMPETING_MAX
        || !hasMembers(unit.path())) {
      return told;
    }
    RecordState common = Projection.seenByAll(state, assignments);
    Json content = unit.path().in(new Deriver(key, common, policy).view().data());
    return content.isAbsent() ? told : Optional.of(content);
  }

  private boolean hasMembers(Path path) {
    for (CellId id : cells.keys()) {
      if (path.isRoot() ? !id.unit().equals(Unit.ALIVE) : isBelow(path, id.unit())) {
        return true;
      }
    }
    return false;
  }

  private static boolean isBelow(Path path, Unit unit) {
    return !unit.isGroup() && unit.path().depth() > path.depth() && path.contains(unit.path());
  }

  /**
   * What an object replaced, where two authors put one there at once and what became of a member is
   * that it went back: then all of it does, so that readers do not see an object that nobody wrote.
   */
  private Optional<Json> replacedByObject(Register register, int mark) {
    List<Assignment> markers = register.values();
    if (markers.size() < 2
        || resolutions.subList(mark, resolutions.size()).stream().noneMatch(Resolution::wentBack)) {
      return Optional.empty();
    }
    for (Assignment marker : markers) {
      if (!JsonObject.EMPTY.equals(marker.value())) {
        return Optional.empty();
      }
    }
    return Ancestry.lastAgreed(markers)
        .filter(before -> !before.isAbsent() && !(before instanceof JsonObject));
  }
}
