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
 * the same element differently, the larger magnitude stays, or the last writer.
 */
final class Union implements Strategy {
  @Override
  public String name() {
    return "union";
  }

  @Override
  public String tieBreak() {
    return "of two elements with the same id the fields merge and the larger number or later writer stays";
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
    Json united = present.getFirst().value();
    for (Assignment next : present.subList(1, present.size())) {
      united =
          StructuralMerge.merge(
                  shape == JsonArray.class ? JsonArray.EMPTY : JsonObject.EMPTY,
                  united,
                  next.value(),
                  Union::larger)
              .merged();
    }
    return new Verdict.Settled(
        united, "Kept everything of " + Explain.offers(dispute.competing()) + ".");
  }

  private static Optional<Json> larger(Clash clash) {
    if (clash.left() instanceof JsonArray && clash.right() instanceof JsonArray) {
      List<Json> all = new ArrayList<>(((JsonArray) clash.left()).items());
      ((JsonArray) clash.right()).items().stream().filter(i -> !all.contains(i)).forEach(all::add);
      return Optional.of(new JsonArray(all));
    }
    int order = Magnitude.compare(clash.left(), clash.right()).orElse(-1);
    return Optional.of(order > 0 ? clash.left() : clash.right());
  }
}
