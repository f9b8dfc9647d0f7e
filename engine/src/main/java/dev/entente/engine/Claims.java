// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.codec.ByteReader;
import dev.entente.engine.codec.ByteWriter;
import dev.entente.engine.codec.JsonCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which live record holds which value of the fields that a policy calls unique. Follows the views:
 * a record claims the values that readers see, and lets go of them when it changes or is deleted.
 * Absent and null claim nothing. Used by the sequencer's thread only.
 */
final class Claims {
  /** Records that are named where many hold one value. */
  private static final int NAMED_MAX = 5;

  private static final String DUE = "claims-due";

  private final Store store;

  Claims(Store store) {
    this.store = store;
  }

  /**
   * The first claim of a view that another live record holds already, in a sentence that names it;
   * empty where there is none.
   */
  Optional<String> contended(
      Transaction transaction, Snapshot before, Snapshot after, Policy policy) {
    for (Path path : policy.unique()) {
      Json value = claimed(after, path);
      if (!value.isAbsent() && !value.equals(claimed(before, path))) {
        SortedSet<String> others = holders(transaction, after.key(), path, value);
        others.remove(after.key().id());
        if (!others.isEmpty()) {
          return Optional.of(
              sentence(after.key(), path, value, others) + ", and no two records may hold it");
        }
      }
    }
    return Optional.empty();
  }

  private static String sentence(RecordKey key, Path path, Json value, SortedSet<String> holders) {
    List<String> named =
        holders.stream().limit(NAMED_MAX).map(id -> key.type() + "/" + id).toList();
    return path
        + " "
        + value
        + " is held by "
        + String.join(", ", named)
        + (holders.size() > NAMED_MAX ? " and " + (holders.size() - NAMED_MAX) + " more" : "");
  }

  /** Brings the claims in line with a record that changed. */
  void follow(Transaction transaction, Snapshot before, Snapshot after, Policy policy) {
    for (Path path : policy.unique()) {
      Json was = claimed(before, path);
      Json is = claimed(after, path);
      if (!was.equals(is)) {
        release(transaction, before.key(), path, was);
        claim(transaction, after.key(), path, is);
      }
    }
  }

  private static Json claimed(Snapshot snapshot, Path path) {
    Json value = snapshot.view().exists() ? path.in(snapshot.view().data()) : JsonAbsent.ABSENT;
    return value instanceof JsonNull ? JsonAbsent.ABSENT : value;
  }

  private static byte[] place(RecordKey key, Path path, Json value) {
    return Keys.with(prefix(key.tenant(), key.type(), path), Hashes.of(JsonCodec.toBytes(value)));
  }

  private static byte[] prefix(String tenant, String type, Path path) {
    return Keys.of(tenant, type, path.toString());
  }

  private static SortedSet<String> holders(
      Transaction transaction, RecordKey key, Path path, Json value) {
    TreeSet<String> holders = new TreeSet<>();
    byte[] stored = transaction.get(Table.CLAIMS, place(key, path, value));
    if (stored != null) {
      ByteReader in = new ByteReader(stored);
      while (!in.atEnd()) {
        holders.add(in.text());
      }
    }
    return holders;
  }

  private static void claim(Transaction transaction, RecordKey key, Path path, Json value) {
    if (!value.isAbsent()) {
      SortedSet<String> holders = holders(transaction, key, path, value);
      if (holders.add(key.id())) {
        write(transaction, key, path, value, holders);
      }
    }
  }

  private static void release(Transaction transaction, RecordKey key, Path path, Json value) {
    if (!value.isAbsent()) {
      SortedSet<String> holders = holders(transaction, key, path, value);
      if (holders.remove(key.id())) {
        write(transaction, key, path, value, holders);
      }
    }
  }

  private static void write(
      Transaction transaction, RecordKey key, Path path, Json value, SortedSet<String> holders) {
    byte[] place = place(key, path, value);
    if (holders.isEmpty()) {
      transaction.delete(Table.CLAIMS, place);
    } else {
      ByteWriter out = new ByteWriter();
      holders.forEach(out::text);
      transaction.put(Table.CLAIMS, place, out.toBytes());
    }
  }

  /** Notes that the claims of a type are to be worked out, even if the node stops before. */
  void setDue(Transaction transaction, String tenant, String type) {
    transaction.put(Table.META, Keys.of(DUE, tenant, type), new byte[0]);
  }

  /** The tenants and types whose claims are still to be worked out. */
  List<RecordScope> due() {
    List<RecordScope> due = new ArrayList<>();
    byte[] prefix = Keys.of(DUE);
    store.scan(
        Table.META,
        prefix,
        (key, _) -> {
          String type = Keys.lastName(key);
          String tenant = Keys.lastName(Arrays.copyOf(key, key.length - Keys.of(type).length));
          due.add(new RecordScope(tenant, type));
          return true;
        });
    return due;
  }

  /** The records of one type of a tenant. */
  record RecordScope(String tenant, String type) {}

  /**
   * Works out the claims of a type anew, from the records that are there.
   *
   * @return for each value that several records hold already, a sentence that names them
   */
  List<String> rebuild(Transaction transaction, String tenant, Policy policy) {
    for (Path path : policy.unique()) {
      byte[] prefix = prefix(tenant, policy.type(), path);
      store.scan(
          Table.CLAIMS,
          prefix,
          (key, _) -> {
            transaction.delete(Table.CLAIMS, key);
            return true;
          });
    }
    TreeSet<RecordKey> keys = new TreeSet<>(transaction.undurable(tenant, policy.type()));
    byte[] prefix = Keys.of(tenant, policy.type());
    store.scan(
        Table.RECORDS,
        prefix,
        (key, _) -> {
          keys.add(new RecordKey(tenant, policy.type(), Keys.lastName(key)));
          return true;
        });
    List<String> shared = new ArrayList<>();
    for (RecordKey key : keys) {
      Snapshot record = transaction.snapshot(key);
      for (Path path : policy.unique()) {
        Json value = claimed(record, path);
        SortedSet<String> others =
            value.isAbsent() ? new TreeSet<>() : holders(transaction, key, path, value);
        claim(transaction, key, path, value);
        if (!others.isEmpty()) {
          shared.add(key.type() + "/" + key.id() + ": " + sentence(key, path, value, others));
        }
      }
    }
    transaction.delete(Table.META, Keys.of(DUE, tenant, policy.type()));
    return shared;
  }
}
