// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.HttpTransport;
import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.Peering;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;

/** How a new node begins: with a copy of what a node of the cluster has, where one answers. */
final class Joining {
  private Joining() {}

  /** Keeps an account of how a node began. */
  static void account(Node node, Bootstrap.Copied copied) {
    node.account(
            "bootstrap",
            copied.from().value(),
            JsonObject.of(
                Map.of(
                    "position", Json.of(copied.position()), "entries", Json.of(copied.entries()))))
        .join();
  }

  /**
   * Fills a store that is not there yet. Where nobody has anything to copy, or answers, it is left
   * to be created empty; the node then takes logs from their beginning.
   */
  static Optional<Bootstrap.Copied> copyTo(
      Path store, Peering peering, NodeConfig config, PrintWriter err)
      throws IOException, InterruptedException {
    if (Files.exists(store) || peering.seeds().isEmpty()) {
      return Optional.empty();
    }
    Path begun = store.resolveSibling(store.getFileName() + ".copying");
    try (HttpTransport transport = new HttpTransport(peering.secret(), peering.tls())) {
      for (String url : peering.seeds()) {
        Folders.delete(begun);
        try {
          Bootstrap.Copied copied = copied(transport, url, begun, config);
          if (copied.position() > 0) {
            Folders.publish(begun, store);
            err.printf(
                Locale.ROOT,
                "began with a copy of %s: %,d entries, up to position %,d of its log%n",
                copied.from(),
                copied.entries(),
                copied.position());
            return Optional.of(copied);
          }
        } catch (IOException e) {
          err.println("nothing copied from " + url + ": " + e.getMessage());
        }
      }
      err.println("begins empty, and takes what other nodes have from their logs");
      return Optional.empty();
    } finally {
      Folders.delete(begun);
    }
  }

  private static Bootstrap.Copied copied(
      HttpTransport transport, String url, Path begun, NodeConfig config)
      throws IOException, InterruptedException {
    NodeId self = new NodeId(config.name().isEmpty() ? "new" : config.name());
    return transport.copy(
        url,
        self,
        in -> {
          try (ProgressBar progress = Progress.bar("copying", -1);
              RocksStore store = RocksStore.open(begun)) {
            return Bootstrap.read(in, store, config, progress::stepTo);
          }
        });
  }
}
