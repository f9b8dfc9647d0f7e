// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The lifecycle of a group of fields: which state may follow which, which states are final, and how
 * two writes into the same state meet.
 *
 * @param field the field that holds the state
 * @param states from each state the states it may change to; its own name means that it may be
 *     written again
 * @param absorbing states that win over all others and that nothing leaves
 * @param sameState how competing writes with the same state are settled, by state
 */
public record StateMachine(
    String field,
    Map<String, Set<String>> states,
    Set<String> absorbing,
    Map<String, SameState> sameState) {

  /** Takes the branch whose {@code by} field is highest or lowest. */
  public record SameState(String by, boolean highest) {}

  public StateMachine {
    TreeMap<String, Set<String>> sorted = new TreeMap<>();
    states.forEach((from, to) ->
        sorted.put(from, java.util.Collections.unmodifiableSortedSet(new TreeSet<>(to))));
    states = java.util.Collections.unmodifiableSortedMap(sorted);
    absorbing = java.util.Collections.unmodifiableSortedSet(new TreeSet<>(absorbing));
    sameState = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(sameState));
  }

  /** The state in a group's value; empty text where there is none. */
  public String stateOf(Json group) {
    return group instanceof JsonObject object
            && object.get(field) instanceof JsonString(String state)
        ? state
        : "";
  }

  public boolean knows(String state) {
    return states.containsKey(state);
  }

  /**
   * Whether a single author may go from one state to the other. A new record may begin in any
   * state.
   */
  public boolean allows(String from, String to) {
    return from.isEmpty() || !knows(from) || states.getOrDefault(from, Set.of()).contains(to);
  }

  public List<String> names() {
    return List.copyOf(states.keySet());
  }
}
