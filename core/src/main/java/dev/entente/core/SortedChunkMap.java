// SPDX-License-Identifier: Apache-2.0
package dev.entente.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An immutable sorted map for many entries: a list of {@link SortedArrayMap} chunks, so that
 * changing one entry copies a chunk and not the whole, and maps that descend from one another share
 * the chunks in which they do not differ. Equal contents are equal however they are cut.
 * Thread-safe.
 */
public final class SortedChunkMap<K extends Comparable<? super K>, V> {
  /** A chunk is cut in two when it grows beyond this. */
  static final int CHUNK_MAX = 128;

  private static final SortedChunkMap<?, ?> EMPTY = new SortedChunkMap<String, Object>(List.of());

  private final List<SortedArrayMap<K, V>> chunks;
  private final int size;

  private SortedChunkMap(List<SortedArrayMap<K, V>> chunks) {
    this.chunks = chunks;
    int sum = 0;
    for (SortedArrayMap<K, V> chunk : chunks) {
      sum += chunk.size();
    }
    this.size = sum;
  }

  @SuppressWarnings("unchecked")
  public static <K extends Comparable<? super K>, V> SortedChunkMap<K, V> empty() {
    return (SortedChunkMap<K, V>) EMPTY;
  }

  /** Takes entries that are already in ascending order of their keys; throws if they are not. */
  public static <K extends Comparable<? super K>, V> SortedChunkMap<K, V> ofSorted(
      List<? extends K> keys, List<? extends V> values) {
    List<SortedArrayMap<K, V>> chunks = new ArrayList<>();
    SortedArrayMap<K, V> all = SortedArrayMap.ofSorted(keys, values);
    for (int from = 0; from < all.size(); from += CHUNK_MAX) {
      chunks.add(all.slice(from, Math.min(all.size(), from + CHUNK_MAX)));
    }
    return new SortedChunkMap<>(chunks);
  }

  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  /** The chunk that holds the key, or would. */
  private int chunkOf(K key) {
    int low = 0;
    int high = chunks.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (chunks.get(middle).key(0).compareTo(key) <= 0) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  public V getOrDefault(K key, V fallback) {
    return isEmpty() ? fallback : chunks.get(chunkOf(key)).getOrDefault(key, fallback);
  }

  @SuppressWarnings("ReferenceEquality")
  public SortedChunkMap<K, V> with(K key, V value) {
    if (isEmpty()) {
      return new SortedChunkMap<>(List.of(SortedArrayMap.of(key, value)));
    }
    int at = chunkOf(key);
    SortedArrayMap<K, V> before = chunks.get(at);
    SortedArrayMap<K, V> after = before.with(key, value);
    if (after == before) {
      return this;
    }
    List<SortedArrayMap<K, V>> next = new ArrayList<>(chunks.size() + 1);
    next.addAll(chunks);
    if (after.size() <= CHUNK_MAX) {
      next.set(at, after);
    } else {
      next.set(at, after.slice(0, after.size() / 2));
      next.add(at + 1, after.slice(after.size() / 2, after.size()));
    }
    return new SortedChunkMap<>(next);
  }

  public SortedChunkMap<K, V> without(K key) {
    int at = isEmpty() ? 0 : chunkOf(key);
    if (isEmpty() || !chunks.get(at).containsKey(key)) {
      return this;
    }
    SortedArrayMap<K, V> after = chunks.get(at).without(key);
    List<SortedArrayMap<K, V>> next = new ArrayList<>(chunks);
    boolean fits = at > 0 && chunks.get(at - 1).size() + after.size() <= CHUNK_MAX / 2;
    if (after.isEmpty() || fits) {
      next.remove(at);
    } else {
      next.set(at, after);
    }
    if (fits && !after.isEmpty()) {
      next.set(at - 1, chunks.get(at - 1).followedBy(after));
    }
    return new SortedChunkMap<>(next);
  }

  /**
   * Walks both maps in step, past the chunks that they share. Where only one has a key, its
   * counterpart is null; a null result leaves the key out.
   *
   * @param combine gives a value itself where both are that value
   */
  public SortedChunkMap<K, V> join(
      SortedChunkMap<K, V> other, BinaryOperator<@Nullable V> combine) {
    Cursor<K, V> mine = new Cursor<>(chunks);
    Cursor<K, V> theirs = new Cursor<>(other.chunks);
    Joined<K, V> joined = new Joined<>();
    while (!mine.atEnd() || !theirs.atEnd()) {
      if (mine.sharesChunkWith(theirs)) {
        joined.add(mine.chunk());
        mine.skipChunk();
        theirs.skipChunk();
        continue;
      }
      int order = mine.atEnd() ? 1 : theirs.atEnd() ? -1 : mine.compareTo(theirs);
      K key = order <= 0 ? mine.key() : theirs.key();
      V value = combine.apply(order <= 0 ? mine.value() : null, order >= 0 ? theirs.value() : null);
      if (value != null) {
        joined.add(key, value);
      }
      if (order <= 0) {
        mine.next();
      }
      if (order >= 0) {
        theirs.next();
      }
    }
    return new SortedChunkMap<>(joined.chunks());
  }

  /** A place in a map. */
  private static final class Cursor<K extends Comparable<? super K>, V> {
    private final List<SortedArrayMap<K, V>> chunks;
    private int at;
    private int offset;

    Cursor(List<SortedArrayMap<K, V>> chunks) {
      this.chunks = chunks;
    }

    boolean atEnd() {
      return at == chunks.size();
    }

    SortedArrayMap<K, V> chunk() {
      return chunks.get(at);
    }

    @SuppressWarnings("ReferenceEquality")
    boolean sharesChunkWith(Cursor<K, V> other) {
      return offset == 0
          && other.offset == 0
          && !atEnd()
          && !other.atEnd()
          && chunk() == other.chunk();
    }

    void skipChunk() {
      at++;
    }

    K key() {
      return chunk().key(offset);
    }

    V value() {
      return chunk().value(offset);
    }

    @SuppressWarnings("ReferenceEquality")
    int compareTo(Cursor<K, V> other) {
      return key() == other.key() ? 0 : key().compareTo(other.key());
    }

    void next() {
      if (++offset == chunk().size()) {
        at++;
        offset = 0;
      }
    }
  }

  /** The chunks of a result: whole ones as they are, single entries gathered. */
  private static final class Joined<K extends Comparable<? super K>, V> {
    private final List<SortedArrayMap<K, V>> chunks = new ArrayList<>();
    private final List<K> keys = new ArrayList<>();
    private final List<V> values = new ArrayList<>();

    void add(K key, V value) {
      keys.add(key);
      values.add(value);
      if (keys.size() == CHUNK_MAX) {
        flush();
      }
    }

    void add(SortedArrayMap<K, V> chunk) {
      flush();
      chunks.add(chunk);
    }

    private void flush() {
      if (!keys.isEmpty()) {
        SortedArrayMap<K, V> gathered = SortedArrayMap.ofSorted(keys, values);
        keys.clear();
        values.clear();
        if (!chunks.isEmpty() && chunks.getLast().size() + gathered.size() <= CHUNK_MAX) {
          chunks.set(chunks.size() - 1, chunks.getLast().followedBy(gathered));
        } else {
          chunks.add(gathered);
        }
      }
    }

    List<SortedArrayMap<K, V>> chunks() {
      flush();
      return chunks;
    }
  }

  public void forEach(BiConsumer<? super K, ? super V> action) {
    for (SortedArrayMap<K, V> chunk : chunks) {
      chunk.forEach(action);
    }
  }

  @Override
  public boolean equals(@Nullable Object o) {
    if (!(o instanceof SortedChunkMap<?, ?> other) || size != other.size) {
      return false;
    }
    return chunks.equals(other.chunks) || entries().equals(other.entries());
  }

  private SortedArrayMap<K, V> entries() {
    List<K> keys = new ArrayList<>(size);
    List<V> values = new ArrayList<>(size);
    forEach((key, value) -> {
      keys.add(key);
      values.add(value);
    });
    return SortedArrayMap.ofSorted(keys, values);
  }

  @Override
  public int hashCode() {
    int[] hash = {1};
    forEach((key, value) -> hash[0] = 31 * (31 * hash[0] + key.hashCode()) + value.hashCode());
    return hash[0];
  }

  @Override
  public String toString() {
    return entries().toString();
  }
}
