// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.library.Replica;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.record.RecordKey;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What policies make of lists that two replicas changed. */
class ListPolicyTest {
  private static final RecordKey KEY = new RecordKey("main", "t", "r");

  private static Replica merged(String policy, Object base, Object left, Object right)
      throws Exception {
    var loaded = PolicyLoader.load("type: t\n" + policy).policy();
    Replica here = new Replica("here", KEY, loaded, () -> 1_000);
    Replica there = new Replica("there", KEY, loaded, () -> 2_000);
    here.put("ann", Map.of("l", base));
    there.join(here);
    here.put("ann", Map.of("l", left));
    there.put("bob", Map.of("l", right));
    here.join(there);
    there.join(here);
    assertThat(here.read()).isEqualTo(there.read());
    return here;
  }

  private static Json list(Replica replica) {
    return ((JsonObject) replica.read()).get("l");
  }

  @Test
  void theRuleForRemovalsReachesElementsOfLists() throws Exception {
    List<String> base = List.of("a", "b", "c");
    List<String> removed = List.of("a", "c");
    List<String> changed = List.of("a", "B", "c");
    Replica gone =
        merged("default: last-writer-wins\ndeletes: delete-wins\n", base, removed, changed);
    assertThat(list(gone)).isEqualTo(Json.of(removed));
    assertThat(gone.explain().getFirst()).contains("the removal wins");
    Replica kept =
        merged("default: last-writer-wins\ndeletes: edit-wins\n", base, changed, removed);
    assertThat(list(kept)).isEqualTo(Json.of(changed));
    assertThat(kept.explain().getFirst()).contains("the change wins");
    Replica waits =
        merged("default: manual-review\ndeletes: manual-review\n", base, removed, changed);
    assertThat(list(waits)).isEqualTo(Json.of(base));
    assertThat(waits.explain().getFirst()).doesNotContain("nothing was changed by both");
  }

  @Test
  void theRuleForRemovalsReachesElementsWithIds() throws Exception {
    Replica gone =
        merged(
            "default: manual-review\ndeletes: delete-wins\n",
            List.of(Map.of("id", 1, "n", 1), Map.of("id", 2, "n", 1)),
            List.of(Map.of("id", 2, "n", 1)),
            List.of(Map.of("id", 1, "n", 5), Map.of("id", 2, "n", 7)));
    assertThat(list(gone)).isEqualTo(Json.of(List.of(Map.of("id", 2, "n", 7))));
  }

  @Test
  void anotherClashBesideARemovalStillWaits() throws Exception {
    Replica waits =
        merged(
            "default: manual-review\ndeletes: delete-wins\n",
            List.of("a", "b", "c", "d"),
            List.of("b", "c", "x"),
            List.of("A", "b", "c", "y"));
    assertThat(list(waits)).isEqualTo(Json.of(List.of("a", "b", "c", "d")));
  }

  @Test
  void aListMergedAsASetSaysSo() throws Exception {
    Replica set =
        merged("default: manual-review\n", List.of("a"), List.of("a", "b"), List.of("a", "c", "b"));
    assertThat(set.explain().getFirst()).contains("Merged as a set");
    Replica placed =
        merged(
            "default: manual-review\n",
            List.of("a", "b", "c"),
            List.of("x", "b", "c"),
            List.of("a", "b", "y"));
    assertThat(list(placed)).isEqualTo(Json.of(List.of("x", "b", "y")));
    assertThat(placed.explain().getFirst()).contains("nothing was changed by both differently");
  }

  @Test
  void aDeclaredUnionSaysWhatItDrops() throws Exception {
    Replica both =
        merged(
            "default: manual-review\nfields: {l: union}\n",
            Map.of("eth0", Map.of("ip", "10.0.0.1")),
            Map.of("eth0", Map.of("ip", "10.0.0.2")),
            Map.of("eth0", Map.of("ip", "10.0.0.3")));
    assertThat(both.explain().getFirst()).contains("drops \"10.0.0.2\"");
    Replica addresses =
        merged(
            "default: manual-review\nfields: {l: union}\n",
            List.of("10.0.0.1"),
            List.of("10.0.0.2"),
            List.of("10.0.0.3", "10.0.0.1"));
    assertThat(addresses.explain().getFirst())
        .startsWith("Kept everything of")
        .doesNotContain("drops");
  }
}
