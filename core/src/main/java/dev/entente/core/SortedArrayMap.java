// SPDX-License-Identifier: Apache-2.0
package dev.entente.core;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map that keeps its keys sorted in one array: equal contents iterate, encode and
 * compare alike, and small maps cost two arrays. Looking up is a binary search; changing one entry
 * copies the arrays. Thread-safe, as every immutable value.
 */
public final class SortedArrayMap<K extends Comparable<? super K>, V> {
  private static final SortedArrayMap<?, ?> EMPTY =
      new SortedArrayMap<String, Object>(new Object[0], new Object[0]);

  private final Object[] keys;
  private final Object[] values;

  private SortedArrayMap(Object[] keys, Object[] values) {
    this.keys = keys;
    this.values = values;
  }

  @SuppressWarnings("unchecked")
  public static <K extends Comparable<? super K>, V> SortedArrayMap<K, V> empty() {
    return (SortedArrayMap<K, V>) EMPTY;
  }

  public static <K extends Comparable<? super K>, V> SortedArrayMap<K, V> of(K key, V value) {
    return new SortedArrayMap<>(new Object[] {key}, new Object[] {value});
  }

  public static <K extends Comparable<? super K>, V> SortedArrayMap<K, V> copyOf(
      Map<? extends K, ? extends V> map) {
    if (map.isEmpty()) {
      return empty();
    }
    Object[] keys = map.keySet().toArray();
    if (map instanceof SortedMap<?, ?> sorted && sorted.comparator() == null) {
      return new SortedArrayMap<>(keys, map.values().toArray());
    }
    Arrays.sort(keys);
    Object[] values = new Object[keys.length];
    for (int i = 0; i < keys.length; i++) {
      values[i] = Objects.requireNonNull(map.get(keys[i]));
    }
    return new SortedArrayMap<>(keys, values);
  }

  /** Takes entries that are already in ascending order of their keys; throws if they are not. */
  public static <K extends Comparable<? super K>, V> SortedArrayMap<K, V> ofSorted(
      List<? extends K> keys, List<? extends V> values) {
    for (int i = 1; i < keys.size(); i++) {
      if (keys.get(i - 1).compareTo(keys.get(i)) >= 0) {
        throw new IllegalArgumentException("keys are not strictly ascending at " + i);
      }
    }
    return keys.isEmpty() ? empty() : new SortedArrayMap<>(keys.toArray(), values.toArray());
  }

  public int size() {
    return keys.length;
  }

  public boolean isEmpty() {
    return keys.length == 0;
  }

  @SuppressWarnings("unchecked")
  public K key(int index) {
    return (K) keys[index];
  }

  @SuppressWarnings("unchecked")
  public V value(int index) {
    return (V) values[index];
  }

  public @Nullable V get(K key) {
    int index = indexOf(key);
    return index < 0 ? null : value(index);
  }

  public V getOrDefault(K key, V fallback) {
    int index = indexOf(key);
    return index < 0 ? fallback : value(index);
  }

  public boolean containsKey(K key) {
    return indexOf(key) >= 0;
  }

