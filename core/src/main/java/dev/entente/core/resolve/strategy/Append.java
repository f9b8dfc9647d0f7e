// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonString;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/** Keeps all texts, each once, one after the other with a blank line between them. */
final class Append implements Strategy {
  @Override
  public String name() {
    return "append";
  }

  @Override
  public String tieBreak() {
    return "texts stand in the order of time, then of dots";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    List<Assignment> present = dispute.presentByTime();
    for (Assignment assignment : present) {
      if (!(assignment.value() instanceof JsonString)) {
        return new Verdict.Unable(Explain.offer(assignment) + " is not a text");
      }
    }
    String agreed =
        dispute.lastAgreed().orElse(null) instanceof JsonString(String text) ? text : "";
    SequencedSet<String> parts = new LinkedHashSet<>();
    boolean allContinue = !agreed.isEmpty();
    for (Assignment assignment : present) {
      allContinue &= ((JsonString) assignment.value()).value().startsWith(agreed);
    }
    if (allContinue) {
      paragraphs(agreed).forEach(parts::add);
    }
    for (Assignment assignment : present) {
      String text = ((JsonString) assignment.value()).value();
      paragraphs(allContinue ? text.substring(agreed.length()) : text).forEach(parts::add);
    }
    return new Verdict.Settled(
        Json.of(String.join(SEPARATOR, parts)),
        "Kept all texts, each once: " + Explain.offers(present) + ".");
  }

  private static List<String> paragraphs(String text) {
    return Arrays.stream(text.split(SEPARATOR)).filter(part -> !part.isBlank()).toList();
  }

  private static final String SEPARATOR = "\n\n";
}
