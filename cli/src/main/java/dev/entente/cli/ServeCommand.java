// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.NodeTls;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.NodeRestoredException;
import dev.entente.engine.Retention;
import dev.entente.engine.StoreRepair;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.StoreException;
import dev.entente.engine.store.StoreInUseException;
import dev.entente.server.EntenteServer;
import dev.entente.server.Listener;
import dev.entente.server.Peering;
import dev.entente.server.ServerConfig;
import dev.entente.server.Token;
import dev.entente.server.recovery.Scrubber;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code entente serve}: one node on one directory. */
@Command(
    name = "serve",
    description = "Runs a node on a directory and serves its API and dashboard.")
final class ServeCommand implements Callable<Integer> {
  /** Not an exit code: the node goes on as another. */
  private static final int AGAIN = -1;

  @Spec CommandSpec spec;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "Where the node keeps its data; made if it is not there.")
  Path data;

  @Option(
      names = "--policies",
      paramLabel = "DIR",
      description = "Load every .yaml, .yml and .json policy file of a folder.")
  @Nullable Path policies;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Options from a file, one a line, such as port=7400. The command line wins over the"
              + " environment (ENTENTE_PORT), that over the file.")
  @Nullable Path config;

  @Option(
      names = "--tenant",
      paramLabel = "NAME",
      description = "The tenant that --policies are for (default: ${DEFAULT-VALUE}).")
  String tenant = "main";

  @Option(
      names = "--checkpoint-every",
      paramLabel = "MINUTES",
      description =
          "How often what the node is gets kept in DIR/checkpoints (default: ${DEFAULT-VALUE}; 0"
              + " for only when somebody asks).")
  int checkpointMinutes = 15;

  @Option(
      names = "--keep-checkpoints",
      paramLabel = "DAYS",
      description = "How long each is kept (default: ${DEFAULT-VALUE}).")
  int checkpointDays = 7;

  @Option(
      names = "--keep-checkpoints-count",
      paramLabel = "NUMBER",
      description =
          "How many are kept at most, however new they are (default: ${DEFAULT-VALUE}, no bound).")
  int checkpointCount = 0;

  @Option(
      names = "--retention",
      paramLabel = "DAYS",
      description =
          "How long versions are kept that are not the last of their record, for tenants that say"
              + " nothing else (default: ${DEFAULT-VALUE}; 0 for good); see entente retention.")
  int retentionDays = 30;

  @Option(
      names = "--retention-versions",
      paramLabel = "NUMBER",
      description =
          "How many versions of each record are kept at most, once they are a day old, for tenants"
              + " that say nothing else (default: ${DEFAULT-VALUE}, any number); see entente"
              + " retention.")
  int retentionVersions = 0;

  @Option(
      names = "--auto-recovery",
      arity = "1",
      paramLabel = "true|false",
      description =
          "Whether a damaged store is repaired, and a directory that was put back continues,"
              + " without anybody's doing (default: ${DEFAULT-VALUE}). With false, serve ends and"
              + " says what to do.")
  boolean autoRecovery = true;

  @Option(
      names = "--recovery-attempts",
      paramLabel = "NUMBER",
      description =
          "How often that may happen in 24 hours before serve ends and leaves it to people"
              + " (default: ${DEFAULT-VALUE}).")
  int recoveryAttempts = 5;

  @Option(
      names = "--scrub-every",
      paramLabel = "HOURS",
      description =
          "How often all files are compared with their checksums (default: ${DEFAULT-VALUE}; 0 for"
              + " only when somebody asks, or a read has met damage); see entente scrub.")
  int scrubHours = 24;

  @Option(
      names = "--scrub-rate",
      paramLabel = "MIB",
      description = "How much of them is read in a second at most (default: ${DEFAULT-VALUE}).")
  int scrubMib = 16;

  @Mixin ListenOptions listen = new ListenOptions();

  @Mixin PeeringOptions peering = new PeeringOptions();

  @Mixin AccessOptions access = new AccessOptions();

  @Mixin WatchOptions watch = new WatchOptions();

  @Mixin TraceOptions traces = new TraceOptions();

  @Mixin LogOptions log = new LogOptions();

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    try {
      for (String unused : Settings.of(spec).check(spec)) {
        err.println(unused + " is no setting of entente serve and has no effect");
      }
    } catch (IllegalArgumentException e) {
      err.println(e.getMessage());
      return ExitCodes.BAD_INPUT;
    }
    log.apply();
    int code;
    do {
      code = serve(out, err);
    } while (code == AGAIN);
    return code;
  }

  private int serve(PrintWriter out, PrintWriter err) throws IOException, InterruptedException {
    Settings settings = Settings.of(spec);
    ServerConfig config;
    Token token;
    Recoveries recoveries;
    Node node;
    try {
      ServerConfig given = config(settings);
      Token.check(data, settings.secret("ENTENTE_TOKEN"));
      recoveries = Recoveries.of(data, autoRecovery, recoveryAttempts);
      Optional<Peering> cluster = given.peering();
      NodeConfig named = peering.config();
      Path store = data.resolve("store");
      StoreRepair.resume(store);
      Optional<Bootstrap.Copied> copied =
          cluster.isPresent() ? Joining.copyTo(store, cluster.get(), named, err) : Optional.empty();
      Repairing repairing = new Repairing(store, cluster, recoveries, err);
      token = Token.of(data, settings.secret("ENTENTE_TOKEN"));
      config = given.withToken(token.value());
      node = Node.open(repairing.open(), named, config.accessKeys());
      repairing.account(node);
      copied.ifPresent(from -> Joining.account(node, from));
    } catch (IllegalArgumentException | StoreInUseException e) {
      err.println(e.getMessage());
      return ExitCodes.BAD_INPUT;
    } catch (StoreException | IllegalStateException e) {
      err.println(e.getMessage());
      return ExitCodes.FAILED;
    }
    try {
      if (policies != null && !load(node, policies, err)) {
        node.close();
        return ExitCodes.BAD_INPUT;
      }
      EntenteServer server = EntenteServer.start(node, config);
      Listener listener = config.listener();
      if (!server.isEncrypted() && !listener.isLoopback()) {
        err.println(
            "Not encrypted: whoever is on the way can read tokens and records. Use --tls-cert,"
                + " --tls-key and --tls-ca instead of --insecure-http.");
      }
      listener.tls().ifPresent(proof -> warn(proof, node, config.peering().isPresent(), err));
      if (!peering.name.isEmpty() && !peering.name.equals(node.id().name())) {
        err.println(
            "--name "
                + peering.name
                + " has no effect: the data in "
                + data
                + " are those of the node "
                + node.id().name());
      }
      if (token.isNew()) {
        out.println(
            "The administrator's token, kept in " + data.resolve("token") + ": " + token.value());
      }
      out.println("Entente is ready at " + server.url() + "/");
      out.flush();
      waitForTheEnd(
          node,
          () -> {
            server.close();
            node.close();
          });
      Optional<Throwable> failure = node.failure();
      if (failure.isPresent() && failure.get() instanceof NodeRestoredException restored) {
        err.println(restored.getMessage());
        return recoveries.begin("continue under the next incarnation", err)
            ? AGAIN
            : ExitCodes.FAILED;
      }
      if (failure.isPresent() && failure.get() instanceof DamagedStoreException damaged) {
        err.println(damaged.getMessage());
        StoreRepair.mark(data.resolve("store"), String.valueOf(damaged.getMessage()));
        return recoveries.isOn() ? AGAIN : recoveries.refused("repair the store", err);
      }
      return failure.isPresent() ? ExitCodes.FAILED : ExitCodes.OK;
    } catch (IOException e) {
      node.close();
      throw new IOException(e.getMessage() + "; --port and --host choose where it listens", e);
    } catch (RuntimeException e) {
      node.close();
      throw e;
    }
  }

  /**
   * How to serve, without the token, which is kept with the data.
   *
   * @throws IllegalArgumentException where a setting cannot be used; the message says what to do
   */
  ServerConfig config(Settings settings) {
    if (policies != null && !Files.isDirectory(policies)) {
      throw new IllegalArgumentException(
          "--policies takes a folder with policy files, which " + policies + " is not");
    }
    Checks.requireFolder("--data", data);
    Checks.requireTenant("--tenant", tenant);
    Checks.requireAtLeast("--checkpoint-every", checkpointMinutes, 0);
    Checks.requireAtLeast("--keep-checkpoints", checkpointDays, 1);
    Checks.requireAtLeast("--keep-checkpoints-count", checkpointCount, 0);
    Checks.requireAtLeast("--retention", retentionDays, 0);
    Checks.requireRange("--retention-versions", retentionVersions, 0, Retention.VERSIONS_MAX);
    Checks.requireRange("--recovery-attempts", recoveryAttempts, 1, Recoveries.ATTEMPTS_MAX);
    ServerConfig.Safety safety =
        new ServerConfig.Safety(
            Duration.ofMinutes(checkpointMinutes),
            Duration.ofDays(checkpointDays),
            checkpointCount,
            retentionDays,
            retentionVersions,
            scrub());
    Listener listener = listen.listener();
    return ServerConfig.of(listener, "")
        .with(peering.peering(data, listener, settings))
        .believing(access.openId())
        .within(access.limits())
        .watched(watch.watching(data, settings))
        .traced(traces.target())
        .kept(safety);
  }

  /** Says what a certificate that is used cannot do. */
  private static void warn(NodeTls proof, Node node, boolean peers, PrintWriter err) {
    if (!proof.namesHosts()) {
      err.println(
          "The certificate of --tls-cert names no host (subjectAltName): clients that verify it"
              + " refuse it. Sign one that names the hosts and addresses of this node.");
    }
    String certified = NodeTls.commonName(proof.chain().getFirst());
    if (peers && !NodeTls.isNamed(node.id().value(), certified)) {
      err.println(
          "The certificate of --tls-cert is that of "
              + (certified.isEmpty() ? "nobody" : certified)
              + ", and this node is called "
              + node.id().name()
              + ": other nodes refuse it. Sign one whose name (CN) is the node's.");
    }
  }

  private Scrubber.Pace scrub() {
    if (scrubHours < 0 || scrubMib < 1) {
      throw new IllegalArgumentException(
          "--scrub-every takes a number of hours from 0 on, and --scrub-rate one of MiB from 1 on");
    }
    return new Scrubber.Pace(Duration.ofHours(scrubHours), (long) scrubMib << 20);
  }

  private boolean load(Node node, Path folder, PrintWriter err) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*.{yaml,yml,json}")) {
      found.forEach(files::add);
    }
    files.sort(null);
    boolean good = true;
    for (Path file : files) {
      try {
        String text = Files.readString(file);
        if (isInForce(node, text)) {
          continue;
        }
        if (isAgreed(node, text)) {
          err.println(
              file
                  + ": not put in force: the voters agree on the policies of such types; use"
                  + " entente policy put");
          continue;
        }
        for (PolicyProblem warning : node.putPolicy(tenant, text, "serve").join()) {
          err.println(file + ": warning: " + warning);
        }
      } catch (PolicyException e) {
        err.print(PolicyFile.described(file, e));
        good = false;
      }
    }
    return good;
  }

  /** Whether the policy of a type that is known already is changed by the voters only. */
  private boolean isAgreed(Node node, String text) throws PolicyException {
    Policy policy = PolicyLoader.load(text).policy();
    return peering.hasVoters()
        && node.policyTypes(tenant).contains(policy.type())
        && (policy.consistency().mustAgree()
            || node.policy(tenant, policy.type()).consistency().mustAgree());
  }

  private boolean isInForce(Node node, String text) {
    return node.policyTypes(tenant).stream()
        .anyMatch(type -> node.policyText(tenant, type).filter(text::equals).isPresent());
  }

  /** Waits until the process is told to end or the node stops, and then closes what there is. */
  static void waitForTheEnd(Node node, Runnable close) throws InterruptedException {
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              close.run();
              ended.countDown();
            },
            "entente-shutdown");
    Runtime.getRuntime().addShutdownHook(hook);
    while (!ended.await(1, java.util.concurrent.TimeUnit.SECONDS)) {
      if (node.failure().isPresent()) {
        Runtime.getRuntime().removeShutdownHook(hook);
        close.run();
        return;
      }
    }
  }
}
