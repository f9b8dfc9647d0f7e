// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.record.Version;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Works out from all versions of a record what competing authors had last agreed on: the naive
 * oracle of {@link Ancestry}, which has only what travels with the competing values.
 */
final class AgreedValue {
  private record Written(Dot dot, CausalContext context, Json value) {}

  private final List<Written> all = new ArrayList<>();

  /** Takes note of a version and of the value that it gave to the unit. */
  void add(Version version, Json value) {
    all.add(new Written(version.dot(), version.context(), value));
  }

  /** What the authors of the competing values had read last; empty where that was in conflict. */
  Optional<Json> of(Collection<Dot> competing) {
    List<CausalContext> contexts =
        all.stream()
            .filter(w -> competing.contains(w.dot()))
            .map(w -> w.context().with(List.of(w.dot())))
            .toList();
    List<Written> known =
        all.stream().filter(w -> contexts.stream().allMatch(c -> c.contains(w.dot()))).toList();
    List<Written> newest =
        known.stream()
            .filter(w -> known.stream().noneMatch(other -> other.context().contains(w.dot())))
            .toList();
    return switch (newest.size()) {
      case 0 -> Optional.of(JsonAbsent.ABSENT);
      case 1 -> Optional.of(newest.getFirst().value());
      default -> Optional.empty();
    };
  }
}
