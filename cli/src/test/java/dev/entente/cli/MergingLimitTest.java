// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * How often a rule about conflicts can equal people at all. A judge who knows people's result
 * decides whatever both sides changed in any way, whole lists included; what one side alone changed
 * stays changed. Nobody can be equal more often without dropping changes that nobody disputes or
 * making ones that nobody made.
 */
class MergingLimitTest {
  private static final Path MERGES =
      Path.of(System.getProperty("entente.root", ".."))
          .resolve("../shared/data/json-merges.jsonl.gz");

  /** Whether people's result can be had by deciding conflicts. */
  private static boolean isReachable(Json base, Json left, Json right, Json merged) {
    if (left.equals(base) || left.equals(right)) {
      return merged.equals(right);
    }
    if (right.equals(base)) {
      return merged.equals(left);
    }
    if (left instanceof JsonObject l && right instanceof JsonObject r) {
      return merged instanceof JsonObject m && isReachable(members(base), l, r, m);
    }
    return true;
  }

  private static boolean isReachable(
      JsonObject base, JsonObject left, JsonObject right, JsonObject merged) {
    Set<String> names = new TreeSet<>(base.members().keys());
    names.addAll(left.members().keys());
    names.addAll(right.members().keys());
    names.addAll(merged.members().keys());
    return names.stream()
        .allMatch(
            name -> isReachable(base.get(name), left.get(name), right.get(name), merged.get(name)));
  }

  private static JsonObject members(Json base) {
    return base instanceof JsonObject object ? object : JsonObject.EMPTY;
  }

  @Test
  void whoDecidedEveryConflictAsPeopleDidWouldStillDifferInOneCaseOfSeven() throws IOException {
    assumeTrue(Files.exists(MERGES), "the recorded merges are not at " + MERGES);
    int cases = 0;
    int reachable = 0;
    try (BufferedReader lines = JsonLines.open(MERGES)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Replay.Case one = Replay.read(line);
        cases++;
        reachable += isReachable(one.base(), one.left(), one.right(), one.merged()) ? 1 : 0;
      }
    }
    assertThat(cases).isEqualTo(613);
    assertThat(reachable).isEqualTo(520);
  }

  @Test
  void aChangeThatOnlyOneSideMadeIsOutOfTheJudgesReach() {
    Json base = JsonObject.of("a", Json.of(1));
    Json left = JsonObject.of("a", Json.of(2));
    Json both = JsonObject.of("a", Json.of(3));
    assertThat(isReachable(base, left, base, left)).isTrue();
    assertThat(isReachable(base, left, base, base)).isFalse();
    assertThat(isReachable(base, left, both, both)).isTrue();
    assertThat(isReachable(base, left, JsonObject.EMPTY, JsonObject.EMPTY)).isTrue();
    assertThat(JsonObject.EMPTY.get("a")).isEqualTo(JsonAbsent.ABSENT);
  }
}
