// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.StateCodec;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.StateMachine;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.policy.WriteStyle;
import dev.entente.core.record.Change;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.RowConflict;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Carries out every {@link WriteCheck} on a version that is about to be written. Each origin is
 * checked alike, except for what {@link WriteOrigin} says that it skips. Used by the sequencer's
 * thread only, except where it says otherwise.
 */
final class VersionChecks {
  /**
   * How large a record may grow, all that its state keeps included. Every write derives it anew, so
   * this bounds how long one takes; and several must fit into memory at a time.
   */
  private static final long RECORD_BYTES_MAX =
      Math.min(32L << 20, Runtime.getRuntime().maxMemory() / 64);

  /** How many edits of a text or list may be open at once before another is refused. */
  private static final int OPEN_EDITS_MAX = 5_000;

  private final Freezes freezes;
  private final Claims claims;
  private final int siblingsMax;
  private volatile Promise promised = _ -> Optional.empty();

  VersionChecks(Derived derived, int siblingsMax) {
    this.freezes = derived.freezes();
    this.claims = derived.claims();
    this.siblingsMax = siblingsMax;
  }

  /** Versions are authored only as far as this can be kept. Callable from any thread. */
  void promise(Promise promise) {
    promised = promise;
  }

  Promise promised() {
    return promised;
  }

  /** What is refused whatever it changes. */
  Optional<Rejected> admission(
      Transaction transaction, WriteOrigin origin, RecordKey key, Policy policy) {
    if (!origin.skips(WriteCheck.FREEZE)) {
      Optional<Freeze> freeze = freezes.over(key);
      if (freeze.isPresent()) {
        return rejected(Code.FROZEN, freeze.get().scope() + " is frozen: " + freeze.get().reason());
      }
    }
    // A draft is agreed on by the group, which keeps the consistency.
    return transaction.isDraft() || origin.skips(WriteCheck.CONSISTENCY)
        ? Optional.empty()
        : promised.whyNot(policy).flatMap(why -> rejected(Code.UNAVAILABLE, why));
  }

  /** What is refused for what it changes, before it is applied. */
  Optional<Rejected> before(Transaction transaction, Authored authored, Policy policy) {
    return admission(transaction, authored.origin(), authored.key(), policy)
        .or(() -> new Changes(transaction, authored, policy).refused());
  }

  /** What is refused for how much the record would hold. */
  Optional<Rejected> size(Authored authored, RecordState state, int bytes) {
    WriteOrigin origin = authored.origin();
    if (!origin.skips(WriteCheck.OPEN_EDITS) && !authored.isCurrent()) {
      Optional<String> crowded = crowded(state);
      if (crowded.isPresent()) {
        return conflict(crowded.get(), authored.before());
      }
    }
    return !origin.skips(WriteCheck.SIZE)
            && bytes > RECORD_BYTES_MAX
            && bytes > StateCodec.toBytes(authored.before().state()).length
        ? rejected(Code.TOO_LARGE, tooLarge(bytes))
        : Optional.empty();
  }

  /** What is refused for what the record would be. */
  Optional<Rejected> after(
      Transaction transaction,
      Authored authored,
      Version version,
      Snapshot after,
      Policy policy,
      List<Resolution> resolutions,
      Supplier<Past> past) {
    WriteOrigin origin = authored.origin();
    if (!origin.skips(WriteCheck.INVARIANT)) {
      Optional<String> broken =
          after.view().heads() == 1 && after.view().exists()
              ? Deriver.brokenInvariant(policy, after.view(), () -> authored.before().view().data())
              : brokenAlone(version, policy, past);
      if (broken.isPresent()) {
        return rejected(Code.INVALID, "this would break the invariant " + broken.get());
      }
    }
    if (!origin.skips(WriteCheck.STRATEGY)) {
      Optional<Resolution> refused = resolutions.stream().filter(Resolution::refused).findFirst();
      if (refused.isPresent()) {
        return conflict(refused.get().explanation(), authored.before());
      }
    }
    if (!origin.skips(WriteCheck.LIMIT)) {
      List<String> contended = claims.contended(transaction, authored.before(), after, policy);
      if (!contended.isEmpty()) {
        Optional<Rejected> taken = conflict(String.join("; ", contended), authored.before());
        return contended.size() > 1
            ? taken.map(several -> several.called(RowConflict.SEVERAL_UNIQUE))
            : taken;
      }
    }
    return Optional.empty();
  }

