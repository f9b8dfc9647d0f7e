// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Arrays;

/** A growing array of ints. Not thread-safe. */
final class IntArray {
  private int[] items = new int[8];
  private int size;

  int size() {
    return size;
  }

  int get(int index) {
    return items[index];
  }

  int last() {
    return items[size - 1];
  }

  void set(int index, int item) {
    items[index] = item;
  }

  void add(int item) {
    if (size == items.length) {
      items = Arrays.copyOf(items, size + (size >> 1) + 8);
    }
    items[size++] = item;
  }

  int removeLast() {
    return items[--size];
  }

  void clear() {
    size = 0;
  }

  /** Removes all but the first items. */
  void truncate(int kept) {
    size = kept;
  }

  void trim() {
    items = Arrays.copyOf(items, size);
  }

  /** Of ascending items the index of the last that is not above {@code value}; -1 where all are. */
  int floor(int value) {
    int at = Arrays.binarySearch(items, 0, size, value);
    return at >= 0 ? at : -at - 2;
  }

  int[] toArray() {
    return Arrays.copyOf(items, size);
  }
}
