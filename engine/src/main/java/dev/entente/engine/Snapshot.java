// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.resolve.View;

/** A record at one moment: its state, and the view under the policy of that moment. */
public record Snapshot(RecordKey key, RecordState state, View view, String policyVersion) {
  /** The context as clients see it. */
  public String token() {
    return ContextToken.of(key, state.context());
  }
}
