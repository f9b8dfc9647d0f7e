// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What {@link Mending} has taken out and put in and what is left to do with it, in the store until
 * that is done.
 */
final class MendingList {
  private static final String MENDING = "mending";
  private static final String LOST = "lost";
  private static final String AGAIN = "again";
  private static final String WINS = "wins";

  private volatile boolean pending;

  MendingList(Store store) {
    store.scan(
        Table.META,
        Keys.of(MENDING),
        (_, _) -> {
          pending = true;
          return false;
        });
  }

  /** A version that is to stand under its number, and the names of the nodes that had it. */
  record Winner(Version version, byte[] bytes, Set<String> holders) {}

  /** Whether something is left to do. Callable from any thread. */
  boolean isPending() {
    return pending;
  }

  private static byte[] key(String kind, Dot dot) {
    return Keys.with(Keys.of(MENDING, kind, dot.node().value()), dot.number());
  }

  /** A version has lost its number, and is nowhere else. */
  void lost(Transaction transaction, Dot dot, byte[] version) {
    transaction.put(Table.META, key(LOST, dot), version);
  }

  /** A version was taken out and waits to join again, perhaps in vain. */
  void again(Transaction transaction, Dot dot, byte[] version) {
    transaction.put(Table.META, key(AGAIN, dot), version);
  }

  /** A version waits to join under a number. */
  void wins(Transaction transaction, Dot dot, Correction correction) {
    ByteWriter out = new ByteWriter().varint(correction.holders().size());
    correction.holders().forEach(out::text);
    transaction.put(Table.META, key(WINS, dot), out.raw(correction.content()).toBytes());
  }

  List<Version> lost(Transaction transaction) {
    return versions(transaction, LOST);
  }

  List<Version> again(Transaction transaction) {
    return versions(transaction, AGAIN);
  }

  private static List<byte[]> values(Transaction transaction, String kind) {
    List<byte[]> values = new ArrayList<>();
    for (byte[] key : transaction.keys(Table.META, Keys.of(MENDING, kind))) {
      byte[] value = transaction.get(Table.META, key);
      if (value != null) {
        values.add(value);
      }
    }
    return values;
  }

  private static List<Version> versions(Transaction transaction, String kind) {
    return values(transaction, kind).stream().map(VersionCodec::fromBytes).toList();
  }

  List<Winner> winners(Transaction transaction) {
    List<Winner> winners = new ArrayList<>();
    for (byte[] value : values(transaction, WINS)) {
      ByteReader in = new ByteReader(value);
      Set<String> holders = new TreeSet<>();
      for (int left = in.count(); left > 0; left--) {
        holders.add(in.text());
      }
      byte[] bytes = in.rest();
      winners.add(
          new Winner(VersionCodec.fromBytes(bytes), Arrays.copyOf(bytes, bytes.length), holders));
    }
    return winners;
  }

  /** All is done. */
  void end(Transaction transaction) {
    transaction
        .keys(Table.META, Keys.of(MENDING))
        .forEach(key -> transaction.delete(Table.META, key));
    transaction.afterwards(() -> pending = false);
  }
}
