// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.lang.Character.UnicodeScript;
import java.util.EnumSet;
import java.util.Set;

/**
 * Tells names that mix alphabets, as {@code раypal} with two Cyrillic letters does: people who
 * choose between two authors must not take one for the other. After the "highly restrictive" level
 * of Unicode Technical Standard 39, where Latin may stand beside the scripts of East Asia.
 */
final class Alphabets {
  private static final Set<UnicodeScript> NEUTRAL =
      EnumSet.of(UnicodeScript.COMMON, UnicodeScript.INHERITED);
  private static final Set<UnicodeScript> EAST_ASIA =
      EnumSet.of(
          UnicodeScript.LATIN,
          UnicodeScript.HAN,
          UnicodeScript.HIRAGANA,
          UnicodeScript.KATAKANA,
          UnicodeScript.BOPOMOFO,
          UnicodeScript.HANGUL);

  private Alphabets() {}

  static boolean mixedIn(String name) {
    Set<UnicodeScript> scripts = EnumSet.noneOf(UnicodeScript.class);
    name.codePoints().mapToObj(UnicodeScript::of).forEach(scripts::add);
    scripts.removeAll(NEUTRAL);
    return scripts.size() > 1 && !EAST_ASIA.containsAll(scripts);
  }
}
