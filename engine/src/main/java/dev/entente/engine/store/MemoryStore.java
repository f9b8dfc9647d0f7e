// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** A store in memory, for tests and simulation: gone when the process is. */
public final class MemoryStore implements Store {
  private static final byte[] NOTHING = new byte[0];
  private final Map<Table, ConcurrentNavigableMap<byte[], byte[]>> tables =
      new EnumMap<>(Table.class);

  public MemoryStore() {
    for (Table table : Table.values()) {
      tables.put(table, new ConcurrentSkipListMap<>(Arrays::compareUnsigned));
    }
  }

  private ConcurrentNavigableMap<byte[], byte[]> table(Table table) {
    ConcurrentNavigableMap<byte[], byte[]> map = tables.get(table);
    if (map == null) {
      throw new IllegalStateException("no table " + table);
    }
    return map;
  }

  @Override
  public byte @Nullable [] get(Table table, byte[] key) {
    byte[] value = table(table).get(key);
    return value == null ? null : value.clone();
  }

  @Override
  public void scan(
      Table table, byte[] from, byte @Nullable [] to, boolean reverse, Visitor visitor) {
    ConcurrentNavigableMap<byte[], byte[]> map = table(table).tailMap(from, true);
    if (to != null) {
      if (Arrays.compareUnsigned(from, to) >= 0) {
        return;
      }
      map = map.headMap(to, false);
    }
    for (Map.Entry<byte[], byte[]> entry : (reverse ? map.descendingMap() : map).entrySet()) {
      if (!visitor.visit(entry.getKey().clone(), entry.getValue().clone())) {
        return;
      }
    }
  }

  @Override
  public synchronized void copy(Copier copier) {
    for (Table table : Table.values()) {
      table(table).forEach((key, value) -> copier.take(table, key.clone(), value.clone()));
    }
  }

  @Override
  public synchronized void commit(Batch batch) {
    for (Batch.Entry entry : batch.entries()) {
      byte[] value = entry.value();
      if (value == null) {
        table(entry.table()).remove(entry.key());
      } else {
        table(entry.table()).put(entry.key(), value.length == 0 ? NOTHING : value.clone());
      }
    }
  }

  @Override
  public void close() {}
}
