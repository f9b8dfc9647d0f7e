// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import java.util.Locale;

/** The kinds of conflicts. */
public enum ConflictType {
  /** Two authors changed the same unit without having seen each other's change. */
  CONCURRENT_UPDATE,
  /** A version builds on what never came, or a dot came twice with different content. */
  CAUSAL_VIOLATION,
  /** Each change is valid, but together they may not mean what either author meant. */
  SEMANTIC,
  /** Each side was valid, the merged record is not. */
  INVARIANT_VIOLATION,
  /** Several records want what only one can have. */
  RESOURCE_CONTENTION;

  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
