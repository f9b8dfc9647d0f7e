// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.merge.Clash;
import dev.entente.core.merge.StructuralMerge;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps every element of all sides: lists as sets, objects member by member. Where two sides hold
 * the same element differently, the larger magnitude stays, or the last writer, and the explanation
 * says what was dropped.
 */
final class Union implements Strategy {
  private static final int NAMED_MAX = 3;

  @Override
  public String name() {
    return "union";
  }

  @Override
  public String tieBreak() {
    return "of two elements with the same id the fields merge and the larger number or later writer"
        + " stays";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    List<Assignment> present = dispute.presentByTime();
    Class<?> shape = present.getFirst().value().getClass();
    if (!(shape == JsonArray.class || shape == JsonObject.class)
        || !present.stream().allMatch(a -> a.value().getClass() == shape)) {
      return new Verdict.Unable(
          "only lists or objects can be united, not " + Explain.offers(dispute.competing()));
    }
    List<String> dropped = new ArrayList<>();
    Json united =
        StructuralMerge.unite(
                present.stream().map(Assignment::value).toList(),
                clash -> Optional.of(larger(clash, dropped)))
            .merged();
    int more = dropped.size() - NAMED_MAX;
    return new Verdict.Settled(
        united,
        "Kept everything of "
            + Explain.offers(dispute.competing())
            + (dropped.isEmpty()
                ? "."
                : ", except that of what both hold differently one stays: "
                    + String.join("; ", dropped.subList(0, Math.min(NAMED_MAX, dropped.size())))
                    + (more > 0 ? "; and " + more + " more places." : ".")));
  }

  /** Of the values, from the earliest to the latest, the largest or else the latest. */
  private static Json larger(Clash clash, List<String> dropped) {
    List<Json> values = clash.competing();
    Json best = values.getFirst();
    for (Json next : values.subList(1, values.size())) {
      boolean stays = Magnitude.compare(best, next).orElse(-1) > 0;
      dropped.add(
          Explain.place(clash.path(), "the value")
              + " keeps "
              + Explain.value(stays ? best : next)
              + " and drops "
              + Explain.value(stays ? next : best));
      best = stays ? best : next;
    }
    return best;
  }
}
