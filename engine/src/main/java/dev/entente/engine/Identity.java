// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Condition;
import dev.entente.core.policy.Condition.ConditionException;
import dev.entente.core.policy.Policy;
import dev.entente.core.resolve.Facts;
import java.util.List;

/**
 * Derives a record's id from an event by its natural key, so that two devices that never met speak
 * of the same record.
 */
public final class Identity {
  private Identity() {}

  /**
   * The id that the policy's {@code identity} gives: an expression over the event's data, with the
   * event's own id, type, at and author.
   *
   * @throws ConditionException where the policy names no identity, or the expression fails on this
   *     event
   */
  public static String derive(Policy policy, JsonObject event) {
    Condition identity =
        policy
            .identity()
            .orElseThrow(() ->
                new ConditionException(
                    "an event of type "
                        + policy.type()
                        + " needs a recordId; its policy derives none (identity)"));
    JsonObject facts = event.get("data") instanceof JsonObject data ? data : JsonObject.EMPTY;
    for (String name : List.of("id", "type", "at", "author")) {
      if (facts.get(name).isAbsent() && !event.get(name).isAbsent()) {
        facts = facts.with(name, event.get(name));
      }
    }
    try {
      return identity.text(Facts.ofEvent(facts));
    } catch (ConditionException e) {
      throw new ConditionException("the record's id could not be derived: " + e.getMessage());
    }
  }
}
