// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.NodeTls;
import dev.entente.core.record.Fingerprint;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.SettingFile;
import dev.entente.server.Listener;
import dev.entente.server.Peering;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of a node that takes part in a cluster. */
final class PeeringOptions {
  private static final Pattern VOTER = Pattern.compile("[^=\\s]+=[^=\\s]+:([0-9]{1,5})");

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
          "Access keys of other administrators whose accounts, tokens, webhooks, freezes and"
              + " retention have effect on this node (accessKey in GET /v1/cluster of their node)."
              + " Nodes with the same administrator's token need none.")
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
  Optional<Peering> peering(Path data, Listener listener, Settings settings) {
    Optional<NodeTls> tls = listener.tls();
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
    if (secret.length() < Peering.SECRET_LENGTH_MIN) {
      throw new IllegalArgumentException(
          (secretFile == null ? "ENTENTE_SECRET" : "--secret-file")
              + ": the secret that nodes share has at least "
              + Peering.SECRET_LENGTH_MIN
              + " characters");
    }
    peers.forEach(peer -> requireNodeUrl("--peers", peer, listener));
    tls.ifPresent(NodeTls::requireValidAsClient);
    if (!url.isEmpty()) {
      URI uri = requireNodeUrl("--advertise", url, listener);
      tls.ifPresent(proof -> proof.requireHost("--advertise", uri.getHost()));
    }
    voters.forEach(PeeringOptions::requireVoter);
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
                : Optional.of(
                    Checks.requireVoteKey("--vote-key", SettingFile.secret("--vote-key", voteKey))),
            administrators.stream()
                .map(PeeringOptions::administratorKey)
                .collect(Collectors.toSet())));
  }

  /**
   * A node with certificates speaks HTTPS only, and to nodes that do so too; the secret that nodes
   * share leaves this machine unencrypted only where that is allowed.
   */
  private static URI requireNodeUrl(String option, String url, Listener listener) {
    URI uri = Checks.requireUrl(option, url);
    boolean plain = "http".equals(uri.getScheme());
    if (plain
        && listener.tls().isEmpty()
        && !listener.insecureHttp()
        && !Checks.isLocal(uri.getHost())) {
      throw new IllegalArgumentException(
          option
              + " "
              + url
              + " is plain HTTP to another machine: the secret that nodes share and all records"
              + " would travel unencrypted. Give --tls-cert, --tls-key and --tls-ca and begin it"
              + " with https://, or allow it with --insecure-http");
    }
    if (plain && listener.tls().isPresent()) {
      throw new IllegalArgumentException(
          option
              + " "
              + url
              + " is plain HTTP, but with --tls-cert nodes speak HTTPS only: begin it"
              + " with https://");
    }
    return uri;
  }

  private static Fingerprint administratorKey(String text) {
    try {
      return AccessKeys.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--administrator-keys: " + e.getMessage(), e);
    }
  }

  private static void requireVoter(String voter) {
    Matcher parts = VOTER.matcher(voter);
    if (!parts.matches()) {
      throw new IllegalArgumentException("--voters takes NAME=HOST:PORT, not " + voter);
    }
    Checks.requirePort("--voters " + voter, Integer.parseInt(parts.group(1)));
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

  /**
   * What to open the node with.
   *
   * @throws IllegalArgumentException where no node can be called so
   */
  NodeConfig config() {
    if (!name.isEmpty()) {
      Checks.requireNodeName("--name", name);
    }
    return NodeConfig.DEFAULT.withName(name).withFreshIncarnation();
  }
}
