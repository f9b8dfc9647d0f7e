// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.RemoteReplica;
import dev.entente.core.causality.NodeId;
import dev.entente.engine.Hashes;
import dev.entente.engine.Node;
import dev.entente.engine.StoreRepair;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.LostWritesException;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.Peering;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;

/** Opens the store of a node that is started, and repairs it before where it is damaged. */
final class Repairing {
  private static final Logger LOG = System.getLogger(Repairing.class.getName());

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'.'SSS'Z'").withZone(ZoneOffset.UTC);

  private final Path store;
  private final Optional<Peering> peering;
  private final Recoveries recoveries;
  private final PrintWriter err;
  private Optional<StoreRepair.Repaired> repaired = Optional.empty();

  Repairing(Path store, Optional<Peering> peering, Recoveries recoveries, PrintWriter err) {
    this.recoveries = recoveries;
    this.store = store;
    this.peering = peering;
    this.err = err;
  }

  /**
   * Opens the store.
   *
   * @throws DamagedStoreException where it is damaged and cannot be repaired, or may not
   */
  RocksStore open() throws IOException {
    if (StoreRepair.isMarked(store)) {
      repair();
      return RocksStore.open(store);
    }
    try {
      return RocksStore.open(store);
    } catch (LostWritesException e) {
      throw e;
    } catch (DamagedStoreException e) {
      err.println(e.getMessage());
      repair();
      if (repaired.flatMap(StoreRepair.Repaired::quarantine).isEmpty()) {
        throw e;
      }
      return RocksStore.open(store);
    }
  }

  private void repair() throws IOException {
    if (!recoveries.begin("repair the store", err)) {
      throw new DamagedStoreException(
          "the store in " + store + " is damaged and is not repaired without anybody's doing");
    }
    err.println("repairing the store in " + store + "; this reads and writes all of it");
    err.flush();
    String name = "damaged-" + TIME.format(Instant.now());
    StoreRepair.Repaired result;
    if (peering.isPresent()) {
      Peering with = peering.get();
      try (HttpTransport transport = new HttpTransport(with.secret(), with.tls())) {
        result = StoreRepair.repair(store, peers(transport, with.seeds()), name);
      }
    } else {
      result = StoreRepair.repair(store, StoreRepair.Peers.NONE, name);
    }
    result
        .quarantine()
        .ifPresent(kept ->
            err.printf(
                "repaired: %s; %,d versions came from other nodes; the damaged store is in %s%n",
                result.damaged(), result.fromPeers(), kept));
    repaired = Optional.of(result);
  }

  private static StoreRepair.Peers peers(HttpTransport transport, List<String> urls) {
    return (author, number, hash) -> {
      for (String url : urls) {
        try {
          NodeId asker = new NodeId("repair");
          List<byte[]> versions =
              new RemoteReplica(transport, url, asker).versions(author, number - 1, number);
          for (byte[] version : versions) {
            if (Hashes.prefix(version) == hash) {
              return Optional.of(version);
            }
          }
        } catch (IOException e) {
          // The next may have it; where none does, the repair says so.
          LOG.log(Level.INFO, "no version for the repair from " + url, e);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return Optional.empty();
        }
      }
      return Optional.empty();
    };
  }

  /** Keeps an account of what was repaired in the audit log. */
  void account(Node node) {
    repaired
        .filter(result -> result.quarantine().isPresent())
        .ifPresent(result -> node.account("repair", node.id().value(), result.toJson()).join());
  }
}
