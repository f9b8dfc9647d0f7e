// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a node keeps of those that sent it what it refuses: an entry for each of the first {@link
 * #SENDERS_MAX}, and one count of all others, however many names somebody invents. It is never
 * copied to another node, since it says what this one has met. Written by the sequencer's thread
 * only; any thread may read.
 *
 * @param <E> an entry
 */
final class SenderTable<E extends SenderTable.Entry> {
  static final int SENDERS_MAX = 32;

  private final Store store;
  private final String name;
  private final byte[] prefix;
  private final byte[] others;
  private final Function<byte[], E> decoder;

  /** What is kept of one sender. */
  interface Entry {
    /** Who it is. */
    Sender from();

    /** How often something of it was refused. */
    long count();

    /** As it is stored. */
    byte[] toBytes();
  }

  /**
   * A table.
   *
   * @param name under which the entries are kept; part of the format, as is {@code others}
   * @param others under which the count of others is kept
   * @param decoder reads what {@link Entry#toBytes} wrote
   */
  SenderTable(Store store, String name, String others, Function<byte[], E> decoder) {
    this.store = store;
    this.name = name;
    this.prefix = Keys.of("kept", name);
    this.others = Keys.of("kept", others);
    this.decoder = decoder;
  }

  private byte[] key(Sender sender) {
    return Keys.of("kept", name, sender.key());
  }

  /** What is kept of a sender. */
  Optional<E> get(Transaction transaction, Sender sender) {
    return Optional.ofNullable(transaction.get(Table.META, key(sender))).map(decoder);
  }

  /**
   * Counts one more refusal: in the sender's entry, or with all others where there is no place for
   * one more.
   *
   * @param first an entry that has counted nothing yet
   * @param next the entry after one more refusal
   * @return how often something was refused by now, of the sender or of all others
   */
  long count(Transaction transaction, E first, UnaryOperator<E> next) {
    Optional<E> stored = get(transaction, first.from());
    if (stored.isEmpty() && transaction.keys(Table.META, prefix).size() >= SENDERS_MAX) {
      long count = number(transaction.get(Table.META, others)) + 1;
      transaction.put(Table.META, others, Keys.of(count));
      return count;
    }
    E entry = next.apply(stored.orElse(first));
    transaction.put(Table.META, key(first.from()), entry.toBytes());
    return entry.count();
  }

  /** Forgets what is kept of one sender. */
  void forget(Transaction transaction, Sender sender) {
    transaction.delete(Table.META, key(sender));
  }

  /** How often something was refused of senders that have no entry. */
  long ofOthers() {
    return number(store.get(Table.META, others));
  }

  private static long number(byte @Nullable [] stored) {
    return stored == null ? 0 : new ByteReader(stored).u64();
  }

  /** All entries. */
  List<E> entries() {
    List<E> all = new ArrayList<>();
    store.scan(
        Table.META,
        prefix,
        (_, stored) -> {
          all.add(decoder.apply(stored));
          return true;
        });
    return all;
  }

  /** Forgets the entries of some senders, and the count of others once no entry is left. */
  void forget(Transaction transaction, Predicate<Sender> which) {
    int left = 0;
    for (byte[] at : transaction.keys(Table.META, prefix)) {
      byte[] stored = transaction.get(Table.META, at);
      if (stored != null && which.test(decoder.apply(stored).from())) {
        transaction.delete(Table.META, at);
      } else {
        left++;
      }
    }
    if (left == 0 && transaction.get(Table.META, others) != null) {
      transaction.delete(Table.META, others);
    }
  }
}
