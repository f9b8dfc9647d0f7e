// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A number under which this node holds another version than most nodes, or none; see {@link
 * Mending#begin}.
 *
 * @param hash of the version that stands here, as {@link VersionIndex} tells it; empty for none
 * @param content the version that is to stand here, as bytes
 * @param holders the names of the nodes that hold it
 */
public record Correction(Optional<Long> hash, byte[] content, Set<String> holders) {
  public Correction {
    holders = Collections.unmodifiableSet(new TreeSet<>(holders));
  }
}
