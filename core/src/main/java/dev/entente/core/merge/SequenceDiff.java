// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.crdt.Splice;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonString;
import java.util.ArrayList;
import java.util.List;

/**
 * Tells what someone changed in a text or list who sent it as a whole. Texts are compared word by
 * word, since a person who replaced a word did not mean the letters that both words share; inside
 * of a changed stretch what it begins and ends with alike is left alone.
 */
public final class SequenceDiff {
  private SequenceDiff() {}

  /** The splices that lead from one to the other, to be carried out one after the other. */
  public static List<Splice> between(Json before, Json after) {
    if (before.equals(after)) {
      return List.of();
    }
    return before instanceof JsonArray a && after instanceof JsonArray b
        ? ofLists(a.items(), b.items())
        : ofTexts(string(before), string(after));
  }

  private static String string(Json json) {
    return json instanceof JsonString(String text) ? text : "";
  }

  /** A text or list after a splice that lies inside of it. */
  public static Json applied(Json sequence, Splice splice) {
    if (sequence instanceof JsonArray(List<Json> items)) {
      List<Json> result = new ArrayList<>(items.subList(0, splice.position()));
      result.addAll(((JsonArray) splice.inserted()).items());
      result.addAll(items.subList(splice.position() + splice.deleted(), items.size()));
      return new JsonArray(result);
    }
    String text = string(sequence);
    int from = text.offsetByCodePoints(0, splice.position());
    int to = text.offsetByCodePoints(from, splice.deleted());
    return Json.of(text.substring(0, from) + string(splice.inserted()) + text.substring(to));
  }

  private static List<Splice> ofLists(List<Json> before, List<Json> after) {
    List<Splice> splices = new ArrayList<>();
    for (Hunk hunk : hunks(before, after)) {
      splices.add(
          new Splice(
              hunk.newFrom(),
              hunk.oldTo() - hunk.oldFrom(),
              new JsonArray(after.subList(hunk.newFrom(), hunk.newTo()))));
    }
    return splices;
  }

  private static List<Splice> ofTexts(String before, String after) {
    List<String> oldWords = words(before);
    List<String> newWords = words(after);
    int[] oldStarts = starts(oldWords);
    int[] newStarts = starts(newWords);
    int[] old = before.codePoints().toArray();
    int[] now = after.codePoints().toArray();
    List<Splice> splices = new ArrayList<>();
    for (Hunk hunk : hunks(oldWords, newWords)) {
      int oldFrom = oldStarts[hunk.oldFrom()];
      int oldTo = oldStarts[hunk.oldTo()];
      int newFrom = newStarts[hunk.newFrom()];
      int newTo = newStarts[hunk.newTo()];
      while (oldFrom < oldTo && newFrom < newTo && old[oldFrom] == now[newFrom]) {
        oldFrom++;
        newFrom++;
      }
      while (oldFrom < oldTo && newFrom < newTo && old[oldTo - 1] == now[newTo - 1]) {
        oldTo--;
        newTo--;
      }
      splices.add(
          new Splice(newFrom, oldTo - oldFrom, Json.of(new String(now, newFrom, newTo - newFrom))));
    }
    return splices;
  }

  /**
   * A stretch that differs. Before it both read alike, so it stands at its place in the new one.
   */
  private record Hunk(int oldFrom, int oldTo, int newFrom, int newTo) {}

  private static List<Hunk> hunks(List<?> before, List<?> after) {
    int[] partner = Alignment.of(before, after);
    List<Hunk> hunks = new ArrayList<>();
    int oldFrom = 0;
    int newFrom = 0;
    for (int i = 0; i <= partner.length; i++) {
      boolean end = i == partner.length;
      if (!end && partner[i] < 0) {
        continue;
      }
      int newTo = end ? after.size() : partner[i];
      if (oldFrom < i || newFrom < newTo) {
        hunks.add(new Hunk(oldFrom, i, newFrom, newTo));
      }
      oldFrom = i + 1;
      newFrom = newTo + 1;
    }
    return hunks;
  }

  /** Runs of letters and digits, and everything else by itself. */
  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int to = from;
      while (to < text.length() && Character.isLetterOrDigit(text.codePointAt(to))) {
        to += Character.charCount(text.codePointAt(to));
      }
      if (to == from) {
        to += Character.charCount(text.codePointAt(from));
      }
      words.add(text.substring(from, to));
      from = to;
    }
    return words;
  }

  /** Where each word begins, in code points, and where the last one ends. */
  private static int[] starts(List<String> words) {
    int[] starts = new int[words.size() + 1];
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      starts[i + 1] = starts[i] + word.codePointCount(0, word.length());
    }
    return starts;
  }
}
