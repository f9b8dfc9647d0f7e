// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Finds environment variables that have no effect: misspelt names, empty values, and names that
 * promise security. A name that resembles no setting belongs to something else, and is only
 * reported.
 */
final class SettingsCheck {
  private static final String PREFIX = "ENTENTE_";

  /** What Kubernetes sets in every container for services whose names begin so. */
  private static final Pattern KUBERNETES =
      Pattern.compile(
          "ENTENTE_((SERVICE|PORT)_.+|.+_SERVICE_(HOST|PORT(_.+)?)|.+_PORT(_[0-9]+_(TCP|UDP)(_.+)?)?)");

  /** Words in names of what somebody would rely on for security. */
  private static final Pattern SECURITY =
      Pattern.compile(
          "_(TLS|SSL|HTTPS|CA|CERTS?|CERTIFICATES?|KEYS?|KEYSTORE|TRUSTSTORE|SECRETS?|TOKENS?"
              + "|PASSWORDS?|PASSPHRASES?|AUTH|OIDC|CREDENTIALS?)(_|$)");

  private final List<String> known;

  /**
   * @param known the names of all variables that have a meaning
   */
  SettingsCheck(List<String> known) {
    this.known = known;
  }

  /**
   * Variables that have no effect and resemble no setting.
   *
   * @throws IllegalArgumentException where one is empty, resembles a setting or promises security
   */
  List<String> unused(Map<String, String> environment) {
    List<String> unused = new ArrayList<>();
    new TreeMap<>(environment)
        .forEach((name, value) -> {
          if (!name.startsWith(PREFIX)
              || (!known.contains(name) && KUBERNETES.matcher(name).matches())) {
            return;
          }
          if (!known.contains(name)) {
            Optional<String> meant = resembled(name);
            if (meant.isPresent()) {
              throw new IllegalArgumentException(
                  name + " is no setting; " + meant.get() + " is: correct the name, or unset it");
            }
            if (SECURITY.matcher(name).find()) {
              throw new IllegalArgumentException(
                  name
                      + " is no setting, though it is called like one that concerns security:"
                      + " correct the name (entente help lists the options), or unset it");
            }
            unused.add(name);
          } else if (isEmpty(value)) {
            throw new IllegalArgumentException(name + " is empty: give it a value, or unset it");
          }
        });
    return unused;
  }

  /** Whether a value says nothing: white space, or a list of nothing. */
  static boolean isEmpty(String value) {
    return value.replace(',', ' ').isBlank();
  }

  private Optional<String> resembled(String name) {
    String given = name.substring(PREFIX.length());
    Optional<String> close =
        known.stream()
            .filter(each -> {
              String other = each.substring(PREFIX.length());
              int allowed = Math.max(1, Math.min(given.length(), other.length()) / 3);
              return distance(given, other) <= allowed;
            })
            .findFirst();
    return close.or(() ->
        known.stream()
            .filter(each -> firstWord(each.substring(PREFIX.length())).equals(firstWord(given)))
            .findFirst());
  }

  private static String firstWord(String name) {
    return name.replaceFirst("_.*", "");
  }

  /** How many letters are missing, added, wrong or swapped with the next. */
  private static int distance(String a, String b) {
    int[][] of = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          of[i][j] = i + j;
          continue;
        }
        int changed = of[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        of[i][j] = Math.min(changed, 1 + Math.min(of[i - 1][j], of[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          of[i][j] = Math.min(of[i][j], of[i - 2][j - 2] + 1);
        }
      }
    }
    return of[a.length()][b.length()];
  }
}
