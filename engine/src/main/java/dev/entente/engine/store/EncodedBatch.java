// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * Encodes a batch as RocksDB writes it to its log, so that it is handed over in one call into
 * native code and not in one for each entry. The format is stable, since every release reads the
 * logs of those before it: a sequence number that is filled in on writing, the number of entries,
 * and for each a tag, the number of the column family, the key and, unless it is removed, the
 * value.
 */
final class EncodedBatch {
  private static final int HEADER_BYTES = Long.BYTES + Integer.BYTES;
  private static final byte DELETION = 4;
  private static final byte VALUE = 5;

  private EncodedBatch() {}

  /**
   * Encodes a batch.
   *
   * @param family the number of a table's column family
   */
  static byte[] of(Batch batch, ToIntFunction<Table> family) {
    Map<Table, Integer> families = new EnumMap<>(Table.class);
    long size = HEADER_BYTES + batch.bytes();
    for (Batch.Entry entry : batch.entries()) {
      int number = families.computeIfAbsent(entry.table(), family::applyAsInt);
      byte[] value = entry.value();
      size += 1 + varintBytes(number) + varintBytes(entry.key().length);
      size += value == null ? 0 : varintBytes(value.length);
    }
    ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(0).putInt(batch.entries().size());
    for (Batch.Entry entry : batch.entries()) {
      byte[] value = entry.value();
      out.put(value == null ? DELETION : VALUE);
      putVarint(out, families.getOrDefault(entry.table(), 0));
      putVarint(out, entry.key().length);
      out.put(entry.key());
      if (value != null) {
        putVarint(out, value.length);
        out.put(value);
      }
    }
    return out.array();
  }

  private static int varintBytes(int value) {
    return (Integer.SIZE - Integer.numberOfLeadingZeros(value | 1) + 6) / 7;
  }

  private static void putVarint(ByteBuffer out, int value) {
    int rest = value;
    while ((rest & ~0x7F) != 0) {
      out.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    out.put((byte) rest);
  }
}
