// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.util.Optional;

/**
 * A file of a store that is not what was written.
 *
 * @param table the table that it is of; empty for logs and manifests
 * @param why what its checksums say
 * @param repaired whether the store has replaced it: what it held was still in memory, or readable
 */
public record DamagedFile(String file, Optional<Table> table, String why, boolean repaired) {
  @Override
  public String toString() {
    return file + table.map(of -> " (" + of.label() + ")").orElse("") + ": " + why;
  }
}
