// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Counter;
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
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.RowConflict;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.WriteRequest.Seen;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Why a write is not accepted: for how things stand, or for what it would change. */
final class Refusals {
  /**
   * What a node refuses writes by.
   *
   * @param siblingsMax how many values may compete for a unit
   * @param promised what else the node has to keep
   */
  record Rules(Freezes freezes, ErasureMarks erasures, int siblingsMax, Promise promised) {}

  private final Rules rules;
  private final Transaction transaction;
  private final WriteRequest request;
  private final RecordKey key;
  private final Snapshot before;
  private final Policy policy;

  Refusals(
      Rules rules, Transaction transaction, WriteRequest request, Snapshot before, Policy policy) {
    this.rules = rules;
    this.transaction = transaction;
    this.request = request;
    this.key = request.key();
    this.before = before;
    this.policy = policy;
  }

  /** What is refused whatever it changes. */
  Optional<Rejected> atTheDoor() {
    Optional<Freeze> freeze = rules.freezes().over(key);
    if (freeze.isPresent()) {
      return rejected(Code.FROZEN, freeze.get().scope() + " is frozen: " + freeze.get().reason());
    }
    if (!transaction.isDraft()) {
      Optional<String> why = rules.promised().whyNot(policy);
      if (why.isPresent()) {
        return rejected(Code.UNAVAILABLE, why.get());
      }
    }
    if (request.fence().isPresent()) {
      Optional<String> why = rules.promised().whyNot(request.fence().get());
      if (why.isPresent()) {
        return rejected(Code.STALE, why.get());
      }
    }
    if (request.at().isPresent() && !transaction.clock().accepts(request.at().get())) {
      return rejected(
          Code.INVALID,
          "the time "
              + request.at().get()
              + " lies too far ahead of this node's clock; check the device's clock");
    }
    boolean exists = before.view().exists();
    return switch (request.seen()) {
      case Seen.Exactly(VersionVector context) -> {
        Optional<Rejected> future = claimsFuture(context);
        yield future.isPresent() || allowed(WriteStyle.CONDITIONAL).isPresent()
            ? future.or(() -> allowed(WriteStyle.CONDITIONAL))
            : context.equals(before.state().context())
                ? Optional.empty()
                : stale(
                    "the record has changed since this context; read it again and repeat the"
                        + " change");
      }
      case Seen.Existing() ->
          exists
              ? Optional.empty()
              : stale("there is no such record")
                  .map(missing -> missing.called(RowConflict.UPDATE_MISSING));
      case Seen.Absence() ->
          exists
              ? stale("the record exists already")
                  .map(there -> there.called(RowConflict.INSERT_EXISTS))
              : Optional.empty();
      case Seen.Context(VersionVector context) ->
          claimsFuture(context).or(() -> allowed(WriteStyle.MERGE));
      case Seen.Everything() ->
          exists && !policy.writes().contains(WriteStyle.OVERWRITE)
              ? rejected(
                  Code.PRECONDITION_REQUIRED,
                  "records of type "
                      + key.type()
                      + " are not overwritten; send If-Match or Entente-Context with the context"
                      + " you have read")
              : Optional.empty();
      case Seen.Nothing(), Seen.Rollback() -> Optional.empty();
    };
  }

  private Optional<Rejected> allowed(WriteStyle style) {
    return policy.writes().contains(style)
        ? Optional.empty()
        : rejected(
            Code.INVALID,
            "the policy of type " + key.type() + " does not allow " + style.label() + " writes");
  }

  private Optional<Rejected> claimsFuture(VersionVector context) {
    return ContextToken.claimsFuture(context, transaction.self(), transaction.lastNumber())
        ? rejected(
            Code.CONFLICT,
            "the context has seen more than this node has ever accepted; the node may have been"
                + " restored from a backup")
        : Optional.empty();
  }

  /** Whoever had read what was erased does not bring it back. */
  Optional<Rejected> erased(CausalContext context) {
    return rules
        .erasures()
        .of(transaction::get, key)
        .filter(erasure -> !context.contains(erasure.dot()))
        .flatMap(erasure ->
            rejected(
                Code.GONE,
                "what this record held was erased on "
                    + erasure.at().instant()
                    + ", and this was written without knowing that; read the record again and"
                    + " write what it may hold from now on"));
  }