  /** The position of the key, or {@code -(insertion point) - 1} where it is absent. */
  public int indexOf(K key) {
    int low = 0;
    int high = keys.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order = key(middle).compareTo(key);
      if (order < 0) {
        low = middle + 1;
      } else if (order > 0) {
        high = middle - 1;
      } else {
        return middle;
      }
    }
    return -(low + 1);
  }

  /** The entries whose keys a filter lets through; this map itself where it is all of them. */
  public SortedArrayMap<K, V> filter(Predicate<? super K> filter) {
    Object[] keptKeys = new Object[keys.length];
    Object[] keptValues = new Object[keys.length];
    int kept = 0;
    for (int i = 0; i < keys.length; i++) {
      if (filter.test(key(i))) {
        keptKeys[kept] = keys[i];
        keptValues[kept++] = values[i];
      }
    }
    return kept == keys.length
        ? this
        : new SortedArrayMap<>(Arrays.copyOf(keptKeys, kept), Arrays.copyOf(keptValues, kept));
  }

  /** The entries from one place to another. */
  SortedArrayMap<K, V> slice(int from, int to) {
    return new SortedArrayMap<>(
        Arrays.copyOfRange(keys, from, to), Arrays.copyOfRange(values, from, to));
  }

  /** With the entries of another map, all of which come behind. */
  SortedArrayMap<K, V> followedBy(SortedArrayMap<K, V> other) {
    Object[] allKeys = Arrays.copyOf(keys, keys.length + other.keys.length);
    Object[] allValues = Arrays.copyOf(values, values.length + other.values.length);
    System.arraycopy(other.keys, 0, allKeys, keys.length, other.keys.length);
    System.arraycopy(other.values, 0, allValues, values.length, other.values.length);
    return new SortedArrayMap<>(allKeys, allValues);
  }

  public SortedArrayMap<K, V> with(K key, V value) {
    int index = indexOf(key);
    if (index >= 0) {
      if (Objects.equals(values[index], value)) {
        return this;
      }
      Object[] changed = values.clone();
      changed[index] = value;
      return new SortedArrayMap<>(keys, changed);
    }
    int at = -index - 1;
    return new SortedArrayMap<>(inserted(keys, at, key), inserted(values, at, value));
  }

  public SortedArrayMap<K, V> without(K key) {
    int index = indexOf(key);
    if (index < 0) {
      return this;
    }
    if (keys.length == 1) {
      return empty();
    }
    return new SortedArrayMap<>(removed(keys, index), removed(values, index));
  }

  /**
   * Walks both maps in step. Where only one has a key, its counterpart is null; a null result
   * leaves the key out.
   */
  public <R> SortedArrayMap<K, R> merge(
      SortedArrayMap<K, V> other, BiFunction<@Nullable V, @Nullable V, @Nullable R> combine) {
    if (hasKeysOf(other)) {
      return mergedInPlace(other, combine);
    }
    Object[] mergedKeys = new Object[size() + other.size()];
    Object[] mergedValues = new Object[mergedKeys.length];
    int count = 0;
    int i = 0;
    int j = 0;
    while (i < size() || j < other.size()) {
      int order = i == size() ? 1 : j == other.size() ? -1 : compare(keys[i], other.keys[j]);
      K key = order <= 0 ? key(i) : other.key(j);
      R result = combine.apply(order <= 0 ? value(i) : null, order >= 0 ? other.value(j) : null);
      i += order <= 0 ? 1 : 0;
      j += order >= 0 ? 1 : 0;
      if (result != null) {
        mergedKeys[count] = key;
        mergedValues[count++] = result;
      }
    }
    return count == 0
        ? empty()
        : new SortedArrayMap<>(
            Arrays.copyOf(mergedKeys, count), Arrays.copyOf(mergedValues, count));
  }

  /** Whether both have the same keys, whatever these lead to. */
  public boolean hasKeysOf(SortedArrayMap<K, V> other) {
    return Arrays.equals(keys, other.keys);
  }

  /** The usual case: both have the same keys, which the result shares unless it leaves some out. */
  private <R> SortedArrayMap<K, R> mergedInPlace(
      SortedArrayMap<K, V> other, BiFunction<@Nullable V, @Nullable V, @Nullable R> combine) {
    Object[] merged = new Object[keys.length];
    int left = 0;
    for (int i = 0; i < keys.length; i++) {
      R result = combine.apply(value(i), other.value(i));
      if (result != null) {
        merged[i] = result;
        left++;
      }
    }
    if (left == keys.length) {
      return new SortedArrayMap<>(keys, merged);
    }
    Object[] leftKeys = new Object[left];
    Object[] leftValues = new Object[left];
    for (int i = 0, at = 0; at < left; i++) {
      if (merged[i] != null) {
        leftKeys[at] = keys[i];
        leftValues[at++] = merged[i];
      }
    }
    return left == 0 ? empty() : new SortedArrayMap<>(leftKeys, leftValues);
  }

  /** Maps that descend from one another share most of their keys. */
  @SuppressWarnings("unchecked")
  private int compare(Object mine, Object theirs) {
    return mine == theirs ? 0 : ((K) mine).compareTo((K) theirs);
  }

  public void forEach(BiConsumer<? super K, ? super V> action) {
    for (int i = 0; i < keys.length; i++) {
      action.accept(key(i), value(i));
    }
  }

  @SuppressWarnings("unchecked")
  public List<K> keys() {
    return (List<K>) (List<?>) Collections.unmodifiableList(Arrays.asList(keys));
  }

  @SuppressWarnings("unchecked")
  public List<V> values() {
    return (List<V>) (List<?>) Collections.unmodifiableList(Arrays.asList(values));
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof SortedArrayMap<?, ?> other
        && Arrays.equals(keys, other.keys)
        && Arrays.equals(values, other.values);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(keys) + Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("{");
    forEach((k, v) -> text.append(text.length() > 1 ? ", " : "").append(k).append('=').append(v));
    return text.append('}').toString();
  }

  private static Object[] inserted(Object[] array, int at, Object element) {
    Object[] result = new Object[array.length + 1];
    System.arraycopy(array, 0, result, 0, at);
    result[at] = element;
    System.arraycopy(array, at, result, at + 1, array.length - at);
    return result;
  }

  private static Object[] removed(Object[] array, int at) {
    Object[] result = new Object[array.length - 1];
    System.arraycopy(array, 0, result, 0, at);
    System.arraycopy(array, at + 1, result, at, result.length - at);
    return result;
  }
}
