// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import java.util.Optional;

/**
 * Somebody, or a node, with a say.
 *
 * @param weight how many votes theirs counts as, at least 1
 * @param key their public key (see {@link Keys}); without one the node that takes a ballot vouches
 *     for its sender
 */
public record Voter(String name, int weight, Optional<String> key) {
  private static final int WEIGHT_MAX = 1_000_000;

  public Voter {
    if (weight < 1 || weight > WEIGHT_MAX) {
      throw new IllegalArgumentException("a weight lies between 1 and " + WEIGHT_MAX);
    }
  }
}
