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
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares values that have a magnitude. Numbers compare as numbers. Two texts are read as the
 * first of these that fits both; otherwise, and where values are of different kinds, they do not
 * compare.
 *
 * <ol>
 *   <li>Whole or decimal numbers of which one has a sign, a leading zero after the point or no
 *       point: as numbers.
 *   <li>Versions: numbers between points ({@code 5.10}, {@code 1.2.3-rc.4+build}), or one with a
 *       prefix ({@code v7}, {@code ^7.0}, {@code ~1.2}, {@code >=2}). Number by number, so that
 *       {@code 5.10} is above {@code 5.9}; missing ones count as 0; a pre-release comes before its
 *       release, and pre-releases compare as in Semantic Versioning 2.0. Prefixes do not count, but
 *       an upper bound ({@code <2}) only compares with another.
 *   <li>Times of day, ISO dates, RFC 3339 times.
 * </ol>
 */
final class Magnitude {
  private static final int TEXT_MAX = 60;
  private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,30}(\\.[0-9]{1,30})?");
  private static final Pattern PLAIN_VERSION =
      Pattern.compile("(?:0|[1-9][0-9]{0,17})\\.(?:0|[1-9][0-9]{0,17})");
  private static final Pattern VERSION =
      Pattern.compile(
          "((?:\\^|~>?|[<>]=?|=)?\\s?[vV=]?)([0-9]{1,18}(?:\\.[0-9]{1,18}){0,8})"
              + "(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z.-]*)?");

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
    if (DECIMAL.matcher(a).matches()
        && DECIMAL.matcher(b).matches()
        && !(PLAIN_VERSION.matcher(a).matches() && PLAIN_VERSION.matcher(b).matches())) {
      return Optional.of(new BigDecimal(a).compareTo(new BigDecimal(b)));
    }
    Matcher x = VERSION.matcher(a);
    Matcher y = VERSION.matcher(b);
    if (isVersion(x) && isVersion(y)) {
      return a.startsWith("<") == b.startsWith("<")
          ? Optional.of(versions(x, y))
          : Optional.empty();
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

  /** A number that a hyphen follows, without point or prefix, may begin a date. */
  private static boolean isVersion(Matcher text) {
    return text.matches()
        && (!text.group(1).isBlank() || text.group(2).contains(".") || text.group(3) == null);
  }

  private static int versions(Matcher a, Matcher b) {
    List<String> x = List.of(a.group(2).split("\\."));
    List<String> y = List.of(b.group(2).split("\\."));
    for (int i = 0; i < Math.max(x.size(), y.size()); i++) {
      int order = part(i < x.size() ? x.get(i) : "0", i < y.size() ? y.get(i) : "0");
      if (order != 0) {
        return order;
      }
    }
    if (a.group(3) == null || b.group(3) == null) {
      return a.group(3) == null ? b.group(3) == null ? 0 : 1 : -1;
    }
    return preReleases(List.of(a.group(3).split("\\.")), List.of(b.group(3).split("\\.")));
  }

  private static int preReleases(List<String> a, List<String> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      int order = part(a.get(i), b.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.size(), b.size());
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
