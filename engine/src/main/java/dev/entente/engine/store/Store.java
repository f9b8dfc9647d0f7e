// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import dev.entente.engine.codec.Keys;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An ordered map of bytes per table with atomic, durable batches. Keys order by unsigned bytes.
 * Reads are safe from any thread; commits come from one thread.
 *
 * <p>What a host must keep: {@link #commit} returns only after the whole batch would survive losing
 * power, and a batch is there as a whole or not at all. A commit that throws leaves the outcome
 * unknown; the caller stops and never commits again.
 */
public interface Store extends AutoCloseable {
  byte @Nullable [] get(Table table, byte[] key);

  /**
   * Visits the entries with {@code from <= key < to} in ascending order, or in descending order
   * where {@code reverse}, until the visitor returns false.
   *
   * @param to exclusive; null for the end of the table
   */
  void scan(Table table, byte[] from, byte @Nullable [] to, boolean reverse, Visitor visitor);

  /** Visits the entries whose keys begin with the prefix, in ascending order. */
  default void scan(Table table, byte[] prefix, Visitor visitor) {
    scan(table, prefix, prefix.length == 0 ? null : Keys.after(prefix), false, visitor);
  }

  /** Visits all entries of all tables as they are at one moment, while commits go on. */
  void copy(Copier copier);

  /**
   * Keeps what is here at one moment in a directory of its own, which {@link RocksStore#open}
   * opens.
   *
   * @param directory where; it must not be there yet
   * @throws UnsupportedOperationException where nothing is kept on a disk
   */
  default void checkpoint(Path directory) {
    throw new UnsupportedOperationException("this store is not kept on a disk");
  }

  /**
   * Reads all that is kept on a disk and compares it with its checksums; others go on meanwhile.
   * What is damaged and can be written again from memory is.
   *
   * @param pace hears after each file how many bytes it had, and may wait
   */
  default List<DamagedFile> scrub(LongConsumer pace) {
    return List.of();
  }

  /** Whether a read has met damage since the last scrub. */
  default boolean hasMetDamage() {
    return false;
  }

  /**
   * Writes stretches of tables anew, so that what was deleted or replaced in them is not left on
   * the disk either. Takes as long as reading and writing them does; others go on meanwhile.
   */
  default void compact(List<Stretch> stretches) {}

  /**
   * A part of a table.
   *
   * @param to exclusive
   */
  record Stretch(Table table, byte[] from, byte[] to) {
    /** All whose keys begin with a prefix. */
    public static Stretch of(Table table, byte[] prefix) {
      return new Stretch(table, prefix, Keys.after(prefix));
    }
  }

  /** Takes one entry of a copy. */
  @FunctionalInterface
  interface Copier {
    void take(Table table, byte[] key, byte[] value);
  }

  /** Writes a batch atomically and durably. */
  void commit(Batch batch);

  @Override
  void close();

  /** Sees one entry; returns whether to go on. */
  @FunctionalInterface
  interface Visitor {
    boolean visit(byte[] key, byte[] value);
  }

  /**
   * Empties a table. Only while nothing else uses the store; not one commit, so whoever was
   * interrupted begins again.
   */
  default void clear(Table table) {
    Batch batch = new Batch();
    scan(
        table,
        new byte[0],
        (key, _) -> {
          batch.delete(table, key);
          return true;
        });
    commit(batch);
  }
}
