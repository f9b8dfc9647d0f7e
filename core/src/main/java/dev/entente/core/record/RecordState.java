// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.HistoryNeededException;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.crdt.Register;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.crdt.Splice;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.record.CellId.CellClass;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All that a node knows of a record: what it has seen, and the cells. A join semilattice; states
 * that have seen the same versions are equal, whatever the order of arrival. Immutable.
 *
 * @param repetitions which of the versions seen repeat another, and so have no effect
 */
public record RecordState(
    VersionVector context, SortedArrayMap<CellId, Cell> cells, Repetitions repetitions) {
  public static final RecordState EMPTY =
      new RecordState(VersionVector.EMPTY, SortedArrayMap.empty());

  /** A state of versions none of which repeats another. */
  public RecordState(VersionVector context, SortedArrayMap<CellId, Cell> cells) {
    this(context, cells, Repetitions.NONE);
  }

  /** The same with other cells. */
  public RecordState with(SortedArrayMap<CellId, Cell> others) {
    return new RecordState(context, others, repetitions);
  }

  /** What became of a version that was offered to a state. */
  public sealed interface Applied {
    /** It joined. */
    record Joined(RecordState state) implements Applied {}

    /** It had been seen; nothing changed. */
    record Seen() implements Applied {}

    /** It came before what it builds on; hold it back until {@code missing} is seen. */
    record Missing(VersionVector missing) implements Applied {}
  }

  /**
   * Offers a version; see {@link Applied}.
   *
   * @throws HistoryNeededException where it edits a text or list that has been folded further than
   *     its author had seen
   */
  public Applied apply(Version version) {
    return apply(version, RecordState::noHistory);
  }

  /**
   * Offers a version; see {@link Applied}.
   *
   * @param history gives the past of this state, its versions in any order; asked only where a text
   *     or list needs it
   */
  public Applied apply(Version version, Supplier<Past> history) {
    Optional<Applied> early = early(version);
    return early.isPresent()
        ? early.get()
        : new Applied.Joined(joined(version, id -> rebuilt(id, version, history.get()), false));
  }

  /**
   * Offers a version of a request of which this state has another version, which has effect until
   * now; see {@link Repetitions}.
   *
   * @param other the version that has effect
   * @param otherAt when that was accepted
   * @param history gives the past of this state, its versions in any order
   */
  public Applied applyRepeated(
      Version version, Dot other, HybridTime otherAt, Supplier<Past> history) {
    Optional<Applied> early = early(version);
    if (early.isPresent()) {
      return early.get();
    }
    int order = otherAt.compareTo(version.acceptedAt());
    boolean isLater = order < 0 || (order == 0 && other.compareTo(version.dot()) < 0);
    if (isLater && !repetitions.isRepeated(other) && !version.editsSequences()) {
      return new Applied.Joined(
          new RecordState(
              context.with(version.dot()), cells, repetitions.with(version.dot(), other)));
    }
    Past past = history.get();
    List<Version> versions = seen(past.versions(), context);
    versions.add(version);
    return new Applied.Joined(replay(past.base(), versions));
  }

  /** What becomes of a version that cannot join now; empty where it can. */
  private Optional<Applied> early(Version version) {
    Dot dot = version.dot();
    if (context.contains(dot)) {
      return Optional.of(new Applied.Seen());
    }
    if (version.previous() != context.get(dot.node()) || !version.context().isWithin(context)) {
      VersionVector missing = version.context().ceiling();
      return Optional.of(
          new Applied.Missing(
              version.previous() > 0
                  ? missing.with(new Dot(dot.node(), version.previous()))
                  : missing));
    }
    return Optional.empty();
  }

  /** What versions add up to on top of a base; see {@link Past#replay}. */
  static RecordState replay(RecordState base, List<Version> versions) {
    Repetitions repetitions = Repetitions.among(base.repetitions, versions);
    List<Version> ordered = versions;
    if (!repetitions.isEmpty()) {
      ordered = new ArrayList<>(versions);
      ordered.sort(Repetitions.BY_ACCEPTANCE);
    }
    RecordState state = new RecordState(base.context, base.cells, repetitions);
    Past past = new Past(base, versions);
    Set<CellId> sequences = new TreeSet<>(base.sequences());
    for (Version version : ordered) {
      if (repetitions.contains(version.dot())) {
        state = new RecordState(state.context.with(version.dot()), state.cells, repetitions);
        version.changes().stream()
            .filter(Change.EditSequence.class::isInstance)
            .forEach(change -> sequences.add(((Change.EditSequence) change).cell()));
      } else {
        state =
            state.joined(
                version,
                id -> {
                  sequences.add(id);
                  return emptyOf(id);
                },
                !repetitions.isEmpty());
      }
    }
    SortedArrayMap<CellId, Cell> cells = state.cells;
    for (CellId id : sequences) {
      cells = cells.with(id, Sequence.of(past.begun(id), edits(id, versions, repetitions)));
    }
    return state.with(cells);
  }

  /** A text or list from all of its edits. */
  private Sequence rebuilt(CellId id, Version newest, Past past) {
    List<Version> versions = seen(past.versions(), context);
    versions.add(newest);
    return Sequence.of(past.begun(id), edits(id, versions, repetitions));
  }

  private static Past noHistory() {
    throw new HistoryNeededException();
  }

  private static List<Version> seen(Iterable<Version> history, VersionVector context) {
    List<Version> seen = new ArrayList<>();
    history.forEach(version -> {
      if (context.contains(version.dot())) {
        seen.add(version);
      }
    });
    return seen;
  }

  /** The edits of a text or list, and what takes those of repetitions back. */
  static Map<Dot, Sequence.Edit> edits(
      CellId id, Iterable<Version> versions, Repetitions repetitions) {
    Map<Dot, Sequence.Edit> edits = new TreeMap<>();
    Map<Dot, Sequence.Edit> seeds = new TreeMap<>();
    for (Version version : versions) {
      for (Change change : version.changes()) {
        if (change instanceof Change.EditSequence edit && edit.cell().equals(id)) {
          CausalContext seen = repetitions.withRetractions(version.context());
          Sequence.Edit mine = new Sequence.Edit(seen, edit.splices());
          edits.put(version.dot(), mine);
          if (repetitions.contains(version.dot())) {
            Repetitions.retract(version.dot(), mine, edits);
          }
          edit.seed().ifPresent(seed -> seeds.put(seed.dot(), seeding(seed)));
        }
      }
    }
    edits.putAll(seeds);
    seeds.forEach((dot, seed) -> {
      if (repetitions.contains(dot) && seeds.containsKey(repetitions.first(dot))) {
        Repetitions.retract(dot, seed, edits);
      }
    });
    return edits;
  }

  private static Sequence.Edit seeding(Change.EditSequence.Seed seed) {
    return new Sequence.Edit(CausalContext.EMPTY, List.of(new Splice(0, 0, seed.value())));
  }

  static Sequence emptyOf(CellId id) {
    return Sequence.empty(id.cellClass() == CellClass.TEXT);
  }

  private Sequence edited(
      Sequence sequence,
      Version version,
      Change.EditSequence edit,
      Function<CellId, Sequence> rebuild) {
    CausalContext seen = repetitions.withRetractions(version.context());
    boolean seedsMayRepeat = edit.seed().isPresent() && !repetitions.isEmpty();
    if (seedsMayRepeat || !sequence.accepts(seen)) {
      return rebuild.apply(edit.cell());
    }
    Sequence seeded = sequence;
    if (edit.seed().isPresent() && sequence.heads().isEmpty()) {
      seeded = sequence.apply(edit.seed().get().dot(), seeding(edit.seed().get()));
    }
    return seeded.accepts(seen)
        ? seeded.apply(version.dot(), new Sequence.Edit(seen, edit.splices()))
        : rebuild.apply(edit.cell());
  }

  /**
   * With a version more.
   *
   * @param always whether texts and lists are left to {@code rebuild} without trying
   */
  private RecordState joined(Version authored, Function<CellId, Sequence> rebuild, boolean always) {
    Version version = repetitions.resolved(authored);
    Draft next = new Draft(cells, version.erases() ? cells.size() : version.changes().size());
    boolean removes = version.removesRecord();
    for (Change change : version.changes()) {
      if (!removes) {
        touchAbove(next, version, change.unit());
      }
      switch (change) {
        case Change.Assign assign -> assign(next, assign.unit(), assignment(version, assign));
        case Change.Clear _ -> next.clear(version.context());
        case Change.Remove remove -> remove(next, version, remove);
        case Change.Restore restore -> {
          if (next.get(CellId.register(restore.unit())) instanceof Register register) {
            CausalContext seen = version.context().with(List.of(version.dot()));
            next.put(CellId.register(restore.unit()), register.clear(seen));
          }
        }
        case Change.Count count -> {
          CellId id = new CellId(count.unit(), CellClass.COUNTER);
          next.put(id, counter(next, id).add(version.dot().node(), count.difference()));
        }
        case Change.Give give -> {
          CellId id = new CellId(give.unit(), CellClass.COUNTER);
          next.put(id, counter(next, id).give(version.dot().node(), give.to(), give.amount()));
        }
        case Change.EditSequence edit -> {
          Sequence sequence =
              next.get(edit.cell()) instanceof Sequence s ? s : emptyOf(edit.cell());
          next.put(
              edit.cell(),
              always ? rebuild.apply(edit.cell()) : edited(sequence, authored, edit, rebuild));
        }
        case Change.EditSet edit -> {
          CellId id = new CellId(edit.unit(), CellClass.SET);
          next.put(
              id,
              edited(next.get(id) instanceof ObservedSet s ? s : ObservedSet.EMPTY, version, edit));
        }
      }
    }
    return new RecordState(context.with(version.dot()), next.cells(), repetitions);
  }

  /** What was removed is absent for good: see {@link Change.Restore}. */
  private static void remove(Draft next, Version version, Change.Remove remove) {
    Unit unit = remove.unit();
    assign(next, unit, assignment(version, new Change.Assign(unit, JsonAbsent.ABSENT, List.of())));
    CellId set = new CellId(unit, CellClass.SET);
    if (next.get(set) instanceof ObservedSet elements) {
      next.put(set, elements.clear(version.context()));
    }
    CellId counter = new CellId(unit, CellClass.COUNTER);
    if (next.get(counter) instanceof Counter tallies) {
      next.put(counter, tallies.remove(remove.counted()));
    }
  }

  private static Counter counter(Draft cells, CellId id) {
    return cells.get(id) instanceof Counter counter ? counter : Counter.EMPTY;
  }

  /**
   * Cells on their way to the next state: a few changes copy the arrays, many go through a tree so
   * that their number counts once.
   */
  private static final class Draft {
    private static final int FEW = 32;
    private final @Nullable TreeMap<CellId, Cell> many;
    private SortedArrayMap<CellId, Cell> few;

    Draft(SortedArrayMap<CellId, Cell> cells, int changes) {
      few = cells;
      many = changes > FEW ? new TreeMap<>() : null;
      if (many != null) {
        cells.forEach(many::put);
      }
    }

    @Nullable Cell get(CellId id) {
      return many != null ? many.get(id) : few.get(id);
    }

    void put(CellId id, Cell cell) {
      if (many != null) {
        many.put(id, cell);
      } else {
        few = few.with(id, cell);
      }
    }

    void clear(CausalContext seen) {
      for (CellId id : List.copyOf(many != null ? many.keySet() : few.keys())) {
        switch (get(id)) {
          case Register register -> put(id, register.clear(seen));
          case ObservedSet set -> put(id, set.clear(seen));
          // Edits of their own take a text's or list's items; sums tell of nobody.
          case Counter _, Sequence _ -> {}
          case null -> throw new IllegalStateException("no cell " + id);
        }
      }
    }

    SortedArrayMap<CellId, Cell> cells() {
      return many != null ? SortedArrayMap.copyOf(many) : few;
    }
  }

  /**
   * A change below an object asserts that the object is there, so that a concurrent deletion of it
   * is noticed; unless the version removes the record, and what is below it along with it.
   */
  private static void touchAbove(Draft cells, Version version, Unit unit) {
    int above = unit.isGroup() ? 1 : unit.path().depth();
    for (int depth = 0; depth < above; depth++) {
      Path ancestor = depth == 0 ? Path.ROOT : new Path(unit.path().names().subList(0, depth));
      assign(
          cells,
          Unit.field(ancestor),
          assignment(
              version, new Change.Assign(Unit.field(ancestor), JsonObject.EMPTY, List.of())));
    }
  }

  private static void assign(Draft cells, Unit unit, Assignment assignment) {
    CellId id = CellId.register(unit);
    Register register = cells.get(id) instanceof Register r ? r : Register.EMPTY;
    cells.put(id, register.assign(assignment));
  }

  private static Assignment assignment(Version version, Change.Assign assign) {
    return new Assignment(
        version.dot(),
        version.context(),
        version.acceptedAt(),
        version.time(),
        version.author(),
        assign.value(),
        assign.ancestors(),
        assign.sumHistory(),
        version.clockErrorMillis());
  }

  private static ObservedSet edited(ObservedSet set, Version version, Change.EditSet edit) {
    ObservedSet next = set;
    for (var element : edit.remove()) {
      next = next.remove(element, version.dot(), version.context(), edit.removeWins());
    }
    for (var element : edit.add()) {
      next = next.add(element, version.dot(), version.context());
    }
    return next;
  }

  /**
   * The least state that has seen what both have. Both must be causally closed, as states built by
   * {@link #apply} are.
   *
   * @throws HistoryNeededException where both have folded edits of a text or list that the other
   *     has not seen
   */
  public RecordState join(RecordState other) {
    return join(other, RecordState::noHistory);
  }

  /**
   * As {@link #join(RecordState)}.
   *
   * <p>Two states do not tell whether one has seen a repetition of what the other has seen: whoever
   * joins versions with event ids offers them one by one.
   *
   * @param history gives the versions that either state has seen, in any order; asked only where a
   *     text or list needs them, or one of the states has seen repetitions
   */
  public RecordState join(RecordState other, Supplier<Past> history) {
    if (other.context.equals(context)) {
      return this;
    }
    if (!repetitions.isEmpty() || !other.repetitions.isEmpty()) {
      Past all = history.get();
      return new Past(all.base(), seen(all.versions(), context.join(other.context))).replay();
    }
    try {
      return joined(other);
    } catch (HistoryNeededException e) {
      Past all = history.get();
      Past past = new Past(all.base(), seen(all.versions(), context.join(other.context)));
      return unfolded(past).joined(other.unfolded(past));
    }
  }

  /** With texts and lists as the given past makes them, whatever this state has seen. */
  private RecordState unfolded(Past past) {
    SortedArrayMap<CellId, Cell> all = cells;
    for (CellId id : sequences()) {
      all = all.with(id, Sequence.of(past.begun(id), edits(id, past.versions(), repetitions)));
    }
    return with(all);
  }

  private RecordState joined(RecordState other) {
    return new RecordState(
        context.join(other.context),
        cells.merge(
            other.cells,
            (mine, theirs) ->
                mine == null
                    ? emptyLike(theirs).join(theirs, context, other.context)
                    : mine.join(
                        theirs == null ? emptyLike(mine) : theirs, context, other.context)));
  }

  private static Cell emptyLike(@Nullable Cell cell) {
    return switch (cell) {
      case Register _ -> Register.EMPTY;
      case Counter _ -> Counter.EMPTY;
      case ObservedSet _ -> ObservedSet.EMPTY;
      case Sequence sequence -> Sequence.empty(sequence.isText());
      case null -> throw new IllegalStateException("a merge without either side");
    };
  }

  public boolean isEmpty() {
    return context.isEmpty();
  }

  /** Which cells are texts and lists. */
  public List<CellId> sequences() {
    List<CellId> ids = new ArrayList<>();
    cells.forEach((id, cell) -> {
      if (cell instanceof Sequence) {
        ids.add(id);
      }
    });
    return ids;
  }

  /** The texts and lists alone. */
  public RecordState onlySequences() {
    return with(cells.filter(id -> cells.get(id) instanceof Sequence));
  }

  /** The register of a unit; empty where nothing was ever assigned. */
  public Register register(Unit unit) {
    return cells.get(CellId.register(unit)) instanceof Register register
        ? register
        : Register.EMPTY;
  }
}