  /** Whether the author's own document, before any merge, breaks an invariant. */
  private static Optional<String> brokenAlone(Version version, Policy policy, Supplier<Past> past) {
    if (policy.invariants().isEmpty()) {
      return Optional.empty();
    }
    RecordState alone =
        past.get()
            .with(version)
            .replay(v -> version.context().contains(v.dot()) || v.dot().equals(version.dot()));
    return Deriver.brokenInvariant(
        policy,
        Deriver.deriveUnchecked(version.key(), alone, policy),
        () ->
            Deriver.deriveUnchecked(
                    version.key(),
                    past.get().replay(v -> version.context().contains(v.dot())),
                    policy)
                .data());
  }

  private static String tooLarge(int bytes) {
    return "the record would take "
        + (bytes >> 10)
        + " KiB with all it keeps, more than the "
        + (RECORD_BYTES_MAX >> 10)
        + " KiB that one may take; spread it over several records";
  }

  /** Names a text or list that more edits are open on than can be replayed at every write. */
  private static Optional<String> crowded(RecordState state) {
    for (int i = 0; i < state.cells().size(); i++) {
      if (state.cells().value(i) instanceof Sequence sequence
          && sequence.open().size() > OPEN_EDITS_MAX) {
        return Optional.of(
            sequence.open().size()
                + " edits of "
                + state.cells().key(i).unit().label()
                + " would be concurrent, at most "
                + OPEN_EDITS_MAX
                + " can be; read the record and repeat the change on what it holds");
      }
    }
    return Optional.empty();
  }

  private static Optional<Rejected> rejected(Code code, String message) {
    return Optional.of(new Rejected(code, message, Optional.empty()));
  }

  private static Optional<Rejected> conflict(String message, Snapshot current) {
    return Optional.of(new Rejected(Code.CONFLICT, message, Optional.of(current)));
  }

  /** The changes of one version. */
  private final class Changes {
    private final Transaction transaction;
    private final Authored authored;
    private final WriteOrigin origin;
    private final Snapshot before;
    private final Policy policy;

    Changes(Transaction transaction, Authored authored, Policy policy) {
      this.transaction = transaction;
      this.authored = authored;
      this.origin = authored.origin();
      this.before = authored.before();
      this.policy = policy;
    }

    Optional<Rejected> refused() {
      for (Change change : authored.changes()) {
        Optional<Rejected> refused =
            illegalTransition(change)
                .or(() -> tooManySiblings(change))
                .or(() -> unentitled(change))
                .or(() -> undecided(change))
                .or(() -> wrongStyle(change))
                .or(() -> unsettled(change));
        if (refused.isPresent()) {
          return refused;
        }
      }
      return Optional.empty();
    }

    /** Whether a unit may not be written the way that this client writes. */
    private Optional<Rejected> wrongStyle(Change change) {
      if (origin.skips(WriteCheck.STYLE) || authored.request().isEmpty()) {
        return Optional.empty();
      }
      WriteRequest request = authored.request().get();
      Set<WriteStyle> allowed = policy.writesOf(change.unit());
      return switch (request.seen()) {
        case Seen.Everything(), Seen.Existing() ->
            !allowed.contains(WriteStyle.OVERWRITE) && isBlindlyReplaced(change, request.edit())
                ? Optional.of(
                    new Rejected(
                        Code.PRECONDITION_REQUIRED,
                        change.unit().label()
                            + " of type "
                            + before.key().type()
                            + " is not overwritten by a write that does not say what its author"
                            + " had seen; read the record and send If-Match or Entente-Context"
                            + " with the context you have read",
                        Optional.of(before)))
                : Optional.empty();
        case Seen.Exactly _ -> styled(allowed, WriteStyle.CONDITIONAL, change.unit());
        case Seen.Context _, Seen.Nothing() -> styled(allowed, WriteStyle.MERGE, change.unit());
        case Seen.Absence(), Seen.Rollback _ -> Optional.empty();
      };
    }

