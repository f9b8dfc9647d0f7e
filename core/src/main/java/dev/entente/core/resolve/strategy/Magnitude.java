// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonString;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares values that have a magnitude: numbers; texts that are RFC 3339 times, ISO dates, plain
 * decimal numbers, or version numbers ({@code v1.2.3}, {@code ^1.2.3-rc.4}; a pre-release comes
 * before its release, as in Semantic Versioning 2.0). Values of different kinds do not compare.
 */
final class Magnitude {
  private static final int TEXT_MAX = 60;
  private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,30}(\\.[0-9]{1,30})?");
  private static final Pattern VERSION =
      Pattern.compile(
          "[v^~=]{0,2}([0-9]{1,18}(?:\\.[0-9]{1,18}){2,8})(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z.-]*)?");

  private static final Pattern TIME_OF_DAY = Pattern.compile("[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?");

  private Magnitude() {}

  /** The order of the two, or empty where they do not compare. */
  static Optional<Integer> compare(Json a, Json b) {
    if (a instanceof JsonNumber(BigDecimal x) && b instanceof JsonNumber(BigDecimal y)) {
      return Optional.of(x.compareTo(y));
    }
    if (a instanceof JsonString(String x)
        && b instanceof JsonString(String y)
        && x.length() <= TEXT_MAX
        && y.length() <= TEXT_MAX) {
      return texts(x, y);
    }
    return Optional.empty();
  }

  private static Optional<Integer> texts(String a, String b) {
    if (DECIMAL.matcher(a).matches() && DECIMAL.matcher(b).matches()) {
      return Optional.of(new BigDecimal(a).compareTo(new BigDecimal(b)));
    }
    Matcher x = VERSION.matcher(a);
    Matcher y = VERSION.matcher(b);
    if (x.matches() && y.matches()) {
      return Optional.of(versions(x, y));
    }
    try {
      return Optional.of(
          TIME_OF_DAY.matcher(a).matches() && TIME_OF_DAY.matcher(b).matches()
              ? LocalTime.parse(a).compareTo(LocalTime.parse(b))
              : instant(a).compareTo(instant(b)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static Instant instant(String text) {
    return text.length() == 10
        ? LocalDate.parse(text).atStartOfDay(java.time.ZoneOffset.UTC).toInstant()
        : java.time.OffsetDateTime.parse(text).toInstant();
  }

  private static int versions(Matcher a, Matcher b) {
    int order = parts(List.of(a.group(1).split("\\.")), List.of(b.group(1).split("\\.")));
    if (order != 0) {
      return order;
    }
    if (a.group(2) == null || b.group(2) == null) {
      return a.group(2) == null ? b.group(2) == null ? 0 : 1 : -1;
    }
    return parts(List.of(a.group(2).split("[.-]")), List.of(b.group(2).split("[.-]")));
  }

  private static int parts(List<String> a, List<String> b) {
    List<String> longer = new ArrayList<>(a.size() >= b.size() ? a : b);
    for (int i = 0; i < longer.size(); i++) {
      if (i >= a.size() || i >= b.size()) {
        return Integer.compare(a.size(), b.size());
      }
      int order = part(a.get(i), b.get(i));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private static int part(String a, String b) {
    boolean numberA = !a.isEmpty() && a.chars().allMatch(c -> c >= '0' && c <= '9');
    boolean numberB = !b.isEmpty() && b.chars().allMatch(c -> c >= '0' && c <= '9');
    if (numberA && numberB) {
      return new BigInteger(a).compareTo(new BigInteger(b));
    }
    return numberA != numberB ? (numberA ? -1 : 1) : a.compareTo(b);
  }
}
