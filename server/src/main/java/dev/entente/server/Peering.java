// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Member;
import dev.entente.cluster.NodeTls;
import dev.entente.core.record.Fingerprint;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * How a served node takes part in a cluster.
 *
 * @param url where the other nodes reach it; empty for the address that it listens on
 * @param seeds the URLs of nodes to ask first
 * @param secret what all nodes of the cluster share
 * @param voters the nodes that agree on what is strong, as {@code name=host:port}; may be none
 * @param directory where this node keeps what it votes on
 * @param tls what nodes prove to each other who they are with; without it lines are not encrypted
 * @param voteKey the private key under which this node votes, where a policy demands it
 * @param administrators the access keys of other nodes' administrators who may grant access here
 */
public record Peering(
    String url,
    List<String> seeds,
    String secret,
    List<String> voters,
    Path directory,
    Optional<NodeTls> tls,
    Optional<String> voteKey,
    Set<Fingerprint> administrators) {
  /** A secret is at least this long. */
  public static final int SECRET_LENGTH_MIN = 16;

  public Peering {
    seeds = List.copyOf(seeds);
    voters = List.copyOf(voters);
    administrators = Set.copyOf(administrators);
    Stream.concat(Stream.of(url), seeds.stream())
        .flatMap(each -> Member.problemWithUrl(each).stream())
        .findFirst()
        .ifPresent(problem -> {
          throw new IllegalArgumentException(problem);
        });
    if (secret.length() < SECRET_LENGTH_MIN) {
      throw new IllegalArgumentException(
          "the secret that nodes share has at least " + SECRET_LENGTH_MIN + " characters");
    }
  }

  /** In a cluster in which nobody votes. */
  public Peering(String url, List<String> seeds, String secret) {
    this(url, seeds, secret, List.of(), Path.of("."), Optional.empty(), Optional.empty(), Set.of());
  }

  /** The same with voters. */
  public Peering withVoters(List<String> named, Path kept) {
    return new Peering(url, seeds, secret, named, kept, tls, voteKey, administrators);
  }

  /** The same over encrypted lines. */
  public Peering withTls(NodeTls proof) {
    return new Peering(
        url, seeds, secret, voters, directory, Optional.of(proof), voteKey, administrators);
  }

  /** The same with a key under which this node votes. */
  public Peering withVoteKey(String privateKey) {
    return new Peering(
        url, seeds, secret, voters, directory, tls, Optional.of(privateKey), administrators);
  }

  /** The same, where the administrators of other nodes may grant access. */
  public Peering trusting(Set<Fingerprint> accessKeys) {
    return new Peering(url, seeds, secret, voters, directory, tls, voteKey, accessKeys);
  }

  /** The names of the voters. */
  List<String> voterNames() {
    return voters.stream()
        .map(voter -> voter.substring(0, Math.max(0, voter.indexOf('='))))
        .toList();
  }
}