    private static Optional<Rejected> styled(Set<WriteStyle> allowed, WriteStyle style, Unit unit) {
      return allowed.contains(style)
          ? Optional.empty()
          : rejected(
              Code.INVALID,
              "the policy does not allow " + style.label() + " writes of " + unit.label());
    }

    /**
     * Whether a change takes the place of what its author may not have seen. Operations that name
     * what they add to or remove from a counter or set do not. Where the type as a whole is not
     * overwritten, everything else does; otherwise what changes a value that readers see now,
     * except for a deletion, which says what it does whatever is there.
     */
    private boolean isBlindlyReplaced(Change change, Edit edit) {
      boolean named = edit instanceof Edit.Operations;
      if (!before.view().exists()
          || (named && (change instanceof Change.Count || change instanceof Change.EditSet))) {
        return false;
      }
      if (!policy.writes().contains(WriteStyle.OVERWRITE)) {
        return true;
      }
      return !(edit instanceof Edit.Delete)
          && switch (change) {
            case Change.Assign assign ->
                before.state().register(assign.unit()).values().stream()
                    .anyMatch(a -> !a.value().isAbsent() && !a.value().equals(assign.value()));
            case Change.Count count -> !count.path().in(before.view().data()).isAbsent();
            case Change.EditSet set -> !set.remove().isEmpty();
            case Change.Remove _ -> true;
            default -> false;
          };
    }

    private Optional<Rejected> tooManySiblings(Change change) {
      if (origin.skips(WriteCheck.SIBLINGS) || !(change instanceof Change.Assign)) {
        return Optional.empty();
      }
      List<Assignment> now = before.state().register(change.unit()).values();
      return now.size() >= siblingsMax
              && now.stream().noneMatch(a -> authored.context().contains(a.dot()))
          ? rejected(
              Code.CONFLICT,
              now.size()
                  + " values compete for "
                  + change.unit().label()
                  + " already; settle its review before adding another")
          : Optional.empty();
    }

    private Optional<Rejected> undecided(Change change) {
      return !origin.skips(WriteCheck.NEVER_AUTOMATIC)
              && policy.isNeverAutomatic(change.unit())
              && authored.isCurrent()
              && isPending(change.unit())
          ? rejected(
              Code.CONFLICT,
              change.unit().label()
                  + " waits for a person's decision and is never settled by a write; decide its"
                  + " review first")
          : Optional.empty();
    }

    /**
     * A write settles a pending conflict only where its author knew of it and wrote the unit
     * itself. Otherwise it must not cover the competing values, as a write without a context would,
     * and one inside an object or record about which a decision is due. A whole record is written
     * by who sends all of it, or deletes it.
     */
    private Optional<Rejected> unsettled(Change change) {
      if (origin.skips(WriteCheck.PENDING)) {
        return Optional.empty();
      }
      for (Resolution resolution : before.view().resolutions()) {
        Conflict conflict = resolution.conflict();
        if (!resolution.isPending()
            || conflict.competing().stream().noneMatch(a -> authored.context().contains(a.dot()))) {
          continue;
        }
        String waits = conflict.label() + " waits for a person to decide what competes for it";
        boolean concerned = conflict.recordLevel() || change.unit().equals(conflict.unit());
        if (concerned && authored.isBlind() && change instanceof Change.Assign) {
          return Optional.of(
              new Rejected(
                  Code.PRECONDITION_REQUIRED,
                  waits
                      + "; to settle it by a write, read the record and send If-Match or"
                      + " Entente-Context with the context you have read",
                  Optional.of(before)));
        }
        if (conflict.recordLevel() && !writesTheRecord() && endsAll(conflict)) {
          return rejected(
              Code.CONFLICT,
              "the record waits for a person to decide between what was written at once; decide its"
                  + " review, or put the whole record");
        }
        if (isInside(change.unit(), conflict)
            && authored.changes().stream().noneMatch(c -> c.unit().equals(conflict.unit()))) {
          return rejected(
              Code.CONFLICT, waits + "; decide its review before changing what is inside");
        }
      }
      return Optional.empty();
    }

