// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Arrays;

/**
 * A sequence of items (code points, or indices into a table) with a gap where the last change was,
 * so that changes near each other move little. Items take two bytes each until one needs more. Not
 * thread-safe.
 */
final class ItemBuffer {
  private static final int SMALLEST = 16;

  private char[] narrow = new char[SMALLEST];
  private int[] wide = new int[0];
  private boolean isWide;
  private int capacity = SMALLEST;
  private int gapStart;
  private int gapEnd = SMALLEST;

  int size() {
    return capacity - (gapEnd - gapStart);
  }

  int get(int index) {
    int at = index < gapStart ? index : index + (gapEnd - gapStart);
    return isWide ? wide[at] : narrow[at];
  }

  /** Whether a part is equal to one of another buffer. */
  boolean same(int from, ItemBuffer other, int otherFrom, int count) {
    for (int i = 0; i < count; i++) {
      if (get(from + i) != other.get(otherFrom + i)) {
        return false;
      }
    }
    return true;
  }

  void insert(int at, String text) {
    openGap(at, text.length());
    for (int i = 0; i < text.length(); ) {
      int item = text.codePointAt(i);
      i += Character.charCount(item);
      set(item);
    }
  }

  void insert(int at, int[] items) {
    openGap(at, items.length);
    for (int item : items) {
      set(item);
    }
  }

  /** Inserts {@code count} items of another buffer. */
  void insert(int at, ItemBuffer source, int from, int count) {
    openGap(at, count);
    for (int i = 0; i < count; i++) {
      set(source.get(from + i));
    }
  }

  void delete(int at, int count) {
    if (at + count == gapStart) {
      gapStart = at;
      return;
    }
    moveGap(at);
    gapEnd += count;
  }

  private void set(int item) {
    if (!isWide && item > Character.MAX_VALUE) {
      widen();
    }
    if (isWide) {
      wide[gapStart++] = item;
    } else {
      narrow[gapStart++] = (char) item;
    }
  }

  private void openGap(int at, int room) {
    if (gapEnd - gapStart < room) {
      grow(size() + room);
    }
    moveGap(at);
  }

  private void moveGap(int at) {
    int gap = gapEnd - gapStart;
    if (at < gapStart) {
      System.arraycopy(items(), at, items(), at + gap, gapStart - at);
    } else if (at > gapStart) {
      System.arraycopy(items(), gapEnd, items(), gapStart, at - gapStart);
    }
    gapStart = at;
    gapEnd = at + gap;
  }

  private Object items() {
    return isWide ? wide : narrow;
  }

  private void grow(int needed) {
    int larger = Math.max(needed, needed + (needed >> 1));
    int tail = capacity - gapEnd;
    if (isWide) {
      wide = Arrays.copyOf(wide, larger);
    } else {
      narrow = Arrays.copyOf(narrow, larger);
    }
    System.arraycopy(items(), gapEnd, items(), larger - tail, tail);
    gapEnd = larger - tail;
    capacity = larger;
  }

  private void widen() {
    wide = new int[capacity];
    for (int i = 0; i < capacity; i++) {
      wide[i] = narrow[i];
    }
    narrow = new char[0];
    isWide = true;
  }

  int[] toArray() {
    int[] items = new int[size()];
    for (int i = 0; i < items.length; i++) {
      items[i] = get(i);
    }
    return items;
  }

  /** Gives back the room that is not used. */
  void trim() {
    moveGap(size());
    capacity = gapStart;
    gapEnd = gapStart;
    if (isWide) {
      wide = Arrays.copyOf(wide, capacity);
    } else {
      narrow = Arrays.copyOf(narrow, capacity);
    }
  }

  /** A part of the sequence as text. */
  String text(int from, int count) {
    if (!isWide) {
      int before = Math.clamp(gapStart - (long) from, 0, count);
      char[] result = new char[count];
      System.arraycopy(narrow, from, result, 0, before);
      System.arraycopy(narrow, from + before + (gapEnd - gapStart), result, before, count - before);
      return new String(result);
    }
    StringBuilder result = new StringBuilder(count);
    for (int i = 0; i < count; i++) {
      result.appendCodePoint(get(from + i));
    }
    return result.toString();
  }

  @Override
  public String toString() {
    return text(0, size());
  }
}
