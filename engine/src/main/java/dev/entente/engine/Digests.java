// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.List;

/** Works out {@link Digest}s from the committed states. */
final class Digests {
  private Digests() {}

  static Digest of(Store store, VersionVector known) {
    long[] buckets = new long[Digest.BUCKETS];
    long[] records = {0};
    store.scan(
        Table.RECORDS,
        new byte[0],
        (key, state) -> {
          // A sum does not depend on the order, and changes with each of its parts.
          buckets[bucket(key)] += Hashes.prefix(key, state);
          records[0]++;
          return true;
        });
    List<Long> sums = new ArrayList<>(buckets.length);
    for (long bucket : buckets) {
      sums.add(bucket);
    }
    return new Digest(known, sums, records[0]);
  }

  static List<Digest.Entry> bucket(Store store, int bucket, int max) {
    List<Digest.Entry> entries = new ArrayList<>();
    store.scan(
        Table.RECORDS,
        new byte[0],
        (key, state) -> {
          if (bucket(key) == bucket) {
            List<String> names = Keys.names(key);
            RecordKey record = new RecordKey(names.get(0), names.get(1), names.get(2));
            VersionVector context = StateCodec.fromBytes(state).context();
            entries.add(new Digest.Entry(record, context, Hashes.prefix(key, state)));
          }
          return entries.size() < max;
        });
    return entries;
  }

  private static int bucket(byte[] key) {
    return (int) Hashes.prefix(key) & (Digest.BUCKETS - 1);
  }
}
