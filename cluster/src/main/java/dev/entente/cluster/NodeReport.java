// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.VersionVector;
import java.util.List;

/**
 * What another node last told of itself.
 *
 * @param heardMillis when, by the clock that never jumps
 */
public record NodeReport(VersionVector known, List<LinkReport> links, long heardMillis) {
  public NodeReport {
    links = List.copyOf(links);
  }
}