    private boolean writesTheRecord() {
      return authored
          .request()
          .map(WriteRequest::edit)
          .filter(edit -> edit instanceof Edit.Put || edit instanceof Edit.Delete)
          .isPresent();
    }

    /** Whether the version covers all that competes, and not only one of the sides. */
    private boolean endsAll(Conflict conflict) {
      return conflict.competing().stream().allMatch(a -> authored.context().contains(a.dot()));
    }

    private static boolean isInside(Unit unit, Conflict conflict) {
      Unit pending = conflict.unit();
      return !conflict.recordLevel()
          && !pending.isGroup()
          && !unit.equals(pending)
          && (unit.isGroup() ? pending.path().isRoot() : pending.path().contains(unit.path()));
    }

    /** Whether this node lacks the rights for what a change takes from a bounded counter. */
    private Optional<Rejected> unentitled(Change change) {
      long wanted =
          switch (change) {
            case Change.Give give -> give.amount();
            case Change.Count count when isBounded(count.path()) -> -count.difference();
            default -> 0;
          };
      if (wanted <= 0 || origin.skips(WriteCheck.COUNTER_RIGHTS)) {
        return Optional.empty();
      }
      Counter counter = Counters.of(before.state(), change.unit().path());
      BigInteger rights = counter.rights(transaction.self());
      return rights.compareTo(BigInteger.valueOf(wanted)) >= 0
          ? Optional.empty()
          : rejected(
              Code.CONFLICT, Counters.missing(counter, transaction.self(), wanted, change.unit()));
    }

    private boolean isBounded(Path path) {
      FieldRule rule = policy.field(path);
      return rule != null && rule.cell() == CellKind.BOUNDED_COUNTER;
    }

    private boolean isPending(Unit unit) {
      for (Resolution resolution : before.view().resolutions()) {
        if (resolution.isPending() && resolution.conflict().unit().equals(unit)) {
          return true;
        }
      }
      return false;
    }

    /**
     * Whether a state machine does not know a state, or does not allow to change to it. To choose
     * one of the competing values is no transition, and neither is to let a value compete again.
     */
    private Optional<Rejected> illegalTransition(Change change) {
      Optional<StateMachine> machine =
          policy.strategyOf(change.unit()).flatMap(StrategySpec::machine);
      if (machine.isEmpty()
          || !(change instanceof Change.Assign assign)
          || origin.skips(WriteCheck.TRANSITION)) {
        return Optional.empty();
      }
      StateMachine states = machine.get();
      String to = states.stateOf(assign.value());
      if (!states.knows(to)) {
        return rejected(
            Code.INVALID,
            (to.isEmpty()
                    ? "there is no " + states.field()
                    : to + " is no state of " + states.field())
                + "; known are "
                + String.join(", ", states.names()));
      }
      List<Assignment> from = authored.seen().register(assign.unit()).values();
      if (origin.restores()
          || from.isEmpty()
          || from.stream()
              .anyMatch(a ->
                  (from.size() > 1 && a.value().equals(assign.value()))
                      || states.allows(states.stateOf(a.value()), to))) {
        return Optional.empty();
      }
      String state = states.stateOf(from.getFirst().value());
      return rejected(
          Code.INVALID,
          "illegal transition of "
              + states.field()
              + ": "
              + state
              + " may not change to "
              + to
              + "; it may change to "
              + states.states().get(state));
    }
  }
}
