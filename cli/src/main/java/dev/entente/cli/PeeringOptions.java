// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.NodeTls;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.SettingFile;
import dev.entente.server.Peering;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of a node that takes part in a cluster. */
final class PeeringOptions {
  @Option(
      names = "--name",
      paramLabel = "NAME",
      description =
          "What the node is called in a new directory, for example a region (default: chosen).")
  String name = "";

  @Option(
      names = "--peers",
      split = ",",
      paramLabel = "URL",
      description = "Other nodes of the cluster to ask first; one that is there is enough.")
  List<String> peers = List.of();

  @Option(
      names = "--advertise",
      paramLabel = "URL",
      description = "Where the other nodes reach this one (default: the address it listens on).")
  String url = "";

  @Option(
      names = "--voters",
      split = ",",
      paramLabel = "NAME=HOST:PORT",
      description =
          "The nodes that agree on records of strong and primary types and on locks, three or five"
              + " of them, with the addresses at which they listen for each other; the same on"
              + " every node. One that is let in later (entente cluster add-voter) names itself"
              + " too.")
  List<String> voters = List.of();

  boolean hasVoters() {
    return !voters.isEmpty();
  }

  @Option(
      names = "--secret-file",
      paramLabel = "FILE",
      description =
          "Holds the secret that all nodes of the cluster share, 16 characters or more;"
              + " ENTENTE_SECRET does too. With a secret the node is in a cluster, if alone for"
              + " now.")
  @Nullable Path secretFile;

  @Option(
      names = "--administrator-keys",
      split = ",",
      paramLabel = "KEY",
      description =
          "Access keys of other administrators whose accounts, tokens and webhooks have effect on"
              + " this node (accessKey in GET /v1/cluster of their node). Nodes with the same"
              + " administrator's token need none.")
  List<String> administrators = List.of();

  @Option(
      names = "--vote-key",
      paramLabel = "FILE",
      description =
          "The private key under which the node votes where a policy gives it a key (made by"
              + " entente vote key).")
  @Nullable Path voteKey;

  /**
   * How to take part; empty for a node on its own.
   *
   * @throws IllegalArgumentException where something is missing
   */
  Optional<Peering> peering(Path data, Optional<NodeTls> tls, Settings settings) {
    String secret = secret(settings.secret("ENTENTE_SECRET"));
    if (secret.isEmpty()) {
      if (!peers.isEmpty() || !voters.isEmpty() || !administrators.isEmpty()) {
        throw new IllegalArgumentException(
            "--peers, --voters and --administrator-keys need the secret that the nodes share: set"
                + " ENTENTE_SECRET, or --secret-file");
      }
      if (voteKey != null || !url.isEmpty()) {
        throw new IllegalArgumentException(
            "--vote-key and --advertise are for nodes of a cluster, which share a secret: set"
                + " ENTENTE_SECRET, or --secret-file");
      }
      return Optional.empty();
    }
    List<String> urls = peers.stream().map(peer -> peer.replaceAll("/+$", "")).toList();
    return Optional.of(
        new Peering(
            url.replaceAll("/+$", ""),
            urls,
            secret,
            voters,
            data.resolve("group"),
            tls,
            voteKey == null
                ? Optional.empty()
                : Optional.of(SettingFile.secret("--vote-key", voteKey)),
            administrators.stream().map(AccessKeys::parse).collect(Collectors.toSet())));
  }

  /** The secret of the file or the environment; empty where neither gives one. */
  private String secret(Optional<String> inEnvironment) {
    if (secretFile == null) {
      return inEnvironment.orElse("");
    }
    String inFile = SettingFile.secret("--secret-file", secretFile);
    if (inEnvironment.filter(other -> !other.equals(inFile)).isPresent()) {
      throw new IllegalArgumentException(
          "--secret-file and ENTENTE_SECRET hold different secrets: give one of them");
    }
    return inFile;
  }

  /** What to open the node with. */
  NodeConfig config() {
    return NodeConfig.DEFAULT.withName(name).withFreshIncarnation();
  }
}
