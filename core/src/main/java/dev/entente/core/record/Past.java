// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What led to a record's state: what is kept of its beginning as one state, and the versions since.
 * Immutable.
 *
 * @param base what the versions that are not kept any more add up to, its texts and lists {@link
 *     #unfolded} so that edits by authors who had not seen all of them still find their place;
 *     {@link RecordState#EMPTY} where all versions are kept
 * @param versions all versions since, in an order in which they can join
 */
public record Past(RecordState base, List<Version> versions) {
  public static final Past EMPTY = new Past(RecordState.EMPTY, List.of());

  public Past {
    versions = List.copyOf(versions);
  }

  /** A past of which all versions are kept. */
  public static Past of(List<Version> versions) {
    return new Past(RecordState.EMPTY, versions);
  }

  /** With one version more. */
  public Past with(Version version) {
    List<Version> more = new ArrayList<>(versions);
    more.add(version);
    return new Past(base, more);
  }

  /**
   * Offers a version to the state that this past adds up to; a repetition of one of these versions
   * is known as such.
   */
  public RecordState.Applied apply(RecordState state, Version version) {
    Optional<Repetitions.Request> request = Repetitions.Request.of(version);
    Optional<Version> first =
        request.flatMap(_ ->
            versions.stream()
                .filter(each -> Repetitions.Request.of(each).equals(request))
                .min(Repetitions.BY_ACCEPTANCE));
    return first.isEmpty()
        ? state.apply(version, () -> this)
        : state.applyRepeated(version, first.get().dot(), first.get().acceptedAt(), () -> this);
  }

  /** Whether what an author with this context had read can be told from it. */
  public boolean reaches(CausalContext context) {
    return context.dominates(base.context());
  }

  /**
   * What the versions that a filter lets through add up to, on top of the base. For looking back
   * only: a filter may leave out what others build on, so the result is no state to join with.
   */
  public RecordState replay(Predicate<Version> filter) {
    List<Version> let = versions.stream().filter(filter).toList();
    return RecordState.replay(base, let);
  }

  /** What all of it adds up to. */
  public RecordState replay() {
    return RecordState.replay(base, versions);
  }

  /**
   * The record as an author with this context saw it. Where the past does not {@link #reaches
   * reach} it, that is the nearest that is known: the base, with texts and lists as the author saw
   * them.
   */
  public RecordState seenThrough(CausalContext context) {
    RecordState begun = base;
    for (CellId id : reaches(context) ? List.<CellId>of() : base.sequences()) {
      Sequence all = begun(id);
      Sequence seen =
          Sequence.restored(all.base(), all.heads(), all.open().filter(context::contains));
      begun = begun.with(begun.cells().with(id, seen));
    }
    return new Past(begun, versions).replay(version -> context.contains(version.dot()));
  }

  /** What all of it adds up to, to be the base of what comes: texts and lists unfolded. */
  public RecordState folded() {
    RecordState state = replay();
    for (CellId id : state.sequences()) {
      state = state.with(state.cells().with(id, unfolded(id)));
    }
    return state;
  }

  /** A text or list with all of the edits that are known, none of them folded. */
  public Sequence unfolded(CellId id) {
    Map<Dot, Sequence.Edit> edits =
        RecordState.edits(id, versions, Repetitions.among(base.repetitions(), versions));
    return begun(id).with(edits);
  }

  /** A text or list as it was in the base. */
  Sequence begun(CellId id) {
    Cell cell = base.cells().get(id);
    return cell instanceof Sequence sequence ? sequence : RecordState.emptyOf(id);
  }
}
