// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import java.util.List;

/**
 * A place that several sides changed differently.
 *
 * @param path the place, below the merged value
 * @param base the value that was replaced there
 * @param sides what each side has there, one for each merged side and in the same order; those
 *     equal to {@code base} did not change it
 */
public record Clash(Path path, Json base, List<Json> sides) {
  public Clash {
    sides = List.copyOf(sides);
  }

  /** The different values that sides put in place of the base, in the order of the sides. */
  public List<Json> competing() {
    return sides.stream().filter(side -> !side.equals(base)).distinct().toList();
  }

  /** Whether one side removed what another changed. */
  public boolean isRemovalAgainstChange() {
    List<Json> competing = competing();
    return !base.isAbsent() && competing.size() > 1 && competing.stream().anyMatch(Json::isAbsent);
  }
}
