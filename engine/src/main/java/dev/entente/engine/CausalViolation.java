// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.policy.Severity;
import java.util.Locale;

/** How a version from another node can contradict what this node knows of causality. */
public enum CausalViolation {
  /** It builds on versions that do not come. */
  MISSING_PREDECESSOR(Severity.MEDIUM),
  /** Its dot was seen with other content: a node came back with a reset counter, or lies. */
  DOT_REUSED(Severity.CRITICAL),
  /** It is this node's own, but this node has never written it: it was restored from a backup. */
  COUNTER_RESET(Severity.CRITICAL),
  /** Its request has the id of another request of the same sender, accepted elsewhere meanwhile. */
  REQUEST_ID_REUSED(Severity.HIGH),
  /** Its record cannot take it: a counter would overflow, an edit lies outside of its text. */
  CANNOT_JOIN(Severity.CRITICAL),
  /** It says what accounts and tokens there are, and nobody who may say so has signed it. */
  UNPROVEN_ACCESS(Severity.CRITICAL),
  /**
   * No client could have it written: its shape, size, names or numbers are not those of a version.
   */
  INVALID_VERSION(Severity.CRITICAL),
  /** It says that it was accepted further in the future than clocks may differ. */
  CLOCK_DRIFT(Severity.HIGH);

  private final Severity severity;

  CausalViolation(Severity severity) {
    this.severity = severity;
  }

  public Severity severity() {
    return severity;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
