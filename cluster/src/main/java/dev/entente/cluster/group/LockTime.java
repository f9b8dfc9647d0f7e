// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;

/**
 * When a command for locks was proposed.
 *
 * @param session the process that proposed it
 * @param steadyMillis by that process's clock that never jumps
 * @param after how many commands for locks that process had applied by then
 */
record LockTime(String session, long steadyMillis, long after) {
  static final LockTime NONE = new LockTime("", 0, 0);

  void write(ByteWriter out) {
    out.text(session).u64(steadyMillis).u64(after);
  }

  static LockTime read(ByteReader in) {
    return new LockTime(in.text(), in.u64(), in.u64());
  }
}
