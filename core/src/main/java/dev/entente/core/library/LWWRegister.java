// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Register;
import dev.entente.core.json.Json;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * A register of which readers see the last value: what was assigned having seen another covers it,
 * and of concurrent ones the later by hybrid time counts, then the higher replica. Not thread-safe.
 */
public final class LWWRegister extends Replicated<Register> {
  private final HybridClock clock;

  /**
   * An empty register.
   *
   * @param clockMillis the physical clock, in milliseconds since 1970
   */
  public LWWRegister(String replica, LongSupplier clockMillis) {
    super(replica, Register.EMPTY);
    this.clock = new HybridClock(clockMillis, Long.MAX_VALUE / 2, HybridTime.ZERO);
  }

  public void assign(Json value) {
    var dot = nextDot();
    HybridTime now = clock.next();
    change(
        dot,
        cell().assign(new Assignment(dot, context(), now, now, self().value(), value, List.of())));
  }

  /** The last value; empty before the first. */
  public Optional<Json> value() {
    return cell().values().stream().max(Assignment.BY_TIME).map(Assignment::value);
  }

  /** Every value that no later one has seen, the last first. */
  public List<Json> concurrent() {
    Comparator<Assignment> latestFirst = Assignment.BY_TIME.reversed();
    return cell().values().stream().sorted(latestFirst).map(Assignment::value).toList();
  }

  public void merge(LWWRegister other) {
    mergeWith(other);
  }

  @Override
  void merged() {
    cell().values().forEach(assignment -> clock.observe(assignment.time()));
  }
}
