// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.StoreRepair.Source;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.DamagedFile;
import dev.entente.engine.store.DamagedStore;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damage in the files of every table: what is derived or held by other nodes is repaired to the
 * same bytes, and all else stops the repair with what to do, and nothing changed. Deep with {@code
 * -Dentente.damage.positions=200}.
 */
class StoreRepairTest {
  private static final int POSITIONS = Integer.getInteger("entente.damage.positions", 1);
  private static final int WRITES = 120;
  private static final RecordKey SHARED = new RecordKey("main", "t", "shared");

  @TempDir static Path temp;
  private static Path whole;
  private static final Map<String, byte[]> VERSIONS = new TreeMap<>();
  private static Map<Table, Map<String, String>> before = Map.of();
  private static final Map<Table, Path> FILES = new EnumMap<>(Table.class);
  private static int copies;

  /** A node with versions of its own and of another, with reviews, all in files of tables. */
  @BeforeAll
  static void write() throws IOException, PolicyException {
    whole = temp.resolve("whole");
    try (Node other =
            Node.open(
                RocksStore.open(temp.resolve("other")), NodeConfig.DEFAULT.withName("other"));
        RocksStore store = RocksStore.open(whole)) {
      Node node = Node.open(store, NodeConfig.DEFAULT.withName("n"));
      node.putPolicy("main", "type: t\nfields: {v0: {strategy: manual-review}}\n", "op").join();
      fill(other, "o");
      fill(node, "n");
      List<byte[]> theirs = new ArrayList<>();
      for (RecordKey key : other.records("main", "t", Optional.empty(), 1_000)) {
        theirs.addAll(other.versions(key));
      }
      node.receive(theirs).join();
      node.account("test", "n", Json.of("entry")).join();
      store.compact(List.of());
      before = contents(store);
      for (DamagedFile file : store.scrub(_ -> {})) {
        throw new AssertionError(file);
      }
      node.close();
    }
    before
        .getOrDefault(Table.LOG, Map.of())
        .values()
        .forEach(hex -> {
          byte[] version = HexFormat.of().parseHex(hex);
          VERSIONS.put(VersionCodec.dotOf(version).toString(), version);
        });
    locate();
  }

  private static void fill(Node node, String prefix) {
    List<WriteRequest> requests = new ArrayList<>();
    for (int i = 0; i < WRITES; i++) {
      RecordKey key = i % 10 == 0 ? SHARED : new RecordKey("main", "t", prefix + i % 40);
      Edit edit = new Edit.MergePatch(Json.of(Map.of("v" + i % 3, (prefix + i).repeat(40))));
      requests.add(WriteRequest.of(key, edit, new Seen.Everything(), prefix));
    }
    node.writeAll(requests).join();
  }

  private static Map<Table, Map<String, String>> contents(Store store) {
    Map<Table, Map<String, String>> contents = new EnumMap<>(Table.class);
    HexFormat hex = HexFormat.of();
    store.copy((table, key, value) ->
        contents
            .computeIfAbsent(table, _ -> new TreeMap<>())
            .put(hex.formatHex(key), hex.formatHex(value)));
    return contents;
  }

  /** Which file holds which table: the one whose damage the scrub reports of that table. */
  private static void locate() throws IOException {
    List<Path> tables;
    try (Stream<Path> all = Files.list(whole)) {
      tables = all.filter(file -> file.toString().endsWith(".sst")).sorted().toList();
    }
    Path scratch = copy();
    for (Path file : tables) {
      flip(scratch.resolve(file.getFileName()), Files.size(file) / 4);
    }
    try (DamagedStore damaged = DamagedStore.open(scratch)) {
      damaged.damage().forEach(file -> FILES.put(file.table().orElseThrow(), Path.of(file.file())));
    }
    assertThat(FILES)
        .containsKeys(
            Table.LOG,
            Table.RECORDS,
            Table.AUDIT,
            Table.VERSION_INDEX,
            Table.DOTS,
            Table.REVIEWS,
            Table.REVIEW_INDEX);
  }

  private static Path copy() throws IOException {
    Path to = temp.resolve("copy-" + copies++).resolve("store");
    Files.createDirectories(to);
    try (Stream<Path> all = Files.list(whole)) {
      for (Path file : all.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }

  private static void flip(Path file, long at) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(at);
      int was = open.read();
      open.seek(at);
      open.write(was ^ 0x10);
    }
  }

  private static Optional<byte[]> fromPeer(NodeId author, long number, long hash) {
    return Optional.ofNullable(VERSIONS.get(new Dot(author, number).toString()));
  }

