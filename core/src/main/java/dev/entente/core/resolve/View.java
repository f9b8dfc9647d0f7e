// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.json.Json;
import java.util.List;

/**
 * What a reader sees of a record: a pure function of its state and a policy.
 *
 * @param data the document; absent where the record does not exist or is deleted
 * @param heads how many versions no other has seen; more than one means that concurrent writes were
 *     merged
 */
public record View(
    Json data,
    VersionVector context,
    HybridTime updatedAt,
    int heads,
    List<Resolution> resolutions) {
  public View {
    resolutions = List.copyOf(resolutions);
  }

  public boolean exists() {
    return !data.isAbsent();
  }

  /** Whether readers see what became of a conflict of the whole record, or what was before it. */
  public boolean isOfARecordConflict() {
    for (Resolution resolution : resolutions) {
      if (resolution.conflict().recordLevel()) {
        return true;
      }
    }
    return false;
  }

  public boolean hasPending() {
    for (Resolution resolution : resolutions) {
      if (resolution.isPending()) {
        return true;
      }
    }
    return false;
  }
}
