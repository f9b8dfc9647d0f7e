// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Locale;

/** How much is at stake in a conflict, rising. */
public enum Severity {
  LOW(0),
  MEDIUM(1),
  HIGH(2),
  CRITICAL(3);

  private final int level;

  Severity(int level) {
    this.level = level;
  }

  /** What conditions compare, from 0. */
  public long level() {
    return level;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
