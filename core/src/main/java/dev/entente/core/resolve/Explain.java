// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonPrinter;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.stream.Collectors;

/**
 * Words for explanations: short, the same on every node, and without surprises from the values they
 * speak of.
 */
public final class Explain {
  private static final int VALUE_MAX = 60;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private Explain() {}

  /** A value, abbreviated where it is long. */
  public static String value(Json value) {
    if (value.isAbsent()) {
      return "(removed)";
    }
    String text = JsonPrinter.print(value);
    if (text.length() <= VALUE_MAX) {
      return text;
    }
    int end = Character.isHighSurrogate(text.charAt(VALUE_MAX - 1)) ? VALUE_MAX - 1 : VALUE_MAX;
    return text.substring(0, end) + "…";
  }

  /** A value, who gave it, and when. */
  public static String offer(Assignment assignment) {
    return value(assignment.value()) + " by " + assignment.author() + " at " + time(assignment);
  }

  /** All offers, joined. */
  public static String offers(Collection<Assignment> assignments) {
    return assignments.stream().map(Explain::offer).collect(Collectors.joining(" against "));
  }

  public static String time(Assignment assignment) {
    return TIME.format(assignment.time().instant());
  }
}
