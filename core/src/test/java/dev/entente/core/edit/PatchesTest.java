// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Merge patches as in RFC 7396's appendix, JSON patches as in RFC 6902's. */
class PatchesTest {
  private static Json json(Object value) {
    return Json.of(value);
  }

  private static Json nulled(String name) {
    return new dev.entente.core.json.JsonObject(
        dev.entente.core.SortedArrayMap.of(name, Json.of((Object) null)));
  }

  @Test
  void mergePatches() {
    assertThat(Patches.mergePatch(json(Map.of("a", "b")), json(Map.of("a", "c"))))
        .isEqualTo(json(Map.of("a", "c")));
    assertThat(Patches.mergePatch(json(Map.of("a", "b", "b", "c")), nulled("a")))
        .isEqualTo(json(Map.of("b", "c")));
    assertThat(Patches.mergePatch(json(Map.of("a", List.of("b"))), json(Map.of("a", "c"))))
        .isEqualTo(json(Map.of("a", "c")));
    assertThat(
            Patches.mergePatch(
                json(Map.of("a", Map.of("b", "c"))), json(Map.of("a", Map.of("b", "d")))))
        .isEqualTo(json(Map.of("a", Map.of("b", "d"))));
    assertThat(Patches.mergePatch(json(Map.of("e", 1)), nulled("x")))
        .isEqualTo(json(Map.of("e", 1)));
    assertThat(Patches.mergePatch(json(List.of(1)), json(Map.of("a", 1))))
        .isEqualTo(json(Map.of("a", 1)));
  }

  private static Json patched(Object document, Object... operations) throws EditProblem {
    return Patches.jsonPatch(json(document), ((JsonArray) json(List.of(operations))).items());
  }

  @Test
  void jsonPatches() throws EditProblem {
    assertThat(
            patched(
                Map.of("foo", List.of("bar", "baz")),
                Map.of("op", "add", "path", "/foo/1", "value", "qux")))
        .isEqualTo(json(Map.of("foo", List.of("bar", "qux", "baz"))));
    assertThat(patched(Map.of("a", 1, "b", 2), Map.of("op", "remove", "path", "/a")))
        .isEqualTo(json(Map.of("b", 2)));
    assertThat(
            patched(
                Map.of("a", List.of(1, 2, 3)),
                Map.of("op", "move", "from", "/a/0", "path", "/a/2")))
        .isEqualTo(json(Map.of("a", List.of(2, 3, 1))));
    assertThat(patched(Map.of("a/b", 1), Map.of("op", "copy", "from", "/a~1b", "path", "/m~0n")))
        .isEqualTo(json(Map.of("a/b", 1, "m~n", 1)));
    assertThat(
            patched(
                Map.of("a", List.of(1)),
                Map.of("op", "add", "path", "/a/-", "value", 2),
                Map.of("op", "test", "path", "/a", "value", List.of(1, 2))))
        .isEqualTo(json(Map.of("a", List.of(1, 2))));
    assertThatThrownBy(
            () -> patched(Map.of("a", 1), Map.of("op", "replace", "path", "/b", "value", 1)))
        .isInstanceOf(EditProblem.class);
    assertThatThrownBy(() ->
            patched(
                Map.of("a", Map.of("b", 1)), Map.of("op", "move", "from", "/a", "path", "/a/b")))
        .hasMessageContaining("into itself");
    assertThatThrownBy(
            () -> patched(Map.of("a", 1), Map.of("op", "test", "path", "/a", "value", 2)))
        .hasMessageContaining("failed");
    assertThatThrownBy(() -> patched(Map.of("a", 1), Map.of("op", "nonsense", "path", "/a")))
        .hasMessageContaining("unknown op");
  }
}
