// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Cell;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.Counter.Tally;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.crdt.Register;
import dev.entente.core.json.Json;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One replica of one cell: changed here, merged with others in any order and as often as one likes.
 * Replicas that have merged the same changes are equal in value. Each replica needs a name of its
 * own that is never used again. Not thread-safe.
 *
 * <p>{@link #toJson()} and {@link #toBytes()} are its state, to be stored or sent; {@link
 * #mergeJson} and {@link #mergeBytes} take the state of another replica in, or the stored state of
 * this one into an empty replica of its name.
 */
public abstract sealed class Replicated<C extends Cell>
    permits GCounter, PNCounter, ReplicatedSet, MVRegister, LWWRegister {
  private final NodeId self;
  private VersionVector seen = VersionVector.EMPTY;
  private C cell;

  /** Whether something was changed here, so that nobody else knows more of this replica. */
  private boolean changed;

  Replicated(String replica, C empty) {
    this.self = new NodeId(replica);
    this.cell = empty;
  }

  final NodeId self() {
    return self;
  }

  final C cell() {
    return cell;
  }

  /** What this replica has seen, for {@link #toJson(VersionVector)} of another one. */
  public final VersionVector seen() {
    return seen;
  }

  /** All that this replica has seen. */
  final CausalContext context() {
    return CausalContext.of(seen);
  }

  final Dot nextDot() {
    return new Dot(self, Math.addExact(seen.get(self), 1));
  }

  final void change(Dot dot, C next) {
    seen = seen.with(dot);
    cell = next;
    changed = true;
  }

  final void mergeWith(Replicated<C> other) {
    if (other != this && other.changed && other.self.equals(self) && changed) {
      throw sameName(self);
    }
    merge(other.seen, other.cell);
  }

  private void merge(VersionVector otherSeen, Cell other) {
    if (changed && otherSeen.get(self) > seen.get(self)) {
      throw sameName(self);
    }
    checkNames(other, otherSeen);
    @SuppressWarnings("unchecked")
    C joined = (C) cell.join(other, seen, otherSeen);
    cell = joined;
    seen = seen.join(otherSeen);
    merged();
  }

  /** Called after something was merged. */
  void merged() {}

  private static IllegalStateException sameName(NodeId name) {
    return new IllegalStateException(
        "there are two replicas named "
            + name
            + "; give each a name of its own, since merging them would lose changes");
  }

  private String kind() {
    return switch (this) {
      case GCounter _ -> "g-counter";
      case PNCounter _ -> "pn-counter";
      case GSet _ -> "g-set";
      case ORSet _ -> "or-set";
      case RWSet _ -> "rw-set";
      case MVRegister _ -> "mv-register";
      case LWWRegister _ -> "lww-register";
    };
  }

  /** The whole state as JSON; equal states are equal. */
  public final Json toJson() {
    return toJson(VersionVector.EMPTY);
  }

  /** What somebody lacks who has seen {@code since}; only they can merge it. */
  public final Json toJson(VersionVector since) {
    return StateForm.write(kind(), seen, since, cell);
  }

  /** The whole state as bytes; equal states have equal bytes, in every release. */
  public final byte[] toBytes() {
    return BinaryForm.toBytes(toJson());
  }

  /** What somebody lacks who has seen {@code since}, as bytes. */
  public final byte[] toBytes(VersionVector since) {
    return BinaryForm.toBytes(toJson(since));
  }

  /**
   * Merges what {@link #toJson} of a replica of this kind returned.
   *
   * @throws IllegalArgumentException where it is no such state; nothing has changed
   * @throws IllegalStateException where it says what this replica has not seen of what it builds
   *     on, or comes of another replica of the same name; nothing has changed
   */
  public final void mergeJson(Json state) {
    StateForm received = StateForm.read(kind(), cell, state);
    if (!seen.dominates(received.since())) {
      throw new IllegalStateException(
          "it builds on " + received.since() + ", and seen was " + seen + "; ask for more");
    }
    Cell other = received.completed(cell);
    merge(received.seen(), other);
  }

  /**
   * Merges what {@link #toBytes} of a replica of this kind returned.
   *
   * @throws IllegalArgumentException as {@link #mergeJson}
   * @throws IllegalStateException as {@link #mergeJson}
   */
  public final void mergeBytes(byte[] state) {
    mergeJson(BinaryForm.fromBytes(state));
  }

  /** Refuses other content under the name of a change that is known here. */
  private void checkNames(Cell other, VersionVector otherSeen) {
    switch (cell) {
      case Register mine when other instanceof Register theirs ->
          mine.assignments()
              .forEach((dot, assignment) -> {
                if (!assignment.equals(theirs.assignments().getOrDefault(dot, assignment))) {
                  throw sameName(dot.node());
                }
              });
      case Counter mine when other instanceof Counter theirs ->
          mine.tallies()
              .forEach((node, tally) -> {
                Tally their = theirs.tallies().getOrDefault(node, tally);
                long more = otherSeen.get(node) - seen.get(node);
                if ((more >= 0 && !follows(their, tally))
                    || (more <= 0 && !follows(tally, their))) {
                  throw sameName(node);
                }
              });
      case ObservedSet mine when other instanceof ObservedSet theirs -> {
        Map<Dot, Json> made = new HashMap<>();
        mine.elements()
            .forEach((element, presence) -> dots(presence).forEach(dot -> made.put(dot, element)));
        theirs
            .elements()
            .forEach((element, presence) ->
                dots(presence)
                    .forEach(dot -> {
                      if (!made.getOrDefault(dot, element).equals(element)) {
                        throw sameName(dot.node());
                      }
                    }));
      }
      default -> {}
    }
  }

  private static boolean follows(Tally later, Tally earlier) {
    return later.ups() >= earlier.ups() && later.downs() >= earlier.downs();
  }

  private static Stream<Dot> dots(ObservedSet.Presence presence) {
    return Stream.concat(presence.added().stream(), presence.removed().stream());
  }
}
