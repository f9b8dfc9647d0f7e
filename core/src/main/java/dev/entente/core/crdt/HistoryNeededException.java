// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.crdt;

/**
 * A text or list cannot take an edit, or join another, from what its state holds: it was folded to
 * plain items that the other side had not seen. The versions of the record have what is missing.
 */
public final class HistoryNeededException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  public HistoryNeededException() {
    super("the history of the record is needed to merge an edit older than what was folded");
  }
}
