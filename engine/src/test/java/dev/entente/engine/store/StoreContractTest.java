// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What every store must keep. */
abstract class StoreContractTest {
  abstract Store open();

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static List<String> scan(
      Store store, String from, String to, boolean reverse, int limit) {
    List<String> keys = new ArrayList<>();
    store.scan(
        Table.LOG,
        bytes(from),
        to == null ? null : bytes(to),
        reverse,
        (key, value) -> {
          keys.add(
              new String(key, StandardCharsets.UTF_8)
                  + "="
                  + new String(value, StandardCharsets.UTF_8));
          return keys.size() < limit;
        });
    return keys;
  }

  @Test
  void aBatchIsThereAsAWholeAndInOrder() {
    try (Store store = open()) {
      Batch batch = new Batch();
      batch.put(Table.LOG, bytes("a"), bytes("1"));
      batch.put(Table.LOG, bytes("a"), bytes("2"));
      batch.put(Table.LOG, bytes("b"), bytes("3"));
      batch.delete(Table.LOG, bytes("b"));
      batch.put(Table.RECORDS, bytes("a"), bytes("other table"));
      store.commit(batch);
      assertThat(store.get(Table.LOG, bytes("a"))).isEqualTo(bytes("2"));
      assertThat(store.get(Table.LOG, bytes("b"))).isNull();
      assertThat(store.get(Table.RECORDS, bytes("a"))).isEqualTo(bytes("other table"));
    }
  }

  @Test
  void keysAndValuesOfEveryLengthAreKeptInEveryTable() {
    try (Store store = open()) {
      Batch batch = new Batch();
      List<byte[]> kept = new ArrayList<>();
      for (int length : new int[] {0, 1, 127, 128, 16_383, 16_384, 300_000}) {
        kept.add(new byte[length]);
      }
      for (Table table : Table.values()) {
        for (byte[] value : kept) {
          batch.put(table, bytes("k".repeat(1 + Math.min(value.length, 20_000))), value);
        }
        batch.delete(table, bytes("there is none"));
      }
      store.commit(new Batch());
      store.commit(batch);
      for (Table table : Table.values()) {
        for (byte[] value : kept) {
          byte[] key = bytes("k".repeat(1 + Math.min(value.length, 20_000)));
          assertThat(store.get(table, key)).isEqualTo(value);
        }
      }
    }
  }

  @Test
  void aCopyIsOfOneMomentAndOfAllTables() {
    try (Store store = open()) {
      for (int i = 0; i < 300; i++) {
        Batch batch = new Batch();
        batch.put(Table.LOG, bytes("k" + i), bytes("1"));
        batch.put(Table.RECORDS, bytes("k" + i), new byte[0]);
        store.commit(batch);
      }
      Batch gone = new Batch();
      gone.delete(Table.LOG, bytes("k7"));
      store.commit(gone);
      Map<Table, Integer> seen = new EnumMap<>(Table.class);
      store.copy((table, key, _) -> {
        seen.merge(table, 1, Integer::sum);
      });
      assertThat(seen).isEqualTo(Map.of(Table.LOG, 299, Table.RECORDS, 300));
    }
  }

  @Test
  void scansAreOrderedByUnsignedBytesAndBounded() {
    try (Store store = open()) {
      Batch batch = new Batch();
      for (String key : List.of("b", "a", "é", "c", "ab")) {
        batch.put(Table.LOG, bytes(key), bytes("x"));
      }
      store.commit(batch);
      assertThat(scan(store, "", null, false, 9))
          .containsExactly("a=x", "ab=x", "b=x", "c=x", "é=x");
      assertThat(scan(store, "ab", "c", false, 9)).containsExactly("ab=x", "b=x");
      assertThat(scan(store, "ab", "é", true, 2)).containsExactly("c=x", "b=x");
      assertThat(scan(store, "x", "b", false, 9)).isEmpty();
    }
  }

  @Test
  void aTableIsClearedAloneAndUsedOn() {
    try (Store store = open()) {
      Batch batch = new Batch();
      batch.put(Table.RECORDS, bytes("a"), bytes("1"));
      batch.put(Table.LOG, bytes("a"), bytes("1"));
      store.commit(batch);
      store.clear(Table.RECORDS);
      assertThat(store.get(Table.RECORDS, bytes("a"))).isNull();
      assertThat(store.get(Table.LOG, bytes("a"))).isEqualTo(bytes("1"));
      Batch again = new Batch();
      again.put(Table.RECORDS, bytes("b"), bytes("2"));
      store.commit(again);
      assertThat(store.get(Table.RECORDS, bytes("b"))).isEqualTo(bytes("2"));
    }
  }

  @Test
  void whatIsHandedOutIsACopy() {
    try (Store store = open()) {
      byte[] value = bytes("kept");
      Batch batch = new Batch();
      batch.put(Table.META, bytes("k"), value);
      store.commit(batch);
      value[0] = 'x';
      byte[] read = store.get(Table.META, bytes("k"));
      assertThat(read).isEqualTo(bytes("kept"));
      read[0] = 'y';
      assertThat(store.get(Table.META, bytes("k"))).isEqualTo(bytes("kept"));
    }
  }
}
