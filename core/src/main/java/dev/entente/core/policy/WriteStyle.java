// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Locale;

/** How a write says what its author had seen. */
public enum WriteStyle {
  /** It does not: it replaces whatever is there. */
  OVERWRITE,
  /** It holds only if nothing changed since ({@code If-Match}). */
  CONDITIONAL,
  /** It merges with whatever changed since (a context token). */
  MERGE;

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
