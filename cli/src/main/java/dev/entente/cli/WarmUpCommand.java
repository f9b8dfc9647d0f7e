// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cli.bench.HttpLoad;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.EntenteServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * What the build runs once, so that the virtual machine can lay out the classes that a serving node
 * needs, and the first start is as quick as any: a node in a folder of its own, a little load, and
 * gone.
 */
@Command(name = "warm-up", hidden = true, description = "Prepares quick starts; the build runs it.")
final class WarmUpCommand implements Callable<Integer> {
  @Override
  public Integer call() throws IOException, InterruptedException, PolicyException {
    Path directory = Files.createTempDirectory("entente-warm-up");
    try (Node node = Node.open(RocksStore.open(directory.resolve("store")), NodeConfig.DEFAULT);
        EntenteServer server = EntenteServer.start(node, "127.0.0.1", 0, "t")) {
      node.putPolicy("main", HttpLoad.POLICY.formatted("t"), "warm-up").join();
      HttpLoad.sync(
          new HttpLoad.Target("127.0.0.1", server.port(), "t", "main", "t", "w"),
          1,
          Duration.ofMillis(1));
    }
    Folders.delete(directory);
    return ExitCodes.OK;
  }
}
