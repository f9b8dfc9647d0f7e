// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import java.util.Locale;

/** What a request asks of whoever makes it. */
public enum Permission {
  /** Reading records, their histories, conflicts and policies. */
  READ,
  /** Changing records, and locking. */
  WRITE,
  /** Deciding what waits for a person. */
  REVIEW,
  /** Freezing, checking, copying, and looking at the node and its cluster. */
  OPERATE,
  /** Reading the audit log. */
  AUDIT,
  /** Naming another as the author of a write. */
  NAME_AUTHORS,
  /** Changing policies and accounts. */
  ADMINISTER;

  /** As problems name it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
