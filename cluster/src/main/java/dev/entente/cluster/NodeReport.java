// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.VersionVector;
import java.util.List;
import java.util.Optional;

/**
 * What another node last told of itself.
 *
 * @param standing see {@link PullReply}
 * @param heardMillis when, by the clock that never jumps
 */
public record NodeReport(
    VersionVector known, List<LinkReport> links, Optional<String> standing, long heardMillis) {
  public NodeReport {
    links = List.copyOf(links);
  }
}