  private static List<Long> positions(long size, Random chance) {
    List<Long> positions = new ArrayList<>();
    for (int i = 0; i < POSITIONS; i++) {
      positions.add((long) (chance.nextDouble() * size));
    }
    if (POSITIONS > 1) {
      positions.addAll(List.of(0L, size - 1));
    }
    return positions;
  }

  @Test
  void damageInEveryTableIsRepairedOrStopsWithWhatToDo() throws IOException {
    Random chance = new Random(36);
    for (Map.Entry<Table, Path> file : FILES.entrySet()) {
      Table table = file.getKey();
      for (long at : positions(Files.size(whole.resolve(file.getValue())), chance)) {
        Path store = copy();
        flip(store.resolve(file.getValue()), at);
        if (StoreRepair.source(table) == Source.NOWHERE) {
          assertThatThrownBy(() -> StoreRepair.repair(store, StoreRepairTest::fromPeer, "damaged"))
              .as("%s at %d", table, at)
              .isInstanceOf(DamagedStoreException.class)
              .hasMessageContaining("entente restore");
          assertThat(store.resolveSibling("damaged")).doesNotExist();
        } else {
          StoreRepair.Repaired repaired =
              StoreRepair.repair(store, StoreRepairTest::fromPeer, "damaged");
          assertThat(repaired.damaged()).as("%s at %d", table, at).hasSize(1);
          assertThat(store.resolveSibling("damaged")).isDirectory();
          try (RocksStore again = RocksStore.open(store)) {
            assertThat(contents(again)).as("%s at %d", table, at).isEqualTo(before);
          }
        }
        Folders.delete(store.getParent());
      }
    }
  }

  @Test
  void versionsThatNoOtherNodeHasStopTheRepair() throws IOException {
    Path store = copy();
    flip(store.resolve(FILES.get(Table.LOG)), 0);
    assertThatThrownBy(() -> StoreRepair.repair(store, StoreRepair.Peers.NONE, "damaged"))
        .isInstanceOf(DamagedStoreException.class)
        .hasMessageContaining("no other node that answers has them");
    assertThatThrownBy(() ->
            StoreRepair.repair(store, (_, _, _) -> Optional.of(new byte[] {1, 2, 3}), "damaged"))
        .isInstanceOf(DamagedStoreException.class);
  }

  @Test
  void damageInTheLogAndItsIndexAtOnceStopsTheRepair() throws IOException {
    Path store = copy();
    flip(store.resolve(FILES.get(Table.LOG)), 0);
    flip(store.resolve(FILES.get(Table.VERSION_INDEX)), 0);
    assertThatThrownBy(() -> StoreRepair.repair(store, StoreRepairTest::fromPeer, "damaged"))
        .isInstanceOf(DamagedStoreException.class);
  }

  @Test
  void anInterruptedRepairIsFinishedOrBeginsAgain() throws IOException {
    Path store = copy();
    StoreRepair.mark(store, "test");
    flip(store.resolve(FILES.get(Table.RECORDS)), 0);
    Files.createDirectories(store.resolveSibling("store.repairing"));
    Files.createDirectories(store.resolveSibling("store.repaired"));
    assertThat(StoreRepair.isMarked(store)).isTrue();
    var _ = StoreRepair.repair(store, StoreRepair.Peers.NONE, "damaged");
    assertThat(StoreRepair.isMarked(store)).isFalse();
    Files.move(store, store.resolveSibling("store.repaired"));
    StoreRepair.resume(store);
    try (RocksStore again = RocksStore.open(store)) {
      assertThat(contents(again)).isEqualTo(before);
    }
  }

  @Test
  void aMarkWithoutDamageIsRemoved() throws IOException {
    Path store = copy();
    StoreRepair.mark(store, "a read failed once");
    assertThat(StoreRepair.repair(store, StoreRepair.Peers.NONE, "damaged").damaged()).isEmpty();
    assertThat(StoreRepair.isMarked(store)).isFalse();
  }

  @Test
  void everyTableHasASource() {
    Set<Table> derived = EnumSet.noneOf(Table.class);
    for (Table table : Table.values()) {
      if (StoreRepair.source(table) == Source.DERIVED) {
        derived.add(table);
      }
    }
    assertThat(derived)
        .containsExactlyInAnyOrder(
            Table.RECORDS, Table.VERSION_INDEX, Table.DOTS, Table.REVIEW_INDEX);
  }
}
