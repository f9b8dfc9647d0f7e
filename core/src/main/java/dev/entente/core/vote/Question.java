// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonPrinter;
import java.nio.charset.StandardCharsets;

/**
 * What is voted on.
 *
 * @param conflict the conflict's id, which holds the record, the unit and the competing dots
 * @param policy the version of the policy that called the vote
 * @param round counted from 1; a round that found no quorum in time is followed by another
 */
public record Question(String conflict, String policy, int round) {
  private static final String FORMAT = "entente-vote-1";

  public Question next() {
    return new Question(conflict, policy, round + 1);
  }

  /** The bytes that a voter signs: format, question, voter and value, a line each. */
  public byte[] statement(String voter, Json value) {
    String choice = value.isAbsent() ? "removed" : JsonPrinter.print(value);
    String text =
        String.join("\n", FORMAT, conflict, policy, Integer.toString(round), voter, choice);
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
