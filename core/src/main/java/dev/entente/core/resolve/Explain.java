// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.json.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Collection;

/**
 * Words for explanations: short, the same on every node, and without surprises from the values they
 * speak of.
 */
public final class Explain {
  private static final int VALUE_MAX = 60;

  /** Offers that are named where many compete. */
  private static final int OFFERS_MAX = 5;

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
    StringBuilder text = new StringBuilder();
    int named = 0;
    for (Assignment assignment : assignments) {
      if (named++ == OFFERS_MAX && assignments.size() > OFFERS_MAX + 1) {
        return text.append(" and ")
            .append(assignments.size() - OFFERS_MAX)
            .append(" others")
            .toString();
      }
      text.append(text.isEmpty() ? "" : " against ").append(offer(assignment));
    }
    return text.toString();
  }

  /** A place inside a value; {@code whole} where it is the value itself. */
  public static String place(Path path, String whole) {
    return path.isRoot() ? whole : path.toString();
  }

  public static String time(Assignment assignment) {
    return time(assignment.time().millis());
  }

  /** A time in milliseconds since 1970. */
  public static String time(long millis) {
    LocalDateTime at = LocalDateTime.ofEpochSecond(millis / 1000, 0, ZoneOffset.UTC);
    StringBuilder text = new StringBuilder(24);
    digits(text, at.getYear(), 4).append('-');
    digits(text, at.getMonthValue(), 2).append('-');
    digits(text, at.getDayOfMonth(), 2).append(' ');
    digits(text, at.getHour(), 2).append(':');
    digits(text, at.getMinute(), 2).append(':');
    digits(text, at.getSecond(), 2).append('.');
    return digits(text, (int) (millis % 1000), 3).append('Z').toString();
  }

  private static StringBuilder digits(StringBuilder text, int number, int width) {
    for (int power = (int) Math.pow(10, width - 1); power > 1 && number < power; power /= 10) {
      text.append('0');
    }
    return text.append(number);
  }
}