  /** A count is a difference from what was read; where that is not known, there is none. */
  Optional<Rejected> uncounted(@Nullable Past past, CausalContext context, List<Change> changes) {
    boolean unknown =
        past != null
            && !past.reaches(context)
            && request.base().isEmpty()
            && !(request.edit() instanceof Edit.Operations);
    if (past != null
        && !past.reaches(context)
        && changes.stream().anyMatch(c -> c instanceof Change.Remove r && !r.counted().isEmpty())) {
      return rejected(
          Code.CONFLICT,
          "what you had read lies before the history that is kept, so what a removal would take"
              + " away cannot be told; read the record again and repeat the change");
    }
    return unknown && changes.stream().anyMatch(Change.Count.class::isInstance)
        ? rejected(
            Code.CONFLICT,
            "what you had read lies before the history that is kept, so by how much a counter"
                + " changed cannot be told; send the base that you had read, or increments")
        : Optional.empty();
  }

  /** What is refused for what it changes. */
  Optional<Rejected> changed(RecordState seen, List<Change> changes, CausalContext context) {
    for (Change change : changes) {
      Unit unit = change.unit();
      if (change instanceof Change.Assign assign) {
        Optional<Rejected> illegal = illegalTransition(seen, assign);
        if (illegal.isPresent()) {
          return illegal;
        }
        List<Assignment> now = before.state().register(unit).values();
        if (now.size() >= rules.siblingsMax()
            && now.stream().noneMatch(a -> context.contains(a.dot()))) {
          return rejected(
              Code.CONFLICT,
              now.size()
                  + " values compete for "
                  + unit.label()
                  + " already; settle its review before adding another");
        }
      }
      Optional<Rejected> unentitled = unentitled(change);
      if (unentitled.isPresent()) {
        return unentitled;
      }
      if (policy.isNeverAutomatic(unit)
          && context.dominates(before.state().context())
          && isPending(unit)) {
        return rejected(
            Code.CONFLICT,
            unit.label()
                + " waits for a person's decision and is never settled by a write; decide its"
                + " review first");
      }
      Optional<Rejected> unsettled = unsettled(change, changes, context);
      if (unsettled.isPresent()) {
        return unsettled;
      }
    }
    return Optional.empty();
  }

  /**
   * A write settles a pending conflict only where its author knew of it and wrote the unit itself.
   * Otherwise it must not cover the competing values, as a write without a context would, and one
   * inside an object about which a decision is due.
   */
  private Optional<Rejected> unsettled(Change change, List<Change> changes, CausalContext context) {
    boolean blind =
        request.seen() instanceof Seen.Everything || request.seen() instanceof Seen.Existing;
    for (Resolution resolution : before.view().resolutions()) {
      Unit pending = resolution.conflict().unit();
      if (!resolution.isPending()
          || request.seen() instanceof Seen.Rollback
          || resolution.conflict().competing().stream().noneMatch(a -> context.contains(a.dot()))) {
        continue;
      }
      String waits =
          resolution.conflict().label() + " waits for a person to decide what competes for it";
      boolean concerned = resolution.conflict().recordLevel() || change.unit().equals(pending);
      if (concerned && blind && change instanceof Change.Assign) {
        return Optional.of(
            new Rejected(
                Code.PRECONDITION_REQUIRED,
                waits
                    + "; to settle it by a write, read the record and send If-Match or"
                    + " Entente-Context with the context you have read",
                Optional.of(before)));
      }
      boolean inside =
          !resolution.conflict().recordLevel()
              && !pending.isGroup()
              && !change.unit().equals(pending)
              && (change.unit().isGroup()
                  ? pending.path().isRoot()
                  : pending.path().contains(change.unit().path()));
      if (inside && changes.stream().noneMatch(c -> c.unit().equals(pending))) {
        return rejected(
            Code.CONFLICT, waits + "; decide its review before changing what is inside");
      }
    }
    return Optional.empty();
  }

  /** Whether this node lacks the rights for what a change takes from a bounded counter. */
  private Optional<Rejected> unentitled(Change change) {
    long wanted =
        switch (change) {
          case Change.Give give -> give.amount();
          case Change.Count count when isBounded(count.path()) -> -count.difference();
          default -> 0;
        };
    if (wanted <= 0) {
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

  private Optional<Rejected> illegalTransition(RecordState seen, Change.Assign assign) {
    Optional<StateMachine> machine =
        policy.strategyOf(assign.unit()).flatMap(StrategySpec::machine);
    if (machine.isEmpty()) {
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
    List<Assignment> from = seen.register(assign.unit()).values();
    if (!from.isEmpty()
        && from.stream().noneMatch(a -> states.allows(states.stateOf(a.value()), to))) {
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
    return Optional.empty();
  }

  private static Optional<Rejected> rejected(Code code, String message) {
    return Optional.of(new Rejected(code, message, Optional.empty()));
  }

  private Optional<Rejected> stale(String message) {
    return Optional.of(new Rejected(Code.STALE, message, Optional.of(before)));
  }
}
