// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

/**
 * A file of a store that is not what was written.
 *
 * @param table the table that it is of
 * @param why what its checksums say
 */
public record DamagedFile(String file, Table table, String why) {
  @Override
  public String toString() {
    return file + " (" + table.label() + "): " + why;
  }
}
