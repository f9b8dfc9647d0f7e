// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Changes that belong together, in order. Not thread-safe. */
public final class Batch {
  /** One change; a null value removes the key. */
  public record Entry(Table table, byte[] key, byte @Nullable [] value) {}

  private final List<Entry> entries;
  private long bytes;

  public Batch() {
    this(10);
  }

  /** One that has room for so many entries without growing. */
  public Batch(int room) {
    entries = new ArrayList<>(room);
  }

  public void put(Table table, byte[] key, byte[] value) {
    entries.add(new Entry(table, key, value));
    bytes += key.length + value.length;
  }

  public void delete(Table table, byte[] key) {
    entries.add(new Entry(table, key, null));
    bytes += key.length;
  }

  public void addAll(Batch other) {
    entries.addAll(other.entries);
    bytes += other.bytes;
  }

  public List<Entry> entries() {
    return entries;
  }

  public boolean isEmpty() {
    return entries.isEmpty();
  }

  /** The size of keys and values. */
  public long bytes() {
    return bytes;
  }
}
