// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a node keeps of those that sent it what it refuses: an entry for each of the first {@link
 * #SENDERS_MAX}, and one count of all others, however many names somebody invents. It is never
 * copied to another node, since it says what this one has met. Written by the sequencer's thread
 * only; any thread may read.
 */
final class SenderTable {
  static final int SENDERS_MAX = 32;

  private final Store store;
  private final String name;
  private final byte[] prefix;
  private final byte[] others;

  /**
   * With the names under which the entries and the count of others are kept; part of the format.
   */
  SenderTable(Store store, String name, String others) {
    this.store = store;
    this.name = name;
    this.prefix = Keys.of("kept", name);
    this.others = Keys.of("kept", others);
  }

  /** Where what is kept of a sender stands. */
  byte[] key(Sender sender) {
    return Keys.of("kept", name, sender.key());
  }

  /** Whether there is no place for one more sender. */
  boolean isFull(Transaction transaction) {
    return transaction.keys(Table.META, prefix).size() >= SENDERS_MAX;
  }

  /** Counts one more refusal of a sender that has no entry; gives the new count. */
  long countOther(Transaction transaction) {
    long count = number(transaction.get(Table.META, others)) + 1;
    transaction.put(Table.META, others, Keys.of(count));
    return count;
  }

  /** How often something was refused of senders that have no entry. */
  long ofOthers() {
    return number(store.get(Table.META, others));
  }

  private static long number(byte @Nullable [] stored) {
    return stored == null ? 0 : new ByteReader(stored).u64();
  }

  /** All entries, as they are stored. */
  List<byte[]> entries() {
    List<byte[]> all = new ArrayList<>();
    store.scan(
        Table.META,
        prefix,
        (_, stored) -> {
          all.add(stored);
          return true;
        });
    return all;
  }

  /** Forgets the entries that are said to be of a sender, and the count once no entry is left. */
  void forget(Transaction transaction, Predicate<byte[]> isOfSender) {
    int left = 0;
    for (byte[] at : transaction.keys(Table.META, prefix)) {
      byte[] stored = transaction.get(Table.META, at);
      if (stored != null && isOfSender.test(stored)) {
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
