// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Locale;

/**
 * A type's place between availability and agreement. One node alone gives the strongest of them.
 */
public enum Consistency {
  EVENTUAL,
  SESSION,
  CAUSAL,
  QUORUM,
  PRIMARY,
  STRONG;

  /** Whether nodes agree before they accept, so that a side of a cut may have to stop. */
  public boolean mustAgree() {
    return this == QUORUM || this == PRIMARY || this == STRONG;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
