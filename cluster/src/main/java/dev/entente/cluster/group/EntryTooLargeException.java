// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

/** What is to be agreed on is too large for one entry. Nothing was proposed. */
public final class EntryTooLargeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  EntryTooLargeException(int bytes, int max) {
    super(
        "this would take "
            + (bytes >> 10)
            + " KiB of the voters' log, more than the "
            + (max >> 10)
            + " KiB that one entry may take; split it into several writes");
  }
}
