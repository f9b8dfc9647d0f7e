// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.crdt.Register;
import dev.entente.core.json.Json;
import java.util.List;

/** A register that keeps every value that no later one has seen. Not thread-safe. */
public final class MVRegister extends Replicated<Register> {
  public MVRegister(String replica) {
    super(replica, Register.EMPTY);
  }

  /** Covers the values that this replica has seen. */
  public void assign(Json value) {
    var dot = nextDot();
    HybridTime none = HybridTime.ZERO;
    change(
        dot,
        cell()
            .assign(new Assignment(dot, context(), none, none, self().value(), value, List.of())));
  }

  /** The values, each once, in the order of values; several where assignments were concurrent. */
  public List<Json> values() {
    return cell().values().stream().map(Assignment::value).distinct().sorted().toList();
  }

  public void merge(MVRegister other) {
    mergeWith(other);
  }
}
