// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import dev.entente.core.json.Json;

/**
 * What one voter wants.
 *
 * @param value the value to take; absent to remove the unit
 * @param signature over {@link Question#statement}; empty where the voter has no key
 */
public record Ballot(String voter, Json value, String signature) {
  boolean isGenuine(Question question, Voter by) {
    return by.key()
        .map(key -> Keys.isSigned(question.statement(voter, value), signature, key))
        .orElse(signature.isEmpty());
  }
}
