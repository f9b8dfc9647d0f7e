// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.group.FreePort;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.OverloadedException;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.scenarios.Player;
import dev.entente.scenarios.Scenario;
import dev.entente.server.EntenteServer;
import dev.entente.server.Peering;
import dev.entente.server.Token;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code entente demo}: a living example. */
@Command(
    name = "demo",
    description =
        "A living example: three durable nodes, the reference scenarios played over and over, and"
            + " the dashboard. Ends with Ctrl-C.")
final class DemoCommand implements Callable<Integer> {
  private static final System.Logger LOG = System.getLogger(DemoCommand.class.getName());
  private static final List<String> REGIONS = List.of("eu", "us", "asia");
  private static final String EVERYWHERE_TYPE = "visits";

  @Spec CommandSpec spec;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "The first of three ports (default: ${DEFAULT-VALUE}; 0 takes any free ones).")
  int port = 7400;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where to keep the data; by default a folder that goes when the demo ends.")
  @Nullable Path data;

  /** How far the ports for votes lie above those for clients. */
  private static final int VOTES = 100;

  @Option(
      names = "--pause",
      paramLabel = "MILLIS",
      description = "Between two events (default: ${DEFAULT-VALUE}).")
  long pauseMillis = 400;

  /** A node of the demo with its server. */
  private record Region(Node node, EntenteServer server) {
    String url() {
      return server.url();
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    Settings settings = Settings.of(spec);
    settings.checkAsClient();
    Optional<String> wanted = settings.secret("ENTENTE_TOKEN");
    Path directory = data == null ? Files.createTempDirectory("entente-demo") : data;
    Folders.create(directory);
    Token token = Token.of(directory, wanted);
    String secret = UUID.randomUUID().toString();
    List<Region> regions = new ArrayList<>();
    List<String> voters = voters();
    try {
      for (String name : REGIONS) {
        List<String> seeds = regions.stream().map(Region::url).toList();
        Peering peering =
            new Peering("", seeds, secret).withVoters(voters, directory.resolve(name + "-group"));
        regions.add(start(directory, name, port(name), token, peering));
      }
    } catch (IOException e) {
      regions.forEach(region -> region.node().close());
      throw new IOException(e.getMessage() + "; choose another port with --port", e);
    }
    if (data == null) {
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> deleteQuietly(directory), "entente-demo-cleanup"));
    }
    tell(out, regions, token);
    Thread.ofVirtual().name("entente-demo").start(() -> playOn(regions.getFirst().node(), out));
    Thread.ofVirtual().name("entente-demo-regions").start(() -> writeEverywhere(regions));
    ServeCommand.waitForTheEnd(
        regions.getFirst().node(),
        () ->
            regions.forEach(region -> {
              region.server().close();
              region.node().close();
            }));
    return ExitCodes.OK;
  }

  /** Where the regions listen for each other's votes: the same in every run on one directory. */
  private List<String> voters() throws IOException {
    List<String> voters = new ArrayList<>();
    for (String name : REGIONS) {
      if (port != 0) {
        voters.add(name + "=127.0.0.1:" + (port(name) + VOTES));
      } else if (data == null) {
        voters.add(name + "=127.0.0.1:" + FreePort.find());
      }
    }
    return voters;
  }

  private int port(String region) {
    return port == 0 ? 0 : port + REGIONS.indexOf(region);
  }

  private static Region start(Path directory, String name, int port, Token token, Peering peering)
      throws IOException {
    Node node =
        Node.open(
            RocksStore.open(directory.resolve(name)),
            NodeConfig.DEFAULT.withName(name).withFreshIncarnation());
    try {
      return new Region(
          node, EntenteServer.start(node, "127.0.0.1", port, token.value(), Optional.of(peering)));
    } catch (IOException e) {
      node.close();
      throw e;
    }
  }

  private static void tell(PrintWriter out, List<Region> regions, Token token) {
    String url = regions.getFirst().url();
    out.println("Entente is ready at " + url + "/");
    out.println();
    out.println("  Open     " + url + "/#token=" + token.value());
    out.println(
        "           (this link signs you in; under Cluster you can cut the lines between regions)");
    out.println(
        "  Or call  ENTENTE_URL="
            + url
            + " ENTENTE_TOKEN="
            + token.value()
            + " bin/entente reviews");
    for (Region region : regions.subList(1, regions.size())) {
      out.println("  Also     " + region.node().id().name() + " at " + region.url() + "/");
    }
    out.println();
    out.println(
        "The reference scenarios play over and over; what no rule may settle gathers under Reviews."
            + " Ctrl-C ends the demo.");
    out.flush();
  }

  /** Every region goes on writing one record of its own accord, so that a cut line shows in it. */
  private void writeEverywhere(List<Region> regions) {
    RecordKey key = new RecordKey("main", EVERYWHERE_TYPE, "everywhere");
    try {
      regions
          .getFirst()
          .node()
          .putPolicy(
              "main",
              "type: "
                  + EVERYWHERE_TYPE
                  + "\n"
                  + "default: last-writer-wins\n"
                  + "fields:\n"
                  + "  visits: {cell: counter}\n"
                  + "  greetings: {cell: set}\n",
              "demo")
          .join();
      for (int round = 0; ; round++) {
        Region region = regions.get(round % regions.size());
        String name = region.node().id().name();
        List<Edit.Operation> operations =
            List.of(
                new Edit.Operation.Increment(dev.entente.core.json.Path.of("visits"), 1),
                new Edit.Operation.Set(dev.entente.core.json.Path.of("last"), Json.of(name)),
                new Edit.Operation.Set(dev.entente.core.json.Path.of(name), Json.of(round)));
        region
            .node()
            .write(
                WriteRequest.of(
                    key, new Edit.Operations(operations), new WriteRequest.Seen.Everything(), name))
            .join();
        Thread.sleep(pauseMillis * 2);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    } catch (NodeStoppedException | OverloadedException | CompletionException e) {
      LOG.log(System.Logger.Level.DEBUG, "the regions write no more", e);
    }
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
