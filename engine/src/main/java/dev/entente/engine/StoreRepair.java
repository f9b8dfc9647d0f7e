// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.DamagedFile;
import dev.entente.engine.store.DamagedStore;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Repairs a store with damaged files while no node has it open. What can be read is copied into a
 * new store, what is derived is worked out again there, and versions that cannot be read are taken
 * from other nodes, by the hashes that this node has of them. Only a store that lacks nothing takes
 * the place of the damaged one, which is kept beside it under another name. Where something cannot
 * be had again, nothing is changed, and the exception says what to do.
 *
 * <p>Interrupted at any time, the next start finds either the damaged store or the repaired one.
 */
public final class StoreRepair {
  private static final String MARK = "DAMAGED";
  private static final String WHAT_TO_DO =
      "restore a checkpoint or a backup (entente restore), or move the directory away and begin"
          + " with a copy of another node (entente serve --peers); docs/recovery.md, damage on the"
          + " disk";

  private final Path directory;
  private final Peers peers;

  private StoreRepair(Path directory, Peers peers) {
    this.directory = directory;
    this.peers = peers;
  }

  /** Where the contents of a table can be had from, once a part of it cannot be read. */
  public enum Source {
    /** Worked out again from other tables. */
    DERIVED,
    /** Other nodes have them under the same numbers. */
    PEERS,
    /** Only this table has them. */
    NOWHERE
  }

  /** Where the contents of a table can be had from. */
  public static Source source(Table table) {
    return switch (table) {
      case RECORDS, VERSION_INDEX, DOTS, REVIEW_INDEX -> Source.DERIVED;
      case LOG -> Source.PEERS;
      case META,
          AUDIT,
          REVIEWS,
          ANSWERS,
          POLICIES,
          FREEZES,
          CLAIMS,
          LINKS,
          HELD,
          DUE,
          BASES,
          ERASURES ->
          Source.NOWHERE;
    };
  }

  /** Other nodes, as far as a repair needs them. */
  @FunctionalInterface
  public interface Peers {
    /** For a node on its own. */
    Peers NONE = (_, _, _) -> Optional.empty();

    /**
     * The version of a node with a number, as bytes, from any node that has it with a hash; empty
     * where none has it or answers.
     */
    Optional<byte[]> version(NodeId author, long number, long hash);
  }

  /**
   * What was repaired.
   *
   * @param fromPeers how many versions came from other nodes
   * @param quarantine where the damaged store is now; empty where nothing was damaged after all
   */
  public record Repaired(List<DamagedFile> damaged, long fromPeers, Optional<Path> quarantine) {
    public Repaired {
      damaged = List.copyOf(damaged);
    }

    /** What the audit log says of it. */
    public JsonObject toJson() {
      return JsonObject.of(
          Map.of(
              "damaged", Json.of(damaged.stream().map(DamagedFile::toString).toList()),
              "fromPeers", Json.of(fromPeers),
              "quarantine", Json.of(quarantine.map(Path::toString).orElse(""))));
    }
  }

  /** Says of a store that it is to be repaired before it is opened again. */
  public static void mark(Path directory, String why) throws IOException {
    Path mark = directory.resolve(MARK);
    Files.writeString(mark, why + "\n");
    Folders.sync(mark);
    Folders.sync(directory);
  }

  /** Whether a store was found damaged and not repaired since. */
  public static boolean isMarked(Path directory) {
    return Files.exists(directory.resolve(MARK));
  }

  private Path beside(String ending) {
    return directory.resolveSibling(directory.getFileName() + ending);
  }

  /** Finishes a repair that was interrupted when its result was complete. */
  public static void resume(Path directory) throws IOException {
    Path repaired = new StoreRepair(directory, Peers.NONE).beside(".repaired");
    if (!Files.exists(directory) && Files.exists(repaired)) {
      Folders.publish(repaired, directory);
    }
  }

  /**
   * Repairs a store.
   *
   * @param name what the damaged store is called afterwards, beside the repaired one
   * @throws DamagedStoreException where it cannot be repaired: nothing is changed
   */
  public static Repaired repair(Path directory, Peers peers, String name) throws IOException {
    return new StoreRepair(directory, peers).repair(name);
  }

