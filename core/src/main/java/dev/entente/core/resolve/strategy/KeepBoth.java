// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/** Keeps all values as one list; lists are joined, each element once. */
final class KeepBoth implements Strategy {
  @Override
  public String name() {
    return "keep-both";
  }

  @Override
  public String tieBreak() {
    return "values stand in the order of time, then of dots";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    SequencedSet<Json> kept = new LinkedHashSet<>();
    dispute.competing().stream()
        .sorted(Assignment.BY_TIME)
        .map(Assignment::value)
        .filter(value -> !value.isAbsent())
        .forEach(value -> {
          if (value instanceof JsonArray array) {
            kept.addAll(array.items());
          } else {
            kept.add(value);
          }
        });
    return new Verdict.SideBySide(
        new JsonArray(List.copyOf(kept)),
        "Kept both: " + Explain.offers(dispute.competing()) + ".");
  }
}
