// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.OverloadedException;
import dev.entente.engine.store.RocksStore;
import dev.entente.scenarios.Player;
import dev.entente.scenarios.Scenario;
import dev.entente.server.EntenteServer;
import dev.entente.server.Token;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code entente demo}: a living example. */
@Command(
    name = "demo",
    description =
        "A living example: a durable node, the reference scenarios played over and over, and the dashboard. Ends with Ctrl-C.")
final class DemoCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "The port (default: ${DEFAULT-VALUE}; 0 takes any free one).")
  int port = 7400;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where to keep the data; by default a folder that goes when the demo ends.")
  @Nullable Path data;

  @Option(
      names = "--pause",
      paramLabel = "MILLIS",
      description = "Between two events (default: ${DEFAULT-VALUE}).")
  long pauseMillis = 400;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    Path directory = data == null ? Files.createTempDirectory("entente-demo") : data;
    Node node =
        Node.open(RocksStore.open(directory.resolve("store")), NodeConfig.DEFAULT.withName("demo"));
    Token token = Token.of(directory);
    EntenteServer server;
    try {
      server = EntenteServer.start(node, "127.0.0.1", port, token.value());
    } catch (IOException e) {
      node.close();
      throw new IOException(e.getMessage() + "; choose another port with --port", e);
    }
    if (data == null) {
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> deleteQuietly(directory), "entente-demo-cleanup"));
    }
    String url = "http://127.0.0.1:" + server.port();
    out.println("Entente is ready at " + url + "/");
    out.println();
    out.println("  Open     " + url + "/#token=" + token.value());
    out.println("           (this link signs you in)");
    out.println(
        "  Or call  ENTENTE_URL="
            + url
            + " ENTENTE_TOKEN="
            + token.value()
            + " bin/entente reviews");
    out.println();
    out.println(
        "The reference scenarios play over and over; what no rule may settle gathers under Reviews. Ctrl-C ends the demo.");
    out.flush();
    Thread.ofVirtual().name("entente-demo").start(() -> playOn(node, out));
    ServeCommand.waitForTheEnd(node, server);
    return ExitCodes.OK;
  }

  private void playOn(Node node, PrintWriter out) {
    try {
      for (int round = 1; ; round++) {
        for (Scenario scenario : Scenario.all()) {
          Player player = new Player(node, "main", round == 1 ? "" : "-" + round);
          if (round == 1) {
            player.install(scenario);
            out.println("playing: " + scenario.title());
            out.flush();
          }
          for (JsonObject event : scenario.events()) {
            player.play(event);
            Thread.sleep(pauseMillis);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (NodeStoppedException | OverloadedException e) {
      out.println("the scenarios end: " + e.getMessage());
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void deleteQuietly(Path directory) {
    try {
      Thread.sleep(500);
      Folders.delete(directory);
    } catch (IOException e) {
      System.err.println("could not remove " + directory + ": " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
