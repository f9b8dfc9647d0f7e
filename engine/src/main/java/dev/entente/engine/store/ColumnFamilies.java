// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.RocksDB;

/** The column families of a store: one for each table, behind the library's default one. */
final class ColumnFamilies {
  private ColumnFamilies() {}

  /** What a database is opened with. */
  static List<ColumnFamilyDescriptor> descriptors(ColumnFamilyOptions options) {
    List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
    descriptors.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, options));
    for (Table table : Table.values()) {
      descriptors.add(
          new ColumnFamilyDescriptor(table.label().getBytes(StandardCharsets.UTF_8), options));
    }
    return descriptors;
  }

  /** The handles of a database that was opened with these descriptors, by table. */
  static Map<Table, ColumnFamilyHandle> byTable(List<ColumnFamilyHandle> handles) {
    Map<Table, ColumnFamilyHandle> families = new EnumMap<>(Table.class);
    int next = 1;
    for (Table table : Table.values()) {
      families.put(table, handles.get(next++));
    }
    return families;
  }
}
