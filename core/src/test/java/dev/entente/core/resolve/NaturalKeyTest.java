// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Condition.ConditionException;
import dev.entente.core.policy.PolicyLoader;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What an identity expression makes of values: an exact text, or nothing. */
class NaturalKeyTest {
  private static String key(String expression, Json name) throws Exception {
    return PolicyLoader.load("type: t\nidentity: " + expression + "\ndefault: manual-review\n")
        .policy()
        .identity()
        .orElseThrow()
        .text(Facts.ofEvent(JsonObject.of(java.util.Map.of("name", name))));
  }

  @Test
  void numbersKeepAllTheirDigits() throws Exception {
    for (String digits :
        List.of(
            "99999999999999999999998", "99999999999999999999999", "0.12345678901234567890123")) {
      assertThat(key("event.name", Json.of(new BigDecimal(digits)))).isEqualTo(digits);
    }
    assertThat(key("event.name", Json.of(7))).isEqualTo("7");
    assertThat(key("event.name", Json.of(2.5))).isEqualTo("2.5");
    assertThat(key("event.name", Json.of(9223372036854775807L))).isEqualTo("9223372036854775807");
    assertThat(key("event.name[0]", Json.of(List.of(new BigDecimal("9223372036854775809")))))
        .isEqualTo("9223372036854775809");
  }

  @Test
  void nullObjectsAndListsAreRefused() {
    for (Json value :
        List.of(JsonNull.NULL, Json.of(Map.of("x", 1)), Json.of(List.of()), JsonObject.EMPTY)) {
      assertThatThrownBy(() -> key("event.name", value)).isInstanceOf(ConditionException.class);
    }
    assertThatThrownBy(() -> key("event.other", Json.of(1))).isInstanceOf(ConditionException.class);
  }
}