  private Repaired repair(String name) throws IOException {
    Path begun = beside(".repairing");
    Path finished = beside(".repaired");
    Folders.delete(begun);
    Folders.delete(finished);
    List<DamagedFile> damaged;
    long fromPeers = 0;
    try (DamagedStore store = DamagedStore.open(directory)) {
      damaged = store.damage();
      if (damaged.isEmpty()) {
        Files.deleteIfExists(directory.resolve(MARK));
        return new Repaired(List.of(), 0, Optional.empty());
      }
      Set<Table> tables =
          damaged.stream()
              .flatMap(file -> file.table().stream())
              .collect(Collectors.toCollection(() -> EnumSet.noneOf(Table.class)));
      Set<Table> derived = EnumSet.noneOf(Table.class);
      tables.stream().filter(table -> source(table) == Source.DERIVED).forEach(derived::add);
      try (RocksStore fresh = RocksStore.open(begun)) {
        // Those with damage first: where it cannot be repaired, nothing else need be copied.
        tables.removeAll(derived);
        Set<Table> incomplete = store.copyTo(fresh, tables);
        for (Table table : incomplete) {
          if (source(table) == Source.NOWHERE || derived.contains(Table.VERSION_INDEX)) {
            throw cannot("a part of the table " + table.label() + " cannot be read", damaged);
          }
        }
        tables.addAll(derived);
        Set<Table> others = EnumSet.allOf(Table.class);
        others.removeAll(tables);
        if (!store.copyTo(fresh, others).isEmpty()) {
          throw cannot("more became damaged meanwhile", damaged);
        }
        if (incomplete.contains(Table.LOG)) {
          fromPeers = complete(fresh, damaged);
        }
        if (derived.contains(Table.VERSION_INDEX)) {
          // What was refused stands only there; where that cannot be read, nodes find it missing.
          var _ = store.copyTo(fresh, EnumSet.of(Table.VERSION_INDEX));
        }
        derived.forEach(table -> derive(fresh, table));
        verify(fresh, damaged);
      }
    }
    publish(begun, finished, name);
    return new Repaired(damaged, fromPeers, Optional.of(directory.resolveSibling(name)));
  }

  private void publish(Path begun, Path finished, String name) throws IOException {
    Folders.publish(begun, finished);
    Folders.publish(directory, directory.resolveSibling(name));
    Folders.publish(finished, directory);
  }

  private DamagedStoreException cannot(String what, List<DamagedFile> damaged) {
    return new DamagedStoreException(
        "the store in "
            + directory
            + " is damaged and cannot be repaired from what is left: "
            + what
            + " ("
            + damaged.getFirst()
            + "); "
            + WHAT_TO_DO);
  }

  /** Adds what the log lacks, as the index of versions says; returns how many versions. */
  private long complete(Store fresh, List<DamagedFile> damaged) {
    if (!VersionIndex.isComplete(fresh)) {
      throw cannot("a part of the log cannot be read, and it has no index of versions", damaged);
    }
    List<VersionIndex.Missing> missing = VersionIndex.missing(fresh);
    List<String> lost = new ArrayList<>();
    Batch batch = new Batch();
    for (VersionIndex.Missing each : missing) {
      Dot dot = each.dot();
      Optional<byte[]> version =
          peers
              .version(dot.node(), dot.number(), each.hash())
              .filter(bytes -> Hashes.prefix(bytes) == each.hash());
      version.ifPresent(bytes -> batch.put(Table.LOG, each.logKey(), bytes));
      if (version.isEmpty()) {
        lost.add(dot.toString());
      }
    }
    if (!lost.isEmpty()) {
      throw cannot(
          lost.size()
              + " versions cannot be read, and no other node that answers has them, the first "
              + lost.getFirst(),
          damaged);
    }
    fresh.commit(batch);
    return missing.size();
  }

  /** The audit log vouches for every version, so nothing that it names may be missing. */
  private void verify(Store fresh, List<DamagedFile> damaged) {
    byte[] position = fresh.get(Table.META, Node.POSITION);
    long last = position == null ? 0 : new ByteReader(position).u64();
    Optional<String> broken = Verification.of(fresh, last, _ -> {}).broken();
    if (broken.isPresent()) {
      throw cannot("what is left does not agree with the audit log, " + broken.get(), damaged);
    }
  }

  private static void derive(Store fresh, Table table) {
    switch (table) {
      case RECORDS -> {
        Reconstruction.Found _ = Reconstruction.rebuild(fresh, _ -> {});
      }
      case VERSION_INDEX -> VersionIndex.rebuild(fresh);
      case DOTS -> dots(fresh);
      case REVIEW_INDEX -> ReviewBook.rebuildIndex(fresh);
      default -> throw new IllegalStateException(table + " is not derived");
    }
  }

  private static void dots(Store fresh) {
    Incarnations self = Incarnations.of(fresh);
    if (self == null) {
      return;
    }
    Backfill.all(
        fresh,
        Table.LOG,
        (batch, at, bytes) -> {
          Dot dot = VersionCodec.dotOf(bytes);
          if (!self.wrote(dot)) {
            batch.put(
                Table.DOTS, Receiver.dotKey(Keys.firstName(at), dot), Keys.of(Keys.lastNumber(at)));
          }
        });
  }
}
