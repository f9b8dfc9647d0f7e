// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import java.util.List;

/**
 * How a served node takes part in a cluster.
 *
 * @param url where the other nodes reach it; empty for the address that it listens on
 * @param seeds the URLs of nodes to ask first
 * @param secret what all nodes of the cluster share
 */
public record Peering(String url, List<String> seeds, String secret) {
  /** A secret is at least this long. */
  public static final int SECRET_LENGTH_MIN = 16;

  public Peering {
    seeds = List.copyOf(seeds);
    if (secret.length() < SECRET_LENGTH_MIN) {
      throw new IllegalArgumentException(
          "the secret that nodes share has at least " + SECRET_LENGTH_MIN + " characters");
    }
  }
}
